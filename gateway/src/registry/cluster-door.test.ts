import { expect, test } from '@jest/globals';
import { isUnavailable, KubernetesError } from '@kappa/crds/client/errors';
import type { Pod } from '@kappa/crds/client/kinds';

import type { PoolPod } from '../dispatch/types.ts';
import { routed } from '../testing.ts';
import { claimPatch, clusterDoor } from './cluster-door.ts';
import { resizePatch } from './cluster-door-resize.ts';
import { RetryQueue } from './retry-queue.ts';

const { latest: target } = routed();
if (target === null) throw new Error('hello has a version');

test('claimPatch: labels fit their limit, annotations say the whole names', () => {
  const long = `${'a'.repeat(140)}-bbbbbbbbbb`;
  expect(claimPatch({ ...target, versionName: long })).toEqual({
    metadata: {
      labels: {
        'kappa.dev/state': 'claimed',
        'kappa.dev/function': 'hello',
        'kappa.dev/function-namespace': 'default',
        'kappa.dev/version': expect.stringMatching(/^a+_[0-9a-f]{10}$/),
        'kappa.dev/account': '000000000000',
      },
      annotations: {
        'kappa.dev/version-uid': 'uid-a',
        'kappa.dev/version-name': long,
        'kappa.dev/function-name': 'hello',
      },
    },
  });
});

const pod = (resources: object) =>
  ({
    spec: { containers: [{ name: 'runtime', image: 'kappa/runtime-nodejs:24', resources }, { name: 'other' }] },
  }) as unknown as Pod;

test.each<[memoryMiB: number, limits: object, requests: object]>([
  [128, { memory: '128Mi', cpu: '73m' }, { memory: '128Mi', cpu: '36m' }],
  [1769, { memory: '1769Mi', cpu: '1000m' }, { memory: '1769Mi', cpu: '500m' }],
  [10_240, { memory: '10240Mi', cpu: '5789m' }, { memory: '10240Mi', cpu: '2894m' }],
])('resizePatch: %i MiB', (memoryMiB, limits, requests) => {
  expect(resizePatch(pod({ requests: { cpu: '10m' }, limits: { memory: '1Gi' } }), memoryMiB)).toEqual({
    spec: {
      containers: [
        { name: 'runtime', image: 'kappa/runtime-nodejs:24', resources: { limits, requests } },
        { name: 'other' },
      ],
    },
  });
});

test.each<[text: string, memoryMiB: number, resources: object]>([
  ['a pod of that size', 128, { limits: { memory: '128Mi', cpu: '73m' }, requests: { memory: '128Mi', cpu: '36m' } }],
  [
    'in the API server’s own words',
    1769 * 2,
    { limits: { memory: '3538Mi', cpu: '2' }, requests: { memory: '3538Mi', cpu: '1' } },
  ],
])('resizePatch: %s is left alone', (_text, memoryMiB, resources) => {
  expect(resizePatch(pod(resources), memoryMiB)).toBeNull();
});

test('resizePatch: never below what the pod was made with asks for, and still Burstable', () => {
  const made = { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } };
  expect(resizePatch(pod(made), 128)).toMatchObject({
    spec: {
      containers: [
        {
          resources: { limits: { memory: '1024Mi', cpu: '1001m' }, requests: { memory: '1024Mi', cpu: '1000m' } },
        },
        { name: 'other' },
      ],
    },
  });
});

/** A cluster of one pod and one pool; `refuse` is asked before each patch. */
function startDoor(refuse: (subresource: string) => KubernetesError | null) {
  const calls: string[] = [];
  const patches: object[] = [];
  const refusals: string[] = [];
  const problems: unknown[] = [];
  const pool = { metadata: { resourceVersion: '1' }, spec: { replicas: 2 } };
  const kubernetes = {
    get: async () => structuredClone(pool),
    patch: async (
      _kind: unknown,
      _namespace: unknown,
      _name: unknown,
      patch: object,
      options?: { subresource: string },
    ) => {
      const subresource = options?.subresource ?? '';
      patches.push(patch);
      calls.push(`${subresource} ${subresource === 'scale' ? JSON.stringify(patch) : ''}`.trim());
      const refusal = refuse(subresource);
      if (refusal !== null) throw refusal;
      return { ...pod({}), metadata: { name: 'p', uid: 'u' } };
    },
  } as unknown as Parameters<typeof clusterDoor>[0];
  const queue = new RetryQueue({
    concurrency: 1,
    limit: 100,
    firstPauseMs: 1,
    maxPauseMs: 1,
    isWorthRetrying: isUnavailable,
    onProblem: (_key, problem) => problems.push(problem),
    random: () => 0,
    schedule: (_ms, then) => {
      const timer = setImmediate(then);
      return () => clearImmediate(timer);
    },
  });
  const door = clusterDoor(kubernetes, 'kappa-functions', {
    queue,
    schedule: (_ms, then) => {
      then();
      return () => undefined;
    },
    tellAfterMs: 100,
    onResizeRefused: (name, problem, isFirst) => refusals.push(`${name} ${problem.code} ${isFirst}`),
  });
  const settle = async () => {
    for (let n = 0; queue.size > 0 && n < 1_000; n += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { door, calls, patches, refusals, problems, pool, settle };
}

const claimed = { name: 'p', uid: 'u', pool: 'nodejs24.x' } as PoolPod;

test('a cluster without in-place resize is told once, asked once, and the claim is labelled', async () => {
  const { door, calls, refusals, problems, settle } = startDoor((subresource) =>
    subresource === 'resize' ? new KubernetesError('PATCH', 404, 'NotFound') : null,
  );
  for (let n = 0; n < 3; n += 1) {
    door.claimed(claimed, target);
    await settle();
  }
  expect(calls).toEqual(['', 'resize', '', '']);
  expect(refusals).toEqual(['nodejs24.x 404 true']);
  expect(problems).toEqual([]);
});

test('a size that is refused does not speak for the next one', async () => {
  const { door, calls, refusals, settle } = startDoor((subresource) =>
    subresource === 'resize' ? new KubernetesError('PATCH', 403, 'Forbidden') : null,
  );
  for (let n = 0; n < 2; n += 1) {
    door.claimed(claimed, target);
    await settle();
  }
  expect(calls).toEqual(['', 'resize', '', 'resize']);
  expect(refusals).toEqual(['nodejs24.x 403 true', 'nodejs24.x 403 false']);
});

test('wantPods raises, never lowers, also when another gateway raises at the same moment', async () => {
  let conflicts = 0;
  const { door, calls, pool, settle } = startDoor((subresource) => {
    if (subresource !== 'scale' || conflicts > 0) return null;
    conflicts += 1;
    pool.metadata.resourceVersion = '2';
    pool.spec.replicas = 4;
    return new KubernetesError('PATCH', 409, 'Conflict');
  });
  door.wantPods('nodejs24.x', 2);
  await settle();
  expect(calls).toEqual([]);
  door.wantPods('nodejs24.x', 5);
  await settle();
  expect(calls).toEqual([
    'scale {"metadata":{"resourceVersion":"1"},"spec":{"replicas":5}}',
    'scale {"metadata":{"resourceVersion":"2"},"spec":{"replicas":5}}',
  ]);
  door.wantPods('nodejs24.x', 3);
  await settle();
  expect(calls).toHaveLength(2);
});

test('who waits for a pod, and for whom one was given up, is written on that very pod', async () => {
  const { door, patches, settle } = startDoor(() => null);
  door.awaited(claimed, 'gateway-a.1');
  door.reclaimed(claimed, 'uid-of-the-other');
  door.awaited(claimed, '');
  await settle();
  // The uid: another pod may have the name by now, then the API server refuses.
  expect(patches).toEqual([
    { metadata: { uid: 'u', annotations: { 'kappa.dev/awaited-by': 'gateway-a.1' } } },
    { metadata: { uid: 'u', annotations: { 'kappa.dev/reclaimed-for': 'uid-of-the-other' } } },
    { metadata: { uid: 'u', annotations: { 'kappa.dev/awaited-by': '' } } },
  ]);
});

test('a pod whose init has failed is told so at once, and is not resized', async () => {
  const { door, calls, patches, settle } = startDoor(() => null);
  door.claimed(claimed, target, 'x'.repeat(300));
  await settle();
  expect(calls).toEqual(['']);
  expect(patches).toMatchObject([{ metadata: { annotations: { 'kappa.dev/init-error': 'x'.repeat(200) } } }]);
  door.claimed(claimed, target);
  await settle();
  expect(JSON.stringify(patches[1])).not.toContain('init-error');
});
