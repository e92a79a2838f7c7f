import { beforeEach, expect, test } from '@jest/globals';
import { functions, functionVersions } from '@kappa/crds/client/kinds';

import { TestApi, testArn } from '../testing-call.ts';
import { getRuntimeManagementConfig, putRuntimeManagementConfig } from './configs.ts';
import { parseManaged } from './managed-runtimes.ts';

const pinned = 'arn:aws:lambda:us-east-1::runtime:abc';
let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', { compatibility: { TracingConfig: '{"Mode":"Active"}' } }, 2);
  api.alias('live', '1');
});

const put = (input: object, qualifier: string | null = null) =>
  putRuntimeManagementConfig(
    api.call({ FunctionName: 'f', UpdateRuntimeOn: 'Auto' as const, ...input }, 'f', qualifier),
    api.deps,
  );
const get = (qualifier: string | null = null) =>
  getRuntimeManagementConfig(api.call({ FunctionName: 'f' }, 'f', qualifier), api.deps);
const kept = async () => (await api.kubernetes.get(functions, 'default', 'f')).spec.compatibility;

test('each version has its own; Auto is what nobody said', async () => {
  expect(await get()).toEqual({ UpdateRuntimeOn: 'Auto', FunctionArn: `${testArn('f')}:$LATEST` });
  await put({ UpdateRuntimeOn: 'FunctionUpdate' });
  const manual = { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: pinned };
  expect(await put(manual, '1')).toEqual({ ...manual, FunctionArn: `${testArn('f')}:1` });
  expect(await get('1')).toEqual({ ...manual, FunctionArn: `${testArn('f')}:1` });
  expect(await get()).toMatchObject({ UpdateRuntimeOn: 'FunctionUpdate' });
  expect(await get('2')).toMatchObject({ UpdateRuntimeOn: 'Auto' });
});

test('beside what else is kept; Auto and versions that are gone leave nothing', async () => {
  await put({ UpdateRuntimeOn: 'FunctionUpdate' }, '1');
  await put({ UpdateRuntimeOn: 'FunctionUpdate' }, '2');
  await api.kubernetes.delete(functionVersions, 'default', 'f-v2');
  await put({ UpdateRuntimeOn: 'FunctionUpdate' });
  expect(Object.keys(JSON.parse((await kept())?.['RuntimeManagement'] ?? ''))).toEqual(['1', '$LATEST']);
  await put({});
  await put({}, '1');
  expect(await kept()).toEqual({ TracingConfig: '{"Mode":"Active"}' });
});

test.each<[reason: string, run: () => Promise<unknown>, text: string]>([
  ['Manual without a version', () => put({ UpdateRuntimeOn: 'Manual' }), 'RuntimeVersionArn is required'],
  ['a version without Manual', () => put({ RuntimeVersionArn: pinned }), 'only for UpdateRuntimeOn Manual'],
  ['an alias', () => get('live'), 'must be $LATEST or a number'],
  ['no such version', () => get('3'), `Function not found: ${testArn('f')}:3`],
])('refused: %s', async (_reason, run, text) => {
  await expect(run()).rejects.toThrow(text);
});

test('what kubectl wrote wrongly is not there', () => {
  for (const json of [undefined, 'no JSON', '[]', '{"1":5}', '{"1":{"UpdateRuntimeOn":"Never"}}'])
    expect(parseManaged(json).size).toBe(0);
});
