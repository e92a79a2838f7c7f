import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';
import { FakeApi } from '@kappa/crds/client/testing';
import { ManualClock } from '../dispatch/testing.ts';
import { epochRecord, takeEpoch } from './owner-epoch.ts';

const collection = '/api/v1/namespaces/pools/configmaps';
let api: FakeApi;
let kubernetes: Kubernetes;
let clock: ManualClock;
let problems: unknown[];
beforeEach(async () => {
  api = await new FakeApi().start();
  kubernetes = connect(api.kubeconfig);
  clock = new ManualClock();
  problems = [];
});
afterEach(() => api.stop());

const take = (wallMs: number): Promise<number> =>
  takeEpoch({
    kubernetes,
    namespace: 'pools',
    wallMs,
    schedule: clock.after,
    onProblem: (problem) => problems.push(problem),
  });

test('it is the wall clock, and rises also when that has stepped back', async () => {
  const epochs = [await take(1_000), await take(5_000), await take(2_000), await take(2_000), await take(6_000)];
  expect(epochs).toEqual([1_000, 5_000, 5_001, 5_002, 6_000]);
  expect(problems).toEqual([]);
});

test('gateways that start at the same time have different ones', async () => {
  const epochs = await Promise.all([1, 2, 3, 4].map(() => take(1_000)));
  expect(epochs.sort()).toEqual([1_000, 1_001, 1_002, 1_003]);
});

test.each(['reset', 'close', { status: 503 }, { status: 403 }] as const)(
  'an API that answers with %j does not keep the gateway from starting',
  async (fault) => {
    api.fail('call', fault, fault, fault);
    expect(await take(1_000)).toBe(1_000);
    expect(problems).toHaveLength(1);
  },
);

test('nor does one that is silent for two seconds', async () => {
  api.fail('call', 'silent');
  const epoch = take(1_000);
  clock.advance(2_000);
  expect(await epoch).toBe(1_000);
  expect(problems).toMatchObject([{ message: expect.stringContaining('did not answer within 2 s') }]);
});

test('a record that says nothing counts as none', async () => {
  api.put(collection, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: epochRecord }, data: { epoch: 'x' } });
  expect(await take(1_000)).toBe(1_000);
  expect(await take(500)).toBe(1_001);
});
