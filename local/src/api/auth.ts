import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from './files.ts';
import { at, isRecord, items, number, text } from './json.ts';

/** Who sends a request. */
export interface User {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
}

/** What TokenRequest puts into a token. */
export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly serviceAccountUid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** Pod or Secret that the token is bound to, if any. */
  readonly boundTo?: { readonly kind: string; readonly name: string; readonly uid: string };
}

/** The audience of this server, also the issuer of its tokens. */
export const apiAudience = 'https://kubernetes.default.svc.cluster.local';

/**
 * Knows the administrator's token and signs service account tokens. Both keys live in `directory` and survive a
 * restart, so that clients which hold the kubeconfig go on. Fails closed: what cannot be verified is nobody.
 */
export class Authenticator {
  /** The bearer token of the kubeconfig. */
  readonly adminToken: string;
  readonly #adminDigest: Buffer;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #now: () => number;
  /** Says whether that service account still exists; a token of a deleted account is void. */
  readonly #accountExists: (namespace: string, name: string, uid: string) => boolean;

  constructor(
    directory: string,
    now: () => number,
    accountExists: (namespace: string, name: string, uid: string) => boolean,
  ) {
    this.adminToken = readOrMake(join(directory, 'token'), () => randomBytes(32).toString('base64url'));
    this.#adminDigest = digest(this.adminToken);
    const key = readOrMake(join(directory, 'service-accounts.key'), makeSigningKey);
    this.#privateKey = createPrivateKey(key);
    this.#publicKey = createPublicKey(this.#privateKey);
    this.#keyId = createHash('sha256')
      .update(this.#publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    this.#now = now;
    this.#accountExists = accountExists;
  }

  /** The user behind an Authorization header; null when there is none. */
  authenticate(authorization: string | undefined): User | null {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    if (timingSafeEqual(digest(token), this.#adminDigest)) {
      return { username: 'kappa-admin', uid: '', groups: ['system:masters', 'system:authenticated'] };
    }
    return this.verifyToken(token, [apiAudience])?.user ?? null;
  }

  /** A signed token and its end, epoch milliseconds. */
  issueToken(claims: TokenClaims): { readonly token: string; readonly expiresAtMs: number } {
    const issuedAt = Math.floor(this.#now() / 1000);
    const expiresAt = issuedAt + claims.expirationSeconds;
    const bound = claims.boundTo;
    const payload = {
      aud: claims.audiences,
      exp: expiresAt,
      iat: issuedAt,
      iss: apiAudience,
      jti: randomBytes(16).toString('hex'),
      'kubernetes.io': {
        namespace: claims.namespace,
        ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: { name: claims.serviceAccount, uid: claims.serviceAccountUid },
      },
      nbf: issuedAt,
      sub: `system:serviceaccount:${claims.namespace}:${claims.serviceAccount}`,
    };
    const head = { alg: 'ES256', kid: this.#keyId, typ: 'JWT' };
    const signed = `${encode(head)}.${encode(payload)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return { token: `${signed}.${signature.toString('base64url')}`, expiresAtMs: expiresAt * 1000 };
  }

  /** Checks signature, time, audience and account. Null when anything is wrong. */
  verifyToken(
    token: string,
    audiences: readonly string[],
  ): { readonly user: User; readonly audiences: readonly string[] } | null {
    const [head, payload, signature, ...rest] = token.split('.');
    if (head === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'))) return null;
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isRecord(claims) ? this.#userOf(claims, audiences) : null;
  }

  #userOf(
    claims: Record<string, unknown>,
    audiences: readonly string[],
  ): { user: User; audiences: readonly string[] } | null {
    const nowSeconds = this.#now() / 1000;
    const accepted = items(claims['aud']).filter(
      (entry): entry is string => typeof entry === 'string' && audiences.includes(entry),
    );
    const isCurrent = (number(claims['nbf']) ?? 0) <= nowSeconds + 1 && (number(claims['exp']) ?? 0) > nowSeconds;
    if (accepted.length === 0 || !isCurrent) return null;
    const namespace = text(at(claims, 'kubernetes.io', 'namespace'));
    const name = text(at(claims, 'kubernetes.io', 'serviceaccount', 'name'));
    const uid = text(at(claims, 'kubernetes.io', 'serviceaccount', 'uid'));
    if (!this.#accountExists(namespace, name, uid)) return null;
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
    return { user: { username: `system:serviceaccount:${namespace}:${name}`, uid, groups }, audiences: accepted };
  }
}

function makeSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function readOrMake(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileAtomically(path, make());
  return readFileSync(path, 'utf8').trim();
}

/** Equal lengths for the constant-time comparison, whatever was sent. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
