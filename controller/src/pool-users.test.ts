import { expect, test } from '@jest/globals';
import { imagePoolName } from '@kappa/crds/image-pool';
import { makeFunction } from './function/testing.ts';
import { summarizeFunction, type VersionSummary } from './observed.ts';
import { PoolUsers } from './pool-users.ts';

const ofPool = { namespace: 'default', reference: 'registry.example/cart@sha256:ab', memoryMiB: 128 };
const pool = imagePoolName(ofPool);
const snapshot = { uri: 'registry.example/cart', reference: ofPool.reference, entryPoint: [], command: ['x'] };
const version = (overrides: Partial<VersionSummary> = {}): VersionSummary => ({
  namespace: 'default',
  name: 'hello-1',
  functionName: 'hello',
  version: '$LATEST',
  memoryMiB: 128,
  image: { pool, ofPool, snapshot },
  ...overrides,
});
const fn = summarizeFunction(makeFunction());

test('a runtime is used by its functions', () => {
  const users = new PoolUsers();
  expect(users.setFunction('default/hello', fn)).toEqual(['nodejs24.x']);
  expect(users.setFunction('default/hello', fn)).toEqual([]);
  expect([users.isUsed('nodejs24.x'), users.imageOf('nodejs24.x')]).toEqual([true, null]);
  expect(users.setFunction('default/hello', { ...fn, runtime: null })).toEqual(['nodejs24.x']);
  expect(users.isUsed('nodejs24.x')).toBe(false);
});

test('an image is used by its versions, the published ones too', () => {
  const users = new PoolUsers();
  expect(users.setVersion('default/hello-1', version())).toEqual([pool]);
  expect(users.setVersion('default/hello-v1', version({ name: 'hello-v1', version: '1' }))).toEqual([pool]);
  expect(users.setVersion('default/zip-1', version({ name: 'zip-1', functionName: 'zip', image: null }))).toEqual([]);
  expect([users.isUsed(pool), users.imageOf(pool), users.pools()]).toEqual([true, ofPool, [pool]]);
  expect([...users.functionsOf(pool)]).toEqual(['default/hello']);
  expect(users.latestImagesOf({ namespace: 'default', name: 'hello' })).toEqual([snapshot]);
  users.setVersion('default/hello-1', null);
  expect([users.isUsed(pool), users.latestImagesOf({ namespace: 'default', name: 'hello' })]).toEqual([true, []]);
  expect(users.setVersion('default/hello-v1', null)).toEqual([pool]);
  expect([users.isUsed(pool), users.imageOf(pool), users.functionsOf(pool).size]).toEqual([false, null, 0]);
});
