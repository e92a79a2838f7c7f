import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { functions, namespaces, pods, pools } from '@kappa/crds/client/kinds';
import { poolLabel } from '@kappa/crds/labels';
import { makePool } from '../pool/resources.ts';
import { endPools } from './end-pools.ts';
import { minimalFunction, quickly, runEntry, startApi, type TestApi } from './testing.ts';

let api: TestApi;
const namespace = 'kappa-system';
const poolNamespace = 'kappa-functions';
const ending = { namespace, poolNamespace, graceSeconds: 60 };
const realMs = (): number => performance.now();

beforeAll(async () => {
  api = await startApi();
  for (const name of [namespace, poolNamespace]) await api.kubernetes.apply(namespaces, { metadata: { name } }, 'test');
  expect(await runEntry('main.ts', { KUBECONFIG: api.kubeconfig, KAPPA_NAMESPACE: namespace })).toBe(0);
});
afterAll(() => api.stop());

/** A pod without a node goes when it is deleted; one on a node stays until its kubelet has ended it: here there is none. */
async function makePod(name: string, { node = '', isPool = true } = {}): Promise<void> {
  await api.kubernetes.create(pods, {
    metadata: { name, namespace: poolNamespace, labels: isPool ? { [poolLabel]: 'nodejs24.x' } : {} },
    spec: { containers: [{ name: 'runtime', image: 'none' }], ...(node !== '' && { nodeName: node }) },
  });
}

const names = async (): Promise<readonly string[]> =>
  (await api.kubernetes.list(pods, { namespace: poolNamespace })).map(({ metadata }) => metadata.name);

describe('before an uninstall', () => {
  test('pools and their pods go; functions and what else is in the namespace stay', async () => {
    await api.kubernetes.create(functions, minimalFunction('kept'));
    await api.kubernetes.create(pools, makePool('nodejs24.x', 2, poolNamespace));
    await makePod('idle-1');
    await makePod('idle-2');
    await makePod('foreign', { isPool: false });
    await endPools(api.kubernetes, ending, quickly(), realMs);
    expect(await api.kubernetes.list(pools)).toEqual([]);
    expect(await names()).toEqual(['foreign']);
    expect((await api.kubernetes.get(functions, 'default', 'kept')).metadata.deletionTimestampMs).toBeNull();
  });

  test('a busy pod gets the grace, and only its object is removed when its node never answers', async () => {
    await makePod('busy', { node: 'lost' });
    let nowMs = 0;
    const ended = endPools(api.kubernetes, ending, quickly(), () => nowMs);
    await quickly().until('it is told to end', async () => {
      const { metadata } = await api.kubernetes.get(pods, poolNamespace, 'busy');
      return (metadata.deletionTimestampMs ?? 0) > Date.now() + 30_000;
    });
    nowMs = 75_000;
    await ended;
    expect(await names()).not.toContain('busy');
  });

  test('it says so when a pod does not go', async () => {
    await makePod('stuck', { node: 'lost' });
    await expect(endPools(api.kubernetes, ending, quickly(100), () => 0)).rejects.toThrow('in vain');
    await api.kubernetes.delete(pods, poolNamespace, 'stuck', { graceSeconds: 0 });
  });

  test('the hook ends what is there', async () => {
    await makePod('idle');
    const env = { KUBECONFIG: api.kubeconfig, KAPPA_NAMESPACE: namespace, KAPPA_POOL_NAMESPACE: poolNamespace };
    expect(await runEntry('uninstall.ts', env)).toBe(0);
    expect(await names()).not.toContain('idle');
  });

  test('the hook never holds an uninstall up by failing', async () => {
    expect(await runEntry('uninstall.ts', { KUBECONFIG: '/nowhere' })).toBe(0);
  });
});
