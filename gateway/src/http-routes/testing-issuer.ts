import { createServer, type Server } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

import { listen } from '../testing.ts';

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** An OpenID Connect issuer with real keys, on a port of its own: its configuration and its key set. */
export class TestIssuer {
  /** How often the key set was asked for. */
  asked = 0;
  /** Answers what it should when null, this status otherwise. */
  failsWith: number | null = null;
  /** Epoch milliseconds. */
  now: () => number = Date.now;
  /** Said instead of its own address. */
  name: string | null = null;
  readonly #server: Server;
  #url = '';
  #keys: readonly Key[] = [];

  private constructor() {
    this.#server = createServer((req, res) => {
      res.statusCode = this.failsWith ?? 200;
      res.setHeader('content-type', 'application/json');
      if (req.url === '/keys') this.asked += 1;
      res.end(JSON.stringify(this.#documentAt(req.url ?? '')));
    });
  }

  /** Starts with one key. Who starts it stops it. */
  static async start(): Promise<TestIssuer> {
    const issuer = new TestIssuer();
    issuer.#url = `http://127.0.0.1:${await listen(issuer.#server)}`;
    await issuer.rotate('RS256');
    return issuer;
  }

  get url(): string {
    return this.#url;
  }

  /** Has one new key instead of those before. */
  async rotate(alg: 'RS256' | 'ES256' | 'EdDSA' | 'PS384'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${alg}-${this.#keys.length}-${performance.now()}`;
    this.#keys = [{ kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }];
  }

  /** A token of now, for `pets`, good for five minutes. @param header more of its header */
  async token(claims: Readonly<Record<string, unknown>> = {}, header: object = {}): Promise<string> {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('the issuer has no key');
    const nowSeconds = Math.floor(this.now() / 1000);
    const payload: JWTPayload = {
      iss: this.#url,
      aud: 'pets',
      sub: 'me',
      iat: nowSeconds,
      exp: nowSeconds + 300,
      ...claims,
    };
    return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #documentAt(path: string): object {
    if (path === '/keys') return { keys: this.#keys.map(({ jwk }) => jwk) };
    if (path === '/.well-known/openid-configuration')
      return { issuer: this.name ?? this.#url, jwks_uri: `${this.#url}/keys` };
    return {};
  }
}
