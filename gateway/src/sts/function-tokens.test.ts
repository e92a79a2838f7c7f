import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { newToken, roleOfHead } from '../dispatch/role-tokens.ts';
import { routeFunction } from '../registry/routing.ts';
import { roleSource } from '../registry/target-role.ts';
import { functionView, versionView } from '../testing.ts';
import { FunctionTokens } from './function-tokens.ts';

const installKey = generateKeyPairSync('ed25519').privateKey;
const owner = { accountId: '111111111111', roleName: 'r', subject: 'arn:f' };

test('a token is the same for 15 minutes, and taken for an hour', () => {
  let nowMs = 0;
  const tokens = new FunctionTokens({ installKey, now: () => nowMs });
  const token = tokens.tokensOf(owner);
  const first = token();
  nowMs = 899_999;
  expect(token()).toBe(first);
  nowMs = 900_000;
  expect(token()).not.toBe(first);
  nowMs = 3_599_999;
  expect(tokens.ownerOf(first)).toEqual(owner);
  nowMs = 3_600_000;
  expect(tokens.ownerOf(first)).toBeNull();
});

test('another install’s, a session’s or no token at all is nobody’s', () => {
  const now = () => 0;
  const tokens = new FunctionTokens({ installKey, now });
  const elsewhere = new FunctionTokens({ installKey: generateKeyPairSync('ed25519').privateKey, now });
  for (const token of ['', 'x', 'a.b.c', elsewhere.tokensOf(owner)()]) expect(tokens.ownerOf(token)).toBeNull();
});

test('a pod hears of a token once, and of each newer one with the next call', () => {
  let token = 'first';
  const target = { role: { arn: 'arn:r', stsUrl: 'http://kappa', token: () => token } } as Parameters<
    typeof newToken
  >[0];
  const [pod, adopted] = [{}, {}];
  expect(roleOfHead(target, pod)).toEqual({ arn: 'arn:r', stsUrl: 'http://kappa', token: 'first' });
  expect(newToken(target, pod)).toBeUndefined();
  expect([newToken(target, adopted), newToken(target, adopted)]).toEqual(['first', undefined]);
  token = 'second';
  expect([newToken(target, pod), newToken(target, pod)]).toEqual(['second', undefined]);
});

test.each([
  ['its own account’s', 'arn:aws:iam::111111111111:role/path/r', 'arn:aws:iam::111111111111:role/path/r'],
  ['another account’s', 'arn:aws:iam::222222222222:role/r', undefined],
  ['what is no role', 'r', undefined],
  ['none', undefined, undefined],
])('a function is given %s role: %s → %s', (_what, role, expected) => {
  expect(roleOf({ ...(role !== undefined && { role }) })?.arn).toBe(expected);
});

test('a manifest may name the ServiceAccount instead', () => {
  const role = roleOf({ serviceAccountName: 'r' });
  expect(role?.arn).toBe('arn:aws:iam::111111111111:role/r');
  const tokens = new FunctionTokens({ installKey, now: () => 0 });
  expect(tokens.ownerOf(role?.token() ?? '')).toEqual(owner);
  expect(roleOf({ serviceAccountName: 'my-role.nd' })?.arn).toBe('arn:aws:iam::111111111111:role/My_Role');
});

/** The role of a function of 111111111111 whose version says this. */
function roleOf(says: Partial<ReturnType<typeof versionView>>) {
  const version = versionView(says);
  const observed = { fn: functionView(), versions: new Map([[version.name, version]]), aliases: [] };
  const tokens = new FunctionTokens({ installKey, now: () => 0 });
  const routed = routeFunction({ ...observed, accountId: '111111111111' }, null, {
    region: 'us-east-1',
    arnOf: () => 'arn:f',
    environmentOf: () => async () => ({}),
    roleOf: roleSource(tokens, 'http://kappa'),
  });
  return routed.latest?.role;
}
