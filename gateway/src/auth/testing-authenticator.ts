import type { LambdaError } from '../errors.ts';
import { makeAuthenticator, type Principal } from './authenticator.ts';
import { keysOf, rawHeadersOf, type SignedRequest, sign, type ToSign, testKey } from './testing.ts';

/** When the tests' requests are checked. */
export const nowMs = Date.UTC(2026, 10, 21, 12, 0, 0);
/** Knows the key of the tests and stands at `nowMs`. */
export const authenticator = makeAuthenticator({ keys: keysOf(testKey), region: 'us-east-1', now: () => nowMs });
/** Of the requests that `signed` signs. */
export const body = '{"hello":"world"}';

/** Lets the authenticator see the request and what was `sent` as its body, in pieces. @throws LambdaError */
export function check(request: SignedRequest, sent = body): Principal {
  const { method, target, headers } = request;
  const claim = authenticator.begin({ method, target, rawHeaders: rawHeadersOf(headers) });
  const bytes = Buffer.from(sent);
  for (const piece of [bytes.subarray(0, 3), bytes.subarray(3)]) if (piece.length > 0) claim.push(piece);
  return claim.confirm();
}

/** Why it is refused. @throws Error when it is not */
export function refusalOf(request: SignedRequest, sent = body): Partial<LambdaError> {
  try {
    check(request, sent);
  } catch (error) {
    const { code, status, message } = error as LambdaError;
    return { code, status, message };
  }
  throw new Error('it was accepted');
}

/** Signs at `nowMs`. */
export const signed = (request: ToSign = {}): Promise<SignedRequest> => sign({ atMs: nowMs, body, ...request });
/** The same with other headers, signed or not. */
export const withHeaders = (request: SignedRequest, headers: Record<string, string>): SignedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});
/** The same with another Authorization. */
export const withAuthorization = (request: SignedRequest, change: (text: string) => string): SignedRequest =>
  withHeaders(request, { authorization: change(request.headers['authorization'] ?? '') });
