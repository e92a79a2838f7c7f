/** A door with the authenticator and nothing else, and a signer of another make. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';

import { renderError, toLambdaError } from '../lambda-api/errors.ts';
import type { AccessKey, AccessKeys } from './access-keys.ts';
import type { Authenticator } from './authenticator.ts';
import { accountsOnly } from './authorizer.ts';
import { headOf } from './canonical-request.ts';
import { requireAccess } from './policy-access.ts';

/** The key of the tests. */
export const testKey: AccessKey = {
  accessKeyId: 'AKKAPPATEST',
  secretAccessKey: 'secret/with+signs=and-length',
  accounts: null,
};

/** Keys that stand in a list. */
export function keysOf(...keys: readonly AccessKey[]): AccessKeys {
  return { find: (id) => keys.find((key) => key.accessKeyId === id), isKnown: () => true };
}

/** A signed request, as it goes over the wire. */
export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What to sign. */
export interface ToSign {
  readonly method?: string;
  /** Path as it goes over the wire, encoded. */
  readonly path?: string;
  /** Decoded. */
  readonly query?: Readonly<Record<string, string | string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly key?: AccessKey;
  readonly region?: string;
  readonly service?: string;
  readonly atMs?: number;
  /** Whether x-amz-content-sha256 is sent. Default true. */
  readonly declaresBody?: boolean;
  /** Of session credentials. */
  readonly sessionToken?: string;
  /** Signs in the query instead, for so long. */
  readonly expiresIn?: number;
}

/** Signs with AWS's own library for JavaScript. */
export async function sign(request: ToSign): Promise<SignedRequest> {
  const { method = 'POST', path = '/2015-03-31/functions/f/invocations', query = {}, key = testKey } = request;
  const signer = new SignatureV4({
    service: request.service ?? 'lambda',
    region: request.region ?? 'us-east-1',
    credentials: {
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey,
      ...(request.sessionToken !== undefined && { sessionToken: request.sessionToken }),
    },
    sha256: NodeSha256,
    applyChecksum: request.declaresBody ?? true,
  });
  const headers = { host: 'kappa.test:9000', ...request.headers };
  const body = request.body ?? '';
  const toSign = { method, protocol: 'http:', hostname: 'kappa.test', path, query: { ...query }, headers, body };
  const signingDate = new Date(request.atMs ?? Date.now());
  const { expiresIn } = request;
  const signed = await (expiresIn === undefined
    ? signer.sign(toSign, { signingDate })
    : signer.presign(toSign, { signingDate, expiresIn }));
  const pairs = Object.entries(signed.query ?? {}).flatMap(([name, values]) =>
    [values ?? ''].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return { method, target: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`, headers: signed.headers };
}

/** The raw form of headers. */
export function rawHeadersOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flat();
}

/** Answers what the authenticator says of each request: `{"key": …}`, or its error as the Lambda API renders it. */
export async function startDoor(authenticator: Authenticator, accountId = '000000000000') {
  const server = createServer(async (req, res) => {
    try {
      const claim = authenticator.begin(headOf(req));
      for await (const piece of req) claim.push(piece);
      const principal = claim.confirm();
      const asked = { right: 'get functions', namespace: 'default', name: 'f', action: 'lambda:GetFunction' } as const;
      await requireAccess(
        accountsOnly,
        principal,
        { ...asked, accountId, resource: 'arn' },
        { isGranted: () => false },
      );
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ key: principal.accessKeyId }));
    } catch (error) {
      const { status, headers, body } = renderError(toLambdaError(error), 'request-id');
      res.writeHead(status, [...headers]).end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${port}`, port, close };
}

/** SHA-256 and its HMAC as the signer wants them. */
class NodeSha256 {
  readonly #secret: string | Uint8Array | null;
  #hash: Hash | Hmac;

  constructor(secret?: unknown) {
    this.#secret = typeof secret === 'string' || ArrayBuffer.isView(secret) ? (secret as string | Uint8Array) : null;
    this.#hash = this.#begin();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === null ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}
