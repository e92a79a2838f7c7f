import { expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';

import { TestApi, testArn } from '../testing-call.ts';
import { getRecursionConfig, putRecursionConfig } from './recursion.ts';

test('Terminate unless something else was said', async () => {
  const api = new TestApi();
  await api.function();
  const get = () => getRecursionConfig(api.call({ FunctionName: 'f' }), api.deps);
  expect(await get()).toEqual({ RecursiveLoop: 'Terminate' });
  const call = api.call({ FunctionName: 'f', RecursiveLoop: 'Allow' as const });
  expect(await putRecursionConfig(call, api.deps)).toEqual({ RecursiveLoop: 'Allow' });
  expect(await get()).toEqual({ RecursiveLoop: 'Allow' });
  expect((await api.kubernetes.get(functions, 'default', 'f')).spec.recursiveLoop).toBe('Allow');
  await expect(
    putRecursionConfig({ ...call, fn: { ...call.fn, name: 'g', arn: testArn('g') } }, api.deps),
  ).rejects.toThrow(`Function not found: ${testArn('g')}`);
});
