import { createHash, createHmac, createSecretKey, type Hash, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

import { ServiceException } from '../errors.ts';
import type { AccessKey, AccessKeys } from './access-keys.ts';
import { type Authorization, parseAuthorization } from './authorization.ts';
import { canonicalRequest, headerValues, type RequestHead } from './canonical-request.ts';
import { accessDenied, incomplete, invalid, unrecognized } from './sigv4-error.ts';

/** Who sent a request. */
export interface Principal {
  /** null: nobody was asked (`KAPPA_AUTH=none`). */
  readonly accessKeyId: string | null;
  /** Accounts whose functions it may use; null = all. */
  readonly accounts: readonly string[] | null;
}

/**
 * A request whose head has been checked as far as it goes. Feed it the body as it arrives, then `confirm`: nothing may be done for the
 * caller before.
 */
export interface Claim {
  /** The body's sha256 as the signed head says; null when it does not, then only `confirm` checks the signature. */
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
  /** The install's own region. */
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Farthest that a caller's clock may be off, milliseconds. Default 5 minutes, as AWS has it. */
  readonly maxSkewMs?: number;
}

const service = 'lambda';
const emptySha256 = hash('sha256', '');
const anybody: Principal = { accessKeyId: null, accounts: null };
const unchecked: Claim = { declaredSha256: null, push: () => undefined, confirm: () => anybody };

/** Asks nobody: only for a server that this machine alone can reach. */
export const openDoor: Authenticator = { begin: () => unchecked };

/**
 * Signature Version 4 in the header form, for the service `lambda` in the install's region. Fails closed: what is not understood is
 * refused, and so is every part that could matter and is not signed (`host`, all `x-amz-*`). Bodies are always part of the signature.
 * The server adds `Date` to every answer, so that SDKs with a wrong clock can correct themselves and try again.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export function makeAuthenticator({ keys, region, now, maxSkewMs = 300_000 }: AuthenticatorDeps): Authenticator {
  return {
    begin: (head) => {
      const authorization = parseAuthorization(head);
      const amzDate = dateOf(head);
      checkSigned(head, authorization);
      checkScope(authorization, amzDate, region);
      checkClock(amzDate, now(), maxSkewMs);
      const declared = declaredSha256(head);
      const key = findKey(keys, authorization.accessKeyId);
      const check = (sha256: string): void => checkSignature({ head, authorization, amzDate, key }, sha256);
      if (declared !== null) check(declared);
      return new SignedClaim(key, declared, check);
    },
  };
}

/**
 * Whether the principal may use functions of this account.
 *
 * @param resource for the message, an ARN
 * @throws LambdaError AccessDenied
 */
export function requireAccount({ accessKeyId, accounts }: Principal, accountId: string, resource: string): void {
  if (accounts === null || accounts.includes(accountId)) return;
  throw accessDenied(
    `Access key ${accessKeyId} is not authorized to perform: lambda:InvokeFunction on resource: ${resource}`,
  );
}

class SignedClaim implements Claim {
  readonly declaredSha256: string | null;
  readonly #principal: Principal;
  readonly #check: (bodySha256: string) => void;
  #hash: Hash | null = null;

  constructor(key: AccessKey, declared: string | null, check: (bodySha256: string) => void) {
    this.declaredSha256 = declared;
    this.#principal = { accessKeyId: key.accessKeyId, accounts: key.accounts };
    this.#check = check;
  }

  push(piece: Buffer): void {
    this.#hash ??= createHash('sha256');
    this.#hash.update(piece);
  }

  confirm(): Principal {
    const sha256 = this.#hash === null ? emptySha256 : this.#hash.digest('hex');
    if (this.declaredSha256 === null) this.#check(sha256);
    else if (this.declaredSha256 !== sha256)
      throw invalid('The x-amz-content-sha256 header is not the sha256 of the body.');
    return this.#principal;
  }
}

/** @returns `yyyymmddThhmmssZ` */
function dateOf(head: RequestHead): string {
  const [date, ...more] = headerValues(head.rawHeaders, 'x-amz-date');
  if (date === undefined) throw incomplete("Authorization header requires existence of a 'X-Amz-Date' header.");
  if (more.length > 0 || !/^\d{8}T\d{6}Z$/.test(date))
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${date}'.`);
  return date;
}

function checkSigned(head: RequestHead, { signedHeaders }: Authorization): void {
  const signed = new Set(signedHeaders);
  if (!signed.has('host')) throw incomplete("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  for (let at = 0; at < head.rawHeaders.length; at += 2) {
    const name = head.rawHeaders[at]?.toLowerCase() ?? '';
    if (name === 'x-amz-security-token') throw unrecognized(); // session credentials: this install gives none out
    if (name.startsWith('x-amz-') && !signed.has(name))
      throw incomplete(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
}

function checkScope({ date, region: named, service: of }: Authorization, amzDate: string, region: string): void {
  if (of !== service) throw invalid(`Credential should be scoped to correct service: '${service}'.`);
  if (named !== region) throw invalid(`Credential should be scoped to a valid region: '${region}'.`);
  if (!amzDate.startsWith(date))
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${amzDate}'.`,
    );
}

function checkClock(amzDate: string, nowMs: number, maxSkewMs: number): void {
  const signedMs = Date.parse(amzDate.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (Number.isNaN(signedMs)) throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${amzDate}'.`);
  const words = (limitMs: number, sign: string): string =>
    `${basicDate(limitMs)} (${basicDate(nowMs)} ${sign} ${maxSkewMs / 60_000} min.)`;
  if (signedMs < nowMs - maxSkewMs)
    throw invalid(`Signature expired: ${amzDate} is now earlier than ${words(nowMs - maxSkewMs, '-')}`);
  if (signedMs > nowMs + maxSkewMs)
    throw invalid(`Signature not yet current: ${amzDate} is still later than ${words(nowMs + maxSkewMs, '+')}`);
}

function basicDate(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** The body's hash if the head has it. A body outside the signature is never taken. */
function declaredSha256(head: RequestHead): string | null {
  const [declared, ...more] = headerValues(head.rawHeaders, 'x-amz-content-sha256');
  if (declared === undefined) return null;
  if (more.length > 0 || !/^[0-9a-f]{64}$/.test(declared))
    throw invalid(
      'The x-amz-content-sha256 header must be the sha256 of the body: unsigned and streaming payloads are not supported.',
    );
  return declared;
}

function findKey(keys: AccessKeys, accessKeyId: string): AccessKey {
  const key = keys.find(accessKeyId);
  if (key !== undefined) return key;
  if (keys.isKnown()) throw unrecognized();
  throw new ServiceException('The access keys are not known yet. The request did not run.', { retryAfterSeconds: 1 });
}

interface Signed {
  readonly head: RequestHead;
  readonly authorization: Authorization;
  readonly amzDate: string;
  readonly key: AccessKey;
}

function checkSignature({ head, authorization, amzDate, key }: Signed, bodySha256: string): void {
  const { date, region, signedHeaders, signature } = authorization;
  const canonical = canonicalRequest(head, signedHeaders, bodySha256);
  const canonicalSha256 = hash('sha256', Buffer.from(canonical, 'latin1'));
  const text = `AWS4-HMAC-SHA256\n${amzDate}\n${date}/${region}/${service}/aws4_request\n${canonicalSha256}`;
  const expected = createHmac('sha256', signingKey(key, date, region))
    .update(text)
    .digest();
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return;
  throw invalid(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

/** The last key that was derived of each access key: it changes once a day. */
const derived = new WeakMap<AccessKey, { readonly scope: string; readonly key: KeyObject }>();

function signingKey(key: AccessKey, date: string, region: string): KeyObject {
  const scope = `${date}/${region}`;
  const known = derived.get(key);
  if (known?.scope === scope) return known.key;
  const steps = [date, region, service, 'aws4_request'];
  const made = steps.reduce<Buffer>(
    (last, step) => createHmac('sha256', last).update(step).digest(),
    Buffer.from(`AWS4${key.secretAccessKey}`),
  );
  const signing = createSecretKey(made);
  derived.set(key, { scope, key: signing });
  return signing;
}
