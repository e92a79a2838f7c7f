import { expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';

import type { ApiDeps, OperationCall } from '../call.ts';
import { TestApi } from '../testing-call.ts';
import { deleteProvisionedConcurrency, putProvisionedConcurrency } from './provisioned.ts';
import { deleteFunctionConcurrency, putFunctionConcurrency } from './reserved.ts';

/** Any of the operations that write spec.concurrency. */
type Write = (api: TestApi) => Promise<unknown>;
const by =
  <Input>(run: (call: OperationCall<Input>, deps: ApiDeps) => Promise<unknown>, input: Input): Write =>
  (api) =>
    run(api.call(input, 'f', '1'), api.deps);
const unqualified =
  <Input>(run: (call: OperationCall<Input>, deps: ApiDeps) => Promise<unknown>, input: Input): Write =>
  (api) =>
    run(api.call(input), api.deps);
const FunctionName = 'f';
const queue = { onLimit: 'Queue', maxQueueSeconds: 60, maxQueued: 5 };

test.each<[operation: string, write: Write]>([
  ['PutFunctionConcurrency', unqualified(putFunctionConcurrency, { FunctionName, ReservedConcurrentExecutions: 3 })],
  ['DeleteFunctionConcurrency', unqualified(deleteFunctionConcurrency, { FunctionName })],
  [
    'PutProvisionedConcurrencyConfig',
    by(putProvisionedConcurrency, { FunctionName, Qualifier: '1', ProvisionedConcurrentExecutions: 1 }),
  ],
  ['DeleteProvisionedConcurrencyConfig', by(deleteProvisionedConcurrency, { FunctionName, Qualifier: '1' })],
])('%s leaves what Lambda does not know as it is', async (_operation, write) => {
  const api = new TestApi();
  await api.function('f', { concurrency: { reserved: 2, ...queue } }, 1);
  await write(api);
  const { spec } = await api.kubernetes.get(functions, 'default', 'f');
  expect(spec.concurrency).toMatchObject(queue);
});
