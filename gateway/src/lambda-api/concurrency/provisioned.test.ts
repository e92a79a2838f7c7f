import { beforeEach, describe, expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';

import type { PoolPod } from '../../dispatch/types.ts';
import type { AliasView, VersionView } from '../../registry/views.ts';
import { versionView } from '../../testing.ts';
import { deleteAlias } from '../aliases/aliases.ts';
import { deleteFunction } from '../functions/delete.ts';
import { TestApi, testArn } from '../testing-call.ts';
import {
  deleteProvisionedConcurrency,
  getProvisionedConcurrency,
  listProvisionedConcurrency,
  putProvisionedConcurrency,
} from './provisioned.ts';
import { putFunctionConcurrency } from './reserved.ts';

let api: TestApi;
/** By version uid. */
let pods: Map<string, PoolPod[]>;
beforeEach(async () => {
  pods = new Map();
  api = new TestApi();
  Object.assign(api.deps.directory, { podsOf: (uid: string) => pods.get(uid) ?? [] });
  await api.function('f', {}, 2);
  api.alias('live', '1');
  seen([alias('live', '1')]);
});

const version = (number: string): VersionView =>
  versionView({ uid: `v${number}`, name: `f-v${number}`, functionObjectName: 'f', version: number });

function alias(name: string, to: string, additional: AliasView['additional'] = null): AliasView {
  const fixed = { namespace: 'default', functionObjectName: 'f', generation: 1, createdMs: 0, description: '' };
  return { ...fixed, http: null, name: `f.a.${name}`, uid: `uid-${name}`, alias: name, version: to, additional };
}

function seen(aliases: AliasView[]): void {
  api.sights.set('default/f', { versions: [version('1'), version('2')], aliases });
}

function pod(change: Partial<PoolPod> = {}): PoolPod {
  const place = { name: 'p', uid: 'u', ip: '127.0.0.1', zone: '', pool: 'nodejs24.x' };
  return { ...place, ready: true, terminating: false, state: 'claimed', versionUid: 'v1', ...change };
}

const put = (qualifier: string, executions: number) =>
  putProvisionedConcurrency(
    api.call({ FunctionName: 'f', Qualifier: qualifier, ProvisionedConcurrentExecutions: executions }, 'f', qualifier),
    api.deps,
  );
const get = (qualifier: string) =>
  getProvisionedConcurrency(api.call({ FunctionName: 'f', Qualifier: qualifier }, 'f', qualifier), api.deps);
const remove = (qualifier: string) =>
  deleteProvisionedConcurrency(api.call({ FunctionName: 'f', Qualifier: qualifier }, 'f', qualifier), api.deps);
const concurrency = async () => (await api.kubernetes.get(functions, 'default', 'f')).spec.concurrency;
const numbers = (requested: number, allocated: number, available: number, status: string) => ({
  RequestedProvisionedConcurrentExecutions: requested,
  AllocatedProvisionedConcurrentExecutions: allocated,
  AvailableProvisionedConcurrentExecutions: available,
  Status: status,
});

test('what is asked for is kept in the Function, and answered as it is now', async () => {
  expect(await put('1', 2)).toEqual({ ...numbers(2, 0, 0, 'IN_PROGRESS'), LastModified: '2026-11-22T01:02:03+0000' });
  expect((await concurrency()).provisionedByQualifier).toEqual([
    { qualifier: '1', executions: 2, lastModified: '2026-11-22T01:02:03.000Z' },
  ]);
  pods.set('v1', [pod(), pod({ ready: false })]);
  expect(await get('1')).toMatchObject(numbers(2, 2, 1, 'IN_PROGRESS'));
  pods.set('v1', [pod(), pod(), pod()]);
  expect(await get('1')).toMatchObject(numbers(2, 2, 2, 'READY'));
  expect(await put('1', 3)).toMatchObject(numbers(3, 3, 3, 'READY'));
});

test('pods that end, and those whose init has failed, are not there', async () => {
  await put('1', 1);
  pods.set('v1', [pod({ terminating: true })]);
  expect(await get('1')).toMatchObject(numbers(1, 0, 0, 'IN_PROGRESS'));
  pods.set('v1', [pod({ initError: 'Runtime.ImportModuleError', terminating: true })]);
  expect(await get('1')).toMatchObject({
    ...numbers(1, 0, 0, 'FAILED'),
    StatusReason: 'FUNCTION_ERROR_INIT_FAILURE',
  });
  pods.set('v1', [pod({ initError: 'Runtime.ImportModuleError', terminating: true }), pod()]);
  expect(await get('1')).toMatchObject(numbers(1, 1, 1, 'READY'));
});

test('an alias counts the pods of both its versions, each up to its share', async () => {
  await put('live', 4);
  seen([alias('live', '1', { version: '2', weight: 0.25 })]);
  pods.set('v1', [pod(), pod(), pod(), pod()]);
  expect(await get('live')).toMatchObject(numbers(4, 3, 3, 'IN_PROGRESS'));
  pods.set('v2', [pod()]);
  expect(await get('live')).toMatchObject(numbers(4, 4, 4, 'READY'));
});

test('a pod counts once, also when two aliases want the same version', async () => {
  api.alias('blue', '1');
  seen([alias('live', '1'), alias('blue', '1')]);
  await put('live', 2);
  await put('blue', 2);
  pods.set('v1', [pod(), pod(), pod()]);
  expect(await get('blue')).toMatchObject(numbers(2, 2, 2, 'READY'));
  expect(await get('live')).toMatchObject(numbers(2, 1, 1, 'IN_PROGRESS'));
});

test('lists, versions before aliases', async () => {
  await put('live', 1);
  await put('2', 1);
  const call = (input: object) => listProvisionedConcurrency(api.call({ FunctionName: 'f', ...input }, 'f'), api.deps);
  const first = await call({ MaxItems: 1 });
  expect(first.ProvisionedConcurrencyConfigs).toEqual([
    { FunctionArn: `${testArn('f')}:2`, ...numbers(1, 0, 0, 'IN_PROGRESS'), LastModified: expect.any(String) },
  ]);
  const rest = await call({ Marker: first.NextMarker });
  expect(rest.ProvisionedConcurrencyConfigs?.map(({ FunctionArn }) => FunctionArn)).toEqual([`${testArn('f')}:live`]);
});

test('delete takes it away; there is no need for it to be there', async () => {
  await put('1', 1);
  await remove('1');
  await remove('1');
  expect(await concurrency()).toEqual({ provisioned: 0, perInstance: 1 });
  await expect(get('1')).rejects.toMatchObject({
    code: 'ProvisionedConcurrencyConfigNotFoundException',
    message: 'No Provisioned Concurrency Config found for this function',
  });
});

test('it goes with its alias, and with its version', async () => {
  await put('live', 1);
  await put('2', 1);
  await deleteAlias(api.call({ FunctionName: 'f', Name: 'live' }), api.deps);
  expect((await concurrency()).provisionedByQualifier?.map(({ qualifier }) => qualifier)).toEqual(['2']);
  await deleteFunction(api.call({ FunctionName: 'f', Qualifier: '2' }, 'f', '2'), api.deps);
  expect(await concurrency()).not.toHaveProperty('provisionedByQualifier');
});

describe('refusals', () => {
  const unpublished = 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.';

  test.each<[reason: string, run: () => Promise<unknown>, text: string]>([
    ['$LATEST', () => put('$LATEST', 1), unpublished],
    ['to read $LATEST', () => get('$LATEST'), 'must be an alias or a published version'],
    ['to delete $LATEST', () => remove('$LATEST'), 'must be an alias or a published version'],
    ['a version that is not there', () => put('9', 1), `Function not found: ${testArn('f')}:9`],
    ['all of the account', () => put('1', 950), 'below its minimum value of [100]'],
    ['more than the account has', () => put('1', 1001), "greater than account's unreserved concurrency [1000]"],
  ])('%s', async (_reason, run, text) => {
    await expect(run()).rejects.toThrow(text);
  });

  test('a version whose pods run several invocations at once, by number or as the second one of an alias', async () => {
    await api.function('f', { concurrency: { provisioned: 0, perInstance: 10 } }, 2);
    await api.function('f', {}, 1); // the Function takes one at a time again, and so does its version 1
    const text = 'version 2 takes 10 (perInstance)';
    await expect(put('2', 1)).rejects.toThrow(text);
    const additionalVersion = { functionVersion: '2', weightPercent: 10 };
    const spec = { functionName: 'f', name: 'live', functionVersion: '1', additionalVersion };
    api.kubernetes.set('aliases', 'default', 'f.a.live', { spec });
    await expect(put('live', 1)).rejects.toThrow(text);
    await put('1', 1);
  });

  test('an alias of $LATEST', async () => {
    api.alias('tip', '$LATEST');
    await expect(put('tip', 1)).rejects.toThrow(unpublished);
  });

  test('a version and an alias of it at once', async () => {
    await put('1', 1);
    await expect(put('live', 1)).rejects.toThrow("Alias can't be used for Provisioned Concurrency configuration");
    await remove('1');
    await put('live', 1);
    await expect(put('1', 1)).rejects.toThrow('Version is pointed by a Provisioned Concurrency alias');
    await put('2', 1);
  });

  test('more than is reserved, and less reserved than that', async () => {
    const reserve = (ReservedConcurrentExecutions: number) =>
      putFunctionConcurrency(api.call({ FunctionName: 'f', ReservedConcurrentExecutions }), api.deps);
    await reserve(5);
    await put('1', 3);
    await expect(put('2', 3)).rejects.toThrow('should not be greater than the reservedConcurrentExecution');
    await put('2', 2);
    await expect(reserve(4)).rejects.toThrow("function's total provisioned concurrency [5]");
  });
});

test('an alias that has moved to a version of several at once in a pod leaves FAILED', async () => {
  await put('live', 1);
  api.sights.set('default/f', { versions: [{ ...version('1'), perInstance: 10 }], aliases: [alias('live', '1')] });
  expect(await get('live')).toMatchObject({ Status: 'FAILED', StatusReason: expect.stringContaining('perInstance') });
});

test('an alias that kubectl took away leaves FAILED, not silence', async () => {
  await put('live', 1);
  seen([]);
  const list = await listProvisionedConcurrency(api.call({ FunctionName: 'f' }), api.deps);
  expect(list.ProvisionedConcurrencyConfigs).toMatchObject([
    { Status: 'FAILED', StatusReason: expect.stringContaining('does not exist') },
  ]);
});
