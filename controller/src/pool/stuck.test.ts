import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { namespaces, type Pod, pods, pools } from '@kappa/crds/client/kinds';
import { functionLabel, poolLabel, stateLabel } from '@kappa/crds/labels';
import { type PodSummary, type PoolSummary, summarizePod, summarizePool } from '../observed.ts';
import { runEntry, startApi, type TestApi } from '../setup/testing.ts';
import { PoolMemory } from './memory.ts';
import { type PodObserved, planPool } from './plan.ts';
import { type PoolWorld, reconcilePool } from './reconcile.ts';
import { makePool } from './resources.ts';
import { isStillStuck } from './stuck.ts';
import { pacing, pod, pool } from './testing.ts';

const now = 1_000_000;
const ending = { isReady: false, isTerminating: true, terminatingSinceMs: now - 60_000 } as const;

test.each<[reason: string, overrides: Partial<PodObserved>, isHastened: boolean, requeueAfterMs: number | null]>([
  ['a pod that runs is left', {}, false, null],
  ['one that is told to end has time', { ...ending, terminatingSinceMs: now - 59_000 }, false, 1_000],
  ['and is told again when it does not', ending, true, null],
  ['though it gets ready meanwhile', { ...ending, isReady: true }, true, null],
  ['or its image is not there yet', { ...ending, phase: 'Pending' }, true, null],
  ['once', { ...ending, terminatingSinceMs: null }, false, null],
  ['one that was claimed keeps its grace', { ...ending, state: 'claimed' }, false, null],
  ['one that has ended is left', { ...ending, phase: 'Failed' }, false, null],
])('stuck pods: %s', (_reason, overrides, isHastened, requeueAfterMs) => {
  const plan = planPool(pool({ pods: [pod(1), pod(2), pod(3, overrides)], maxPods: 3, replicas: 3 }), pacing, now);
  expect(plan.hasten).toEqual(isHastened ? [{ name: 'p-3', uid: 'uid-3' }] : []);
  expect(plan.remove).toEqual([]);
  expect(plan.requeueAfterMs).toBe(requeueAfterMs);
});

test.each<[reason: string, metadata: Partial<Pod['metadata']>, want: boolean]>([
  ['as it was seen', {}, true],
  ['another pod under the same name', { uid: 'another' }, false],
  ['nobody has told it to end', { deletionTimestampMs: null }, false],
  ['claimed since', { labels: { [stateLabel]: 'claimed', [functionLabel]: 'f' } }, false],
  ['a function is named on it', { labels: { [stateLabel]: 'generic', [functionLabel]: 'f' } }, false],
  ['nobody knows what it is', { labels: {} }, false],
])('asked again right before: %s', (_reason, metadata, want) => {
  const found = { uid: 'u', deletionTimestampMs: now, labels: { [stateLabel]: 'generic' }, ...metadata };
  expect(isStillStuck(found, 'u')).toBe(want);
});

describe('on an API server', () => {
  const namespace = 'kappa-functions';
  const name = 'nodejs24.x';
  let api: TestApi;
  let memory: PoolMemory;
  let cache: readonly PodSummary[] = [];
  let summary: PoolSummary;
  let nowMs = now;

  beforeAll(async () => {
    api = await startApi();
    for (const each of ['kappa-system', namespace])
      await api.kubernetes.apply(namespaces, { metadata: { name: each } }, 'test');
    expect(await runEntry('main.ts', { KUBECONFIG: api.kubeconfig, KAPPA_NAMESPACE: 'kappa-system' })).toBe(0);
    await api.kubernetes.create(pools, makePool(name, 0, namespace));
    summary = summarizePool(await api.kubernetes.get(pools, namespace, name));
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    memory = new PoolMemory(now);
    cache = [];
    nowMs = now;
  });

  /** A pod on a node that has nobody to end it, told to end. */
  async function makeEndingPod(podName: string): Promise<void> {
    await api.kubernetes.create(pods, {
      metadata: { name: podName, namespace, labels: { [poolLabel]: name, [stateLabel]: 'generic' } },
      spec: {
        nodeName: 'node-1',
        terminationGracePeriodSeconds: 960,
        containers: [{ name: 'runtime', image: 'none' }],
      },
    });
    await api.kubernetes.delete(pods, namespace, podName);
  }

  /** What the watch would do: the cache is as the API server is now. */
  async function see(): Promise<void> {
    const found = (await api.kubernetes.list(pods, { namespace })).map(summarizePod);
    for (const each of found) {
      const before = cache.find(({ uid }) => uid === each.uid) ?? null;
      memory.sawPod(before, each, nowMs);
    }
    cache = found;
  }

  const reconcile = (): ReturnType<typeof reconcilePool> => {
    const { kubernetes } = api;
    const images = { imagePrefix: '', imageSuffix: '', pullSecrets: [] };
    const settings = {
      namespace,
      region: '',
      ...images,
      priorityClass: '',
      maxUnpackedBytes: 1,
      agentImage: '',
      tmp: { sizeMiB: 512, isInMemory: false },
    };
    const runtime = { id: name, image: 'none', freshProcess: [], executionEnvironment: '' } as const;
    const world: PoolWorld = {
      kubernetes,
      find: () => summary,
      isUsed: () => false,
      imageOf: () => null,
      podsOf: () => cache,
      orphanOf: () => null,
      memoryMiBOf: () => null,
      memoryOf: () => memory,
      runtimes: new Map([[name, runtime]]),
      settings,
      gatewayKey: () => 'key',
      pacing,
      minReplicas: 0,
      nowMs: () => nowMs,
    };
    return reconcilePool(name, world);
  };

  async function graceLeftMs(podName: string): Promise<number> {
    const { metadata } = await api.kubernetes.get(pods, namespace, podName);
    return (metadata.deletionTimestampMs ?? 0) - Date.now();
  }

  test('a pod that does not hear that it is to end gives its room back', async () => {
    await makeEndingPod('deaf');
    await see();
    expect(await reconcile()).toMatchObject({ requeueAfterMs: 60_000 });
    expect(await graceLeftMs('deaf')).toBeGreaterThan(900_000);
    nowMs += 60_000;
    await reconcile();
    await expect(api.kubernetes.get(pods, namespace, 'deaf')).rejects.toThrow('404');
    expect(memory.terminatingSinceMs(cache[0]?.uid ?? '')).toBeNull();
  });

  test('one whose claim the cache has not seen yet keeps its grace', async () => {
    await makeEndingPod('claimed');
    await see();
    nowMs += 60_000;
    await api.kubernetes.patch(pods, namespace, 'claimed', {
      metadata: { labels: { [stateLabel]: 'claimed', [functionLabel]: 'hello' } },
    });
    await reconcile();
    expect(await graceLeftMs('claimed')).toBeGreaterThan(900_000);
    await api.kubernetes.delete(pods, namespace, 'claimed', { graceSeconds: 0 });
  });

  test('one that has gone meanwhile is no problem', async () => {
    await makeEndingPod('gone');
    await see();
    nowMs += 60_000;
    await api.kubernetes.delete(pods, namespace, 'gone', { graceSeconds: 0 });
    await expect(reconcile()).resolves.toBeDefined();
  });
});
