import { createHash, createHmac, type Hash, hash, timingSafeEqual } from 'node:crypto';

import { ServiceException } from '../errors.ts';
import { type AccessKeys, principalOf } from './access-keys.ts';
import { parseAuthorization } from './authorization.ts';
import { canonicalRequest, type RequestHead } from './canonical-request.ts';
import type { Authorization } from './credential.ts';
import type { Principal } from './principal.ts';
import type { Sessions } from './session.ts';
import { type SigningSecret, signingKey } from './signing-keys.ts';
import { expiredToken, incomplete, invalid, unrecognized } from './sigv4-error.ts';

export type { Principal } from './principal.ts';

/**
 * A request whose head has been checked as far as it goes. Feed it the body as it arrives, then `confirm`: nothing may be done for the
 * caller before.
 */
export interface Claim {
  /** The body's sha256 as the signed head says; null when it does not: then only `confirm` checks the body, if it is signed at all. */
  readonly declaredSha256: string | null;
  /** A piece of the body, in order, as it came. */
  push(piece: Buffer): void;
  /** After the last piece. @throws LambdaError InvalidSignature */
  confirm(): Principal;
}

/** Tells who sent a request. */
export interface Authenticator {
  /**
   * Checks everything but the body: form, key, scope, clock, and the signature when the head says what the body's hash is.
   *
   * @throws LambdaError 403 or 400 with the names of AWS; 500 when the keys are not known yet
   */
  begin(head: RequestHead): Claim;
}

/** What {@link makeAuthenticator} works with. */
export interface AuthenticatorDeps {
  readonly keys: AccessKeys;
  /** Credentials that end; absent = this install gives none out. */
  readonly sessions?: Sessions;
  /** The install's own region. */
  readonly region: string;
  /** The regions that a signature may name, by service. Default: the install's own one for `lambda`. */
  readonly scopes?: Readonly<Record<string, readonly string[]>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Farthest that a caller's clock may be off, milliseconds. Default 5 minutes, as AWS has it. */
  readonly maxSkewMs?: number;
}

const emptySha256 = hash('sha256', '');
const anybody: Principal = { accessKeyId: null, accounts: null };
const unchecked: Claim = { declaredSha256: null, push: () => undefined, confirm: () => anybody };

/** Asks nobody: only for a server that this machine alone can reach. */
export const openDoor: Authenticator = { begin: () => unchecked };

/**
 * Signature Version 4, in the header or presigned in the query. Fails closed: what is not understood is refused, and so is every part that
 * could matter and is not signed (`host`, all `x-amz-*`). A body is part of the signature unless its caller signed that it is not
 * (`UNSIGNED-PAYLOAD`). The server adds `Date` to every answer, so that SDKs with a wrong clock can correct themselves and try again.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export function makeAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { now, maxSkewMs = 300_000 } = deps;
  const scopes = new Map(Object.entries(deps.scopes ?? { lambda: [deps.region] }));
  return {
    begin: (head) => {
      const authorization = parseAuthorization(head);
      checkSigned(head, authorization);
      checkScope(authorization, scopes);
      checkClock(authorization, now(), maxSkewMs);
      const declared = declaredSha256(authorization);
      const { secret, principal } = findSigner(deps, authorization);
      const check = (sha256: string): void => checkSignature({ head, authorization, secret }, sha256);
      if (declared === UNSIGNED) {
        check(UNSIGNED);
        return { declaredSha256: null, push: () => undefined, confirm: () => principal };
      }
      if (declared !== null) check(declared);
      return new SignedClaim(principal, declared, check);
    },
  };
}

class SignedClaim implements Claim {
  readonly declaredSha256: string | null;
  readonly #principal: Principal;
  readonly #check: (bodySha256: string) => void;
  /** The usual body is one piece: hashed in one go, which costs half as much. */
  #first: Buffer | null = null;
  /** Of a body in several pieces. */
  #hash: Hash | null = null;

  constructor(principal: Principal, declared: string | null, check: (bodySha256: string) => void) {
    this.declaredSha256 = declared;
    this.#principal = principal;
    this.#check = check;
  }

  push(piece: Buffer): void {
    if (this.#hash !== null) this.#hash.update(piece);
    else if (this.#first === null) this.#first = piece;
    else this.#hash = createHash('sha256').update(this.#first).update(piece);
  }

  confirm(): Principal {
    const sha256 = this.#bodySha256();
    if (this.declaredSha256 === null) this.#check(sha256);
    else if (this.declaredSha256 !== sha256)
      throw invalid('The x-amz-content-sha256 header is not the sha256 of the body.');
    return this.#principal;
  }

  #bodySha256(): string {
    if (this.#hash !== null) return this.#hash.digest('hex');
    return this.#first === null ? emptySha256 : hash('sha256', this.#first);
  }
}

/** Host, and everything that AWS gives a meaning, must be signed. */
function checkSigned({ rawHeaders }: RequestHead, { signedHeaders }: Authorization): void {
  if (!signedHeaders.includes('host')) throw incomplete("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? '';
    if (raw.length < 7 || !startsAsAmazon.test(raw)) continue;
    const name = raw.toLowerCase();
    if (!signedHeaders.includes(name)) throw incomplete(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
}

const startsAsAmazon = /^x-amz-/i;

function checkScope(
  { date, region, service, signedAt }: Authorization,
  scopes: ReadonlyMap<string, readonly string[]>,
) {
  const regions = scopes.get(service);
  if (regions === undefined)
    throw invalid(`Credential should be scoped to correct service: '${[...scopes.keys()].join("' or '")}'.`);
  if (!regions.includes(region)) throw invalid(`Credential should be scoped to a valid region: '${regions[0]}'.`);
  if (!/^\d{8}T\d{6}Z$/.test(signedAt))
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${signedAt.slice(0, 40)}'.`);
  if (!signedAt.startsWith(date))
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${signedAt}'.`,
    );
}

/** A presigned URL holds from when it was signed for as long as it says, whatever the caller's clock says now. */
function checkClock({ signedAt, expiresSeconds }: Authorization, nowMs: number, maxSkewMs: number): void {
  const signedMs = Date.parse(
    `${signedAt.slice(0, 4)}-${signedAt.slice(4, 6)}-${signedAt.slice(6, 11)}:${signedAt.slice(11, 13)}:${signedAt.slice(13)}`,
  );
  if (Number.isNaN(signedMs)) throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${signedAt}'.`);
  const lifeMs = expiresSeconds === null ? maxSkewMs : expiresSeconds * 1000;
  const words = (limitMs: number, sign: string, wideMs: number): string =>
    `${basicDate(limitMs)} (${basicDate(nowMs)} ${sign} ${wideMs % 60_000 === 0 ? `${wideMs / 60_000} min.` : `${wideMs / 1000} sec.`})`;
  if (signedMs < nowMs - lifeMs)
    throw invalid(`Signature expired: ${signedAt} is now earlier than ${words(nowMs - lifeMs, '-', lifeMs)}`);
  if (signedMs > nowMs + maxSkewMs)
    throw invalid(
      `Signature not yet current: ${signedAt} is still later than ${words(nowMs + maxSkewMs, '+', maxSkewMs)}`,
    );
}

function basicDate(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** In place of the body's hash: the caller has signed that the body is not. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** What stands for the body in the signature; null = the request does not say, and the body itself has to. */
function declaredSha256({ contentSha256 }: Authorization): string | null {
  if (contentSha256 === null || contentSha256 === UNSIGNED || /^[0-9a-f]{64}$/.test(contentSha256))
    return contentSha256;
  throw invalid(
    contentSha256.startsWith('STREAMING-')
      ? `x-amz-content-sha256 ${contentSha256.slice(0, 60)}: bodies that are signed in chunks are not supported. Send the sha256 of the body, or UNSIGNED-PAYLOAD.`
      : 'x-amz-content-sha256 must be the sha256 of the body in lower-case hex, or UNSIGNED-PAYLOAD.',
  );
}

interface Signer {
  readonly secret: SigningSecret;
  readonly principal: Principal;
}

function findSigner({ keys, sessions, now }: AuthenticatorDeps, { accessKeyId, sessionToken }: Authorization): Signer {
  if (sessionToken !== null) {
    const session = sessions?.find(sessionToken);
    if (session === undefined || session.accessKeyId !== accessKeyId) throw unrecognized();
    if (session.expiresAtMs <= now()) throw expiredToken();
    return { secret: session, principal: session.principal() };
  }
  const key = keys.find(accessKeyId);
  if (key !== undefined) return { secret: key, principal: principalOf(key) };
  if (keys.isKnown()) throw unrecognized();
  throw new ServiceException('The access keys are not known yet. The request did not run.', { retryAfterSeconds: 1 });
}

interface Signed {
  readonly head: RequestHead;
  readonly authorization: Authorization;
  readonly secret: SigningSecret;
}

function checkSignature({ head, authorization, secret }: Signed, bodySha256: string): void {
  const { date, region, service, signedAt, signedHeaders, signature } = authorization;
  const canonical = canonicalRequest(head, signedHeaders, bodySha256);
  const canonicalSha256 = hash('sha256', Buffer.from(canonical, 'latin1'));
  const text = `AWS4-HMAC-SHA256\n${signedAt}\n${date}/${region}/${service}/aws4_request\n${canonicalSha256}`;
  const expected = createHmac('sha256', signingKey(secret, authorization)).update(text).digest();
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return;
  throw invalid(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}
