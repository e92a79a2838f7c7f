import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, expect, test } from '@jest/globals';

import type { AccessKey } from '../auth/access-keys.ts';
import { makeAuthenticator } from '../auth/authenticator.ts';
import { rawHeadersOf, sign, testKey } from '../auth/testing.ts';
import { type IssuedCredentials, SessionKeys } from './session-keys.ts';

const startMs = Date.UTC(2026, 10, 21, 12);
const role = { name: 'Deployer', sessionName: 's1', namespace: 'team', objectName: 'deployer.n1', uid: 'uid-1' };
const newKey = () => generateKeyPairSync('ed25519').privateKey;
let nowMs: number;
let known: AccessKey[];
let installKey: ReturnType<typeof newKey>;

const gateway = (key = installKey) => {
  const keys = { find: (id: string) => known.find(({ accessKeyId }) => accessKeyId === id), isKnown: () => true };
  const sessions = new SessionKeys({ installKey: key, keys, now: () => nowMs });
  return { sessions, authenticator: makeAuthenticator({ keys, sessions, region: 'us-east-1', now: () => nowMs }) };
};

beforeEach(() => {
  [nowMs, known, installKey] = [startMs, [{ ...testKey, name: 'team', accounts: ['111111111111'] }], newKey()];
});

/** Signs with session credentials and shows the request to a gateway. */
async function principalOf(
  { accessKeyId, secretAccessKey, sessionToken }: IssuedCredentials,
  { authenticator } = gateway(),
  more: { readonly expiresIn?: number } = {},
) {
  const key = { accessKeyId, secretAccessKey, accounts: null };
  const { method, target, headers } = await sign({ key, sessionToken, atMs: nowMs, ...more });
  return authenticator.begin({ method, target, rawHeaders: rawHeadersOf(headers) }).confirm();
}

test('what one gateway gives out, another one of the install takes, in the header and presigned', async () => {
  const issued = gateway().sessions.issueFor(testKey, 900);
  expect(issued.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect(issued.secretAccessKey).toMatch(/^[\w+/]{40}$/);
  expect(issued.expiresAtMs).toBe(startMs + 900_000);
  const expected = {
    accessKeyId: issued.accessKeyId,
    accounts: ['111111111111'],
    keyName: 'team',
    isSession: true,
  };
  expect(await principalOf(issued)).toEqual(expected);
  expect(await principalOf(issued, gateway(), { expiresIn: 60 })).toEqual(expected);
});

test('a role’s session is its ServiceAccount’s, in its account alone', async () => {
  const issued = gateway().sessions.issueForRole('222222222222', role, 900);
  expect(await principalOf(issued)).toEqual({
    accessKeyId: issued.accessKeyId,
    accounts: ['222222222222'],
    identity: {
      user: 'system:serviceaccount:team:deployer.n1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated'],
      boundTo: { namespace: 'team', name: 'deployer.n1', uid: 'uid-1' },
    },
    role,
    isSession: true,
  });
});

test('it is the same caller each time: caches hang on it', async () => {
  const one = gateway();
  const issued = one.sessions.issueFor(testKey, 900);
  expect(await principalOf(issued, one)).toBe(await principalOf(issued, one));
});

const unrecognized = { code: 'UnrecognizedClientException', status: 403 };

test('a session ends by itself, and with the key that it is of', async () => {
  const issued = gateway().sessions.issueFor(testKey, 900);
  nowMs += 899_000;
  await principalOf(issued);
  nowMs += 1_000;
  await expect(principalOf(issued)).rejects.toMatchObject({ code: 'ExpiredTokenException', status: 403 });
  nowMs = startMs;
  known = [];
  await expect(principalOf(issued)).rejects.toMatchObject(unrecognized);
});

test.each<[string, (issued: IssuedCredentials) => IssuedCredentials]>([
  ['of another install', (issued) => ({ ...issued, ...gateway(newKey()).sessions.issueFor(testKey, 900) })],
  ['with another id', (issued) => ({ ...issued, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA' })],
  ['with the id of an access key', (issued) => ({ ...issued, accessKeyId: testKey.accessKeyId })],
  ['cut short', (issued) => ({ ...issued, sessionToken: issued.sessionToken.slice(0, -4) })],
  ['too short for anything', (issued) => ({ ...issued, sessionToken: 'abcd' })],
  ['no base64', (issued) => ({ ...issued, sessionToken: '%%%%' })],
  ['in another spelling', (issued) => ({ ...issued, sessionToken: `${issued.sessionToken}=` })],
])('a token is refused: %s', async (_what, change) => {
  const issued = change(gateway().sessions.issueFor(testKey, 900));
  await expect(principalOf(issued)).rejects.toMatchObject(unrecognized);
});

test('every changed character of a token is noticed', async () => {
  const { sessions } = gateway();
  const { sessionToken } = sessions.issueFor(testKey, 900);
  for (let at = 0; at < sessionToken.length; at += 1) {
    const other = sessionToken[at] === 'A' ? 'B' : 'A';
    expect(sessions.find(`${sessionToken.slice(0, at)}${other}${sessionToken.slice(at + 1)}`)).toBeUndefined();
  }
});

test('a token with another secret, and a secret without its token', async () => {
  const issued = gateway().sessions.issueFor(testKey, 900);
  await expect(principalOf({ ...issued, secretAccessKey: 'x'.repeat(40) })).rejects.toMatchObject({
    code: 'InvalidSignatureException',
  });
  const key = { accessKeyId: issued.accessKeyId, secretAccessKey: issued.secretAccessKey, accounts: null };
  const { method, target, headers } = await sign({ key, atMs: nowMs });
  const begin = () => gateway().authenticator.begin({ method, target, rawHeaders: rawHeadersOf(headers) });
  expect(begin).toThrow(expect.objectContaining(unrecognized));
});

test('a token that is not signed, or there twice', async () => {
  const { accessKeyId, secretAccessKey, sessionToken } = gateway().sessions.issueFor(testKey, 900);
  const key = { accessKeyId, secretAccessKey, accounts: null };
  const { method, target, headers } = await sign({ key, atMs: nowMs });
  for (const times of [1, 2]) {
    const tokens = Array.from({ length: times }, () => ['X-Amz-Security-Token', sessionToken]).flat();
    const rawHeaders = [...rawHeadersOf(headers), ...tokens];
    expect(() => gateway().authenticator.begin({ method, target, rawHeaders })).toThrow(
      expect.objectContaining({ code: 'IncompleteSignatureException' }),
    );
  }
});
