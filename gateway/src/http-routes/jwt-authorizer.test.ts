import { createHmac } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FunctionHttpRouteAuthorizerJwt } from '@kappa/crds/function';

import { jsonFetcher } from './fetch-json.ts';
import { type JwtAuthorizer, jwtAuthorizer } from './jwt-authorizer.ts';
import { KeySets } from './key-sets.ts';
import { AuthorizerFailed, RouteRefusal } from './refusal.ts';
import { TestIssuer } from './testing-issuer.ts';

const MINUTE_MS = 60_000;
const now = (): number => Date.UTC(2026, 10, 22);
let issuer: TestIssuer;
let other: TestIssuer;
let nowMs: number;
let authorize: JwtAuthorizer;

const fetcher = (privateOrigins: readonly string[]) =>
  jsonFetcher({ privateOrigins, timeoutMs: 10_000, maxBytes: 100_000 });
const fresh = (privateOrigins: readonly string[] = ['*']): JwtAuthorizer =>
  jwtAuthorizer({ keySets: new KeySets({ fetchJson: fetcher(privateOrigins), nowMs: () => nowMs }), now });

beforeAll(async () => {
  issuer = await TestIssuer.start();
  other = await TestIssuer.start();
  issuer.now = now;
  other.now = now;
});
afterAll(async () => {
  await issuer.stop();
  await other.stop();
});
beforeEach(() => {
  nowMs = 0;
  issuer.asked = 0;
  authorize = fresh();
});
afterEach(() => {
  issuer.failsWith = null;
  issuer.name = null;
});

const rules = (over: Partial<FunctionHttpRouteAuthorizerJwt> = {}): FunctionHttpRouteAuthorizerJwt => ({
  issuer: issuer.url,
  audience: ['pets', 'shop'],
  scopes: [],
  identitySource: '$request.header.Authorization',
  ...over,
});

/** Status and what is said to people; null = let in. */
async function refusal(
  token: string | null,
  over: Partial<FunctionHttpRouteAuthorizerJwt> = {},
  namespace = 'default',
): Promise<unknown> {
  return authorize(namespace, rules(over), token).then(
    () => null,
    (err: unknown) => {
      if (err instanceof AuthorizerFailed) return [err.status, err.detail];
      return err instanceof RouteRefusal ? [err.status, err.message] : err;
    },
  );
}

const seconds = (ahead: number): number => Math.floor(now() / 1000) + ahead;

describe('good tokens', () => {
  test('claims are texts; a token with and without Bearer before it', async () => {
    const token = await issuer.token({ n: 1, groups: ['a', 'b'], address: { city: 'x' }, ok: true });
    const want = { sub: 'me', n: '1', groups: '[a b]', address: '{"city":"x"}', ok: 'true', aud: 'pets' };
    for (const text of [token, `Bearer ${token}`, `bearer  ${token}`]) {
      const found = await authorize('default', rules(), text);
      expect(found).toMatchObject({ kind: 'jwt', scopes: null, claims: want });
    }
    expect(issuer.asked).toBe(1);
  });

  test.each<[reason: string, claims: Record<string, unknown>]>([
    ['one of several audiences', { aud: ['x', 'shop'] }],
    ['client_id where there is no aud', { aud: undefined, client_id: 'pets' }],
    ['clocks that differ a little', { exp: seconds(-3), nbf: seconds(3), iat: seconds(3) }],
  ])('%s', async (_reason, claims) => {
    expect(await refusal(await issuer.token(claims))).toBeNull();
  });

  test.each(['ES256', 'EdDSA', 'PS384', 'RS256'] as const)('signatures by %s', async (alg) => {
    await issuer.rotate(alg);
    expect(await refusal(await issuer.token())).toBeNull();
  });

  test('one of the scopes that the route asks for, as a text or a list', async () => {
    const wanted = { scopes: ['read', 'write'] };
    for (const claims of [{ scope: 'openid write' }, { scp: ['write'] }])
      expect(await authorize('default', rules(wanted), await issuer.token(claims))).toMatchObject({
        scopes: ['write'],
      });
  });
});

describe('bad tokens', () => {
  test.each<[reason: string, token: () => string | null | Promise<string>, want: string]>([
    ['none', () => null, 'the token is missing: $request.header.Authorization'],
    ['an empty one', () => 'Bearer ', 'the token is missing: $request.header.Authorization'],
    ['no token at all', () => 'Bearer abc', 'the token is not valid'],
    ['a long one', () => 'x'.repeat(20_000), 'the token is too long'],
    ['an expired one', () => issuer.token({ exp: seconds(-3600) }), 'the token has expired'],
    ['one without an end', () => issuer.token({ exp: undefined }), "the token's exp is not accepted"],
    ['one of later', () => issuer.token({ nbf: seconds(600) }), "the token's nbf is not accepted"],
    ['one from the future', () => issuer.token({ iat: seconds(600) }), 'the token was issued in the future'],
    ['another issuer', () => issuer.token({ iss: 'https://x' }), "the token's iss is not accepted"],
    ['another audience', () => issuer.token({ aud: 'bank' }), 'the token is for another audience'],
    [
      'client_id beside an aud of somebody else',
      () => issuer.token({ aud: 'bank', client_id: 'pets' }),
      'the token is for another audience',
    ],
    ['no audience', () => issuer.token({ aud: undefined }), 'the token is for another audience'],
    ['a key of another issuer', () => other.token({ iss: issuer.url }), 'the issuer has no such key'],
    ['a signature that was cut', async () => (await issuer.token()).slice(0, -4), "the token's signature is not valid"],
    ['a body that was changed', () => tampered(), "the token's signature is not valid"],
    ['no signature', () => forged({ alg: 'none' }), 'signatures of this algorithm are not accepted'],
    ['a shared secret', () => forged({ alg: 'HS256' }), 'signatures of this algorithm are not accepted'],
  ])('%s', async (_reason, token, want) => {
    expect(await refusal(await token())).toEqual([401, want]);
  });

  test('a scope that is missing is 403, and says which', async () => {
    const err = await authorize('default', rules({ scopes: ['a', 'b'] }), await issuer.token({ scope: 'c' })).catch(
      (e) => e,
    );
    expect(err).toMatchObject({ status: 403, code: 'ForbiddenException' });
    expect(err.headers[1]).toContain('Bearer scope="a b" error="insufficient_scope"');
  });

  async function tampered(): Promise<string> {
    const [header, , signature] = (await issuer.token()).split('.');
    return `${header}.${base64({ iss: issuer.url, aud: 'pets', exp: seconds(600), sub: 'root' })}.${signature}`;
  }

  function forged(header: { readonly alg: string }): string {
    const text = `${base64(header)}.${base64({ iss: issuer.url, aud: 'pets', exp: seconds(600) })}`;
    return `${text}.${header.alg === 'none' ? '' : createHmac('sha256', 'secret').update(text).digest('base64url')}`;
  }
});

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('keys', () => {
  test('rotated: the new key is fetched at once, the old one is not taken any more', async () => {
    const before = await issuer.token();
    expect(await refusal(before)).toBeNull();
    await issuer.rotate('RS256');
    nowMs += 5000;
    expect(await refusal(await issuer.token())).toBeNull();
    expect(await refusal(before)).toEqual([401, 'the issuer has no such key']);
    expect(issuer.asked).toBe(2);
  });

  test('tokens with invented keys do not make the gateway ask each time', async () => {
    await refusal(await issuer.token());
    nowMs += 5000;
    for (let n = 0; n < 20; n += 1) await refusal(await issuer.token({}, { kid: `invented-${n}` }));
    expect(issuer.asked).toBe(2);
  });

  test('many at once ask once', async () => {
    const token = await issuer.token();
    expect(await Promise.all(Array.from({ length: 20 }, () => refusal(token)))).toEqual(Array(20).fill(null));
    expect(issuer.asked).toBe(1);
  });

  test('an issuer that is away: known keys serve on for two hours', async () => {
    const token = await issuer.token();
    expect(await refusal(token)).toBeNull();
    issuer.failsWith = 503;
    nowMs += 119 * MINUTE_MS;
    expect(await refusal(token)).toBeNull();
    nowMs += 2 * MINUTE_MS;
    expect(await refusal(token)).toEqual([500, expect.stringContaining('cannot be fetched')]);
    issuer.failsWith = null;
    nowMs += 5000;
    expect(await refusal(token)).toBeNull();
  });

  test('an issuer that never answered is asked again after a pause', async () => {
    issuer.failsWith = 500;
    const token = await issuer.token();
    const why = `the keys of issuer ${issuer.url} cannot be fetched: ${issuer.url}/.well-known/openid-configuration answered 500`;
    expect(await refusal(token)).toEqual([500, why]);
    issuer.failsWith = null;
    expect(await refusal(token)).toEqual([500, why]);
    nowMs += 5000;
    expect(await refusal(token)).toBeNull();
  });

  test('many issuers of one namespace cost another none of its keys', async () => {
    const token = await issuer.token();
    expect(await refusal(token)).toBeNull();
    const asked = Array.from({ length: 300 }, (_, n) => refusal(token, { issuer: `${other.url}/${n}` }, 'shop'));
    expect(await Promise.all(asked)).toEqual(Array(300).fill([500, expect.stringContaining('another issuer')]));
    expect(await refusal(token)).toBeNull();
    expect(issuer.asked).toBe(1);
  });

  test('an issuer that says it is another', async () => {
    issuer.name = 'https://login.example.com';
    expect(await refusal(await issuer.token())).toEqual([500, expect.stringContaining('that of another issuer')]);
  });
});

test('nothing private is fetched, unless the install names it', async () => {
  authorize = fresh([]);
  expect(await refusal(await issuer.token())).toEqual([500, expect.stringContaining('gateway.privateIssuers')]);
  authorize = fresh([issuer.url]);
  expect(await refusal(await issuer.token())).toBeNull();
  expect(issuer.asked).toBe(1);
});
