import type { FunctionHttpRouteAuthorizerJwt } from '@kappa/crds/function';
import type { JWTPayload } from 'jose';

import type { Authorization } from './event.ts';
import { type KeySets, KeysUnavailable, NoSuchKey } from './key-sets.ts';
import { AuthorizerFailed, forbidden, unauthorized } from './refusal.ts';

/** What {@link jwtAuthorizer} is made with. */
export interface JwtAuthorizerDeps {
  readonly keySets: Pick<KeySets, 'keyFor'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Checks a token against the rules of a route of the namespace. @throws RouteRefusal 401, 403, 500 */
export type JwtAuthorizer = (
  namespace: string,
  rules: FunctionHttpRouteAuthorizerJwt,
  token: string | null,
) => Promise<Authorization>;

/** Signatures by keys that are public; a token cannot choose to have none, or one by a shared secret. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Clocks of issuer and gateway may differ so much, seconds. */
const CLOCK_SKEW_SECONDS = 10;
/** Longest token that is looked at, characters. */
const TOKEN_CHARS = 16_384;

/**
 * Lets in who brings a token of the issuer: signature, `iss`, `aud` (or `client_id`), `exp`, `nbf`, `iat`, and one of the route's scopes.
 * Fails closed.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export function jwtAuthorizer({ keySets, now }: JwtAuthorizerDeps): JwtAuthorizer {
  return async (namespace, rules, given) => {
    const token = given?.replace(/^Bearer +/i, '') ?? '';
    if (token === '') throw unauthorized(`the token is missing: ${rules.identitySource}`, 'Bearer');
    if (token.length > TOKEN_CHARS) throw invalid('the token is too long');
    const { jwtVerify } = await import('./jose.ts');
    const nowMs = now();
    const { issuer } = rules;
    const { payload } = await jwtVerify(token, (header, jws) => keySets.keyFor({ namespace, issuer }, header, jws), {
      issuer,
      algorithms,
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_SKEW_SECONDS,
      requiredClaims: ['exp'],
    }).catch(refuse);
    checkAudience(payload, rules.audience);
    if (payload.iat !== undefined && payload.iat > nowMs / 1000 + CLOCK_SKEW_SECONDS)
      throw invalid('the token was issued in the future');
    return { kind: 'jwt', claims: claimsOf(payload), scopes: checkScopes(payload, rules.scopes) };
  };
}

async function refuse(err: unknown): Promise<never> {
  if (err instanceof KeysUnavailable) throw new AuthorizerFailed(err.message, err);
  if (err instanceof NoSuchKey) throw invalid('the issuer has no such key');
  const { errors } = await import('./jose.ts');
  if (err instanceof errors.JWTExpired) throw invalid('the token has expired');
  if (err instanceof errors.JWTClaimValidationFailed) throw invalid(`the token's ${err.claim} is not accepted`);
  if (err instanceof errors.JWSSignatureVerificationFailed) throw invalid("the token's signature is not valid");
  if (err instanceof errors.JOSEAlgNotAllowed) throw invalid('signatures of this algorithm are not accepted');
  throw invalid('the token is not valid');
}

function checkAudience(payload: JWTPayload, audience: readonly string[]): void {
  const named = payload.aud ?? payload['client_id'];
  const names = [named].flat();
  if (!names.some((name) => typeof name === 'string' && audience.includes(name)))
    throw invalid('the token is for another audience');
}

function checkScopes(payload: JWTPayload, wanted: readonly string[]): readonly string[] | null {
  if (wanted.length === 0) return null;
  const given = scopesOf(payload['scope'] ?? payload['scp']);
  const has = wanted.filter((scope) => given.includes(scope));
  if (has.length > 0) return has;
  const challenge = `Bearer scope="${wanted.join(' ')}" error="insufficient_scope" error_description="the token has none of these scopes"`;
  throw forbidden('the token has none of the scopes that the route asks for', challenge);
}

function scopesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((scope) => typeof scope === 'string') : [];
}

/** All as texts, lists in brackets, as API Gateway hands them on. */
function claimsOf(payload: JWTPayload): Readonly<Record<string, string>> {
  const claims: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(payload)) claims[name] = textOf(value);
  return claims;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(textOf).join(' ')}]`;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** @param problem our own words: they stand between quotes */
function invalid(problem: string): Error {
  return unauthorized(problem, `Bearer error="invalid_token" error_description="${problem}"`);
}
