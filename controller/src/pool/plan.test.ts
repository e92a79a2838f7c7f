import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type PodObserved, type PoolObserved, type PoolPlan, planPool, type RemoveReason } from './plan.ts';
import { pacing, pod, pool } from './testing.ts';

const now = 1_000_000;
const starting = { isReady: false, phase: 'Pending' } as const;
const claimed = { state: 'claimed' } as const;
const cutOff = { isReady: false, isCutOff: true, unreadySinceMs: now } as const;
const gone = (ordinal: number, reason: RemoveReason) => ({ name: `p-${ordinal}`, uid: `uid-${ordinal}`, reason });

test.each<[reason: string, observed: Partial<PoolObserved>, want: Partial<PoolPlan>]>([
  ['an empty pool is filled to its floor', {}, { create: [1, 2], remove: [] }],
  ['an unused pool is emptied', { isUsed: false, pods: [pod(1)] }, { create: [], remove: [gone(1, 'Surplus')] }],
  ['a pod that starts counts', { pods: [pod(1), pod(2, starting)] }, { create: [] }],
  ['a claimed pod is replaced', { pods: [pod(1, claimed), pod(2)], lastOrdinal: 2 }, { create: [3] }],
  ['ordinals rise though the cache is stale', { pods: [pod(2)], lastOrdinal: 7 }, { create: [8] }],
  [
    'a raise is followed',
    { replicas: 5, raisedAtMs: now, pods: [pod(1), pod(2)] },
    { create: [3, 4, 5], scaleTo: null },
  ],
  ['starts are paced', { replicas: 9, raisedAtMs: now }, { create: [1, 2, 3, 4] }],
  [
    'starting pods use up the pace',
    { replicas: 9, raisedAtMs: now, pods: [pod(1, starting), pod(2, starting)] },
    { create: [3, 4] },
  ],
  [
    'while a start takes long, one begins after the other',
    { replicas: 9, raisedAtMs: now, pods: [pod(1, { ...starting, startingSinceMs: now - 4_000 })] },
    { create: [], requeueAfterMs: 3_000 },
  ],
  [
    'but not for ever: its node may be gone',
    { replicas: 9, raisedAtMs: now, pods: [pod(1, { ...starting, startingSinceMs: now - 15_000 })] },
    { create: [2, 3, 4] },
  ],
  [
    'maxPods counts claimed pods',
    { replicas: 5, maxPods: 4, pods: [pod(1, claimed), pod(2, claimed), pod(3)] },
    { create: [4] },
  ],
  [
    'a finished pod goes',
    { pods: [pod(1), pod(2), pod(3, { phase: 'Succeeded' })] },
    { create: [], remove: [gone(3, 'Finished')] },
  ],
  [
    'what is going already is left',
    { pods: [pod(1), pod(2), pod(3, { phase: 'Failed', isTerminating: true })] },
    { remove: [] },
  ],
  [
    'an orphan goes',
    { pods: [pod(1), pod(2), pod(3, { ...claimed, orphan: 'FunctionGone' })] },
    { remove: [gone(3, 'FunctionGone')] },
  ],
  ['a claimed pod is never surplus', { pods: [pod(1), pod(2), pod(3, claimed), pod(4, claimed)] }, { remove: [] }],
  [
    'surplus: unready first, then newest',
    { pods: [pod(1), pod(2, starting), pod(3), pod(4)] },
    { remove: [gone(2, 'Surplus'), gone(4, 'Surplus')] },
  ],
  [
    'but one that is about to get ready only when it is',
    { pods: [pod(1), pod(2), pod(3, { ...starting, startingSinceMs: now - 19_000 })] },
    { remove: [], requeueAfterMs: 1_000 },
  ],
  [
    'or has been for long',
    { pods: [pod(1), pod(2), pod(3, { ...starting, startingSinceMs: now - 20_000 })] },
    { remove: [gone(3, 'Surplus')] },
  ],
  [
    'refill waits after a claim',
    { pods: [pod(1, claimed), pod(2)], claims: { recent: 1, lastAtMs: now - 100 } },
    { create: [], requeueAfterMs: 150 },
  ],
  [
    'refill does not wait when nothing is left',
    { pods: [pod(1, claimed)], claims: { recent: 1, lastAtMs: now - 100 } },
    { create: [2, 3] },
  ],
  [
    'a raise is kept for one idle time',
    { replicas: 5, pods: [1, 2, 3, 4, 5].map((n) => pod(n)), raisedAtMs: now - 59_000 },
    { scaleTo: null, requeueAfterMs: 1_000 },
  ],
  [
    'what was raised and not started is not missed any more after a while: who misses it says so again',
    { replicas: 137, pods: [1, 2, 3, 4, 5].map((n) => pod(n)), raisedAtMs: now - 3_000 },
    { scaleTo: 5 },
  ],
  [
    'but not at once, and never below the floor',
    { replicas: 137, pods: [pod(1)], raisedAtMs: now - 2_000 },
    { scaleTo: null, requeueAfterMs: 1_000 },
  ],
  [
    'and then taken back, though a claim trickles in now and then',
    { replicas: 5, raisedAtMs: now - 60_000, claims: { recent: 1, lastAtMs: now - 500 } },
    { scaleTo: 2 },
  ],
  [
    'but not below what the claims need',
    { replicas: 9, raisedAtMs: now - 60_000, claims: { recent: 120, lastAtMs: now - 500 } },
    { scaleTo: 6 },
  ],
  [
    'the claim rate is looked at again when its window is over',
    { pods: [pod(1), pod(2)], claims: { recent: 3, lastAtMs: now - 10_000 } },
    { requeueAfterMs: 30_000 },
  ],
  [
    'a function’s finished pod stays a while for its log',
    { pods: [pod(1), pod(2), pod(3, { ...claimed, phase: 'Failed', finishedAtMs: now - 1_000 })] },
    { remove: [], requeueAfterMs: 299_000 },
  ],
  [
    'and goes after that',
    { pods: [pod(1), pod(2), pod(3, { ...claimed, phase: 'Failed', finishedAtMs: now - 300_000 })] },
    { remove: [gone(3, 'Finished')] },
  ],
  [
    'of many finished pods the newest stay',
    {
      pods: [
        pod(1),
        pod(2),
        ...Array.from({ length: 11 }, (_, n) => pod(n + 10, { ...claimed, phase: 'Succeeded', finishedAtMs: now - n })),
      ],
    },
    { remove: [gone(20, 'Finished')] },
  ],
  [
    'a finished pod without a label may get it still',
    { pods: [pod(1), pod(2), pod(3, { phase: 'Failed', finishedAtMs: now - 4_000 })] },
    { remove: [], requeueAfterMs: 1_000 },
  ],
  [
    'a finished pod of a deleted function goes at once',
    { pods: [pod(1), pod(2), pod(3, { ...claimed, phase: 'Failed', finishedAtMs: now, orphan: 'FunctionGone' })] },
    { remove: [gone(3, 'Finished')] },
  ],
  [
    'many claims keep more than the floor',
    { claims: { recent: 120, lastAtMs: now - 1_000 } },
    { wanted: 6, create: [1, 2, 3, 4] },
  ],
  [
    'a failing pool backs off',
    { failures: { count: 3, lastAtMs: now - 1_000 } },
    { create: [], requeueAfterMs: 3_000 },
  ],
  [
    'a pod that lost its readiness a moment ago still counts',
    { pods: [pod(1), pod(2, { isReady: false, unreadySinceMs: now - 4_000 })] },
    { create: [], remove: [], requeueAfterMs: 1_000 },
  ],
  [
    'and does not any more when that lasts',
    { pods: [pod(1), pod(2, { isReady: false, unreadySinceMs: now - 5_000 })] },
    { create: [3], remove: [], requeueAfterMs: 55_000 },
  ],
  [
    'one that never comes back goes',
    { pods: [pod(1), pod(2, { isReady: false, unreadySinceMs: now - 60_000 }), pod(3)] },
    { create: [], remove: [gone(2, 'Unhealthy')] },
  ],
  [
    'pods on a node that was given up are replaced at once, and left to Kubernetes',
    { pods: [pod(1), pod(2, cutOff), pod(3, { ...claimed, ...cutOff })] },
    { create: [4], remove: [] },
  ],
  [
    'lost pods count as pods of the pool',
    { maxPods: 3, pods: [pod(1, cutOff), pod(2, cutOff)] },
    { create: [3], wanted: 1 },
  ],
  [
    'surplus goes where the zone has most',
    { pods: [pod(1, { zone: 'a' }), pod(2, { zone: 'a' }), pod(3, { zone: 'b' })] },
    { remove: [gone(2, 'Surplus')] },
  ],
  ['and is then probed with one pod', { failures: { count: 3, lastAtMs: now - 4_000 } }, { create: [1] }],
])('planPool: %s', (_reason, observed, want) => {
  expect(planPool(pool(observed), pacing, now)).toMatchObject(want);
});

const anyPod = fc.record<PodObserved>({
  name: fc.stringMatching(/^p-[a-z]{6}$/),
  uid: fc.uuid(),
  ordinal: fc.nat(1000),
  state: fc.constantFrom('generic', 'claimed'),
  phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
  isReady: fc.boolean(),
  isCutOff: fc.boolean(),
  imageProblem: fc.constant(null),
  imageProblemSinceMs: fc.constant(null),
  startProblem: fc.constant(null),
  startingSinceMs: fc.constantFrom(null, now - 100_000, now - 1_000),
  unreadySinceMs: fc.constantFrom(null, now - 100_000, now - 1_000),
  outdatedSinceMs: fc.constantFrom(null, now - 1_000),
  zone: fc.constantFrom('', 'a', 'b'),
  isTerminating: fc.boolean(),
  terminatingSinceMs: fc.constantFrom(null, now - 100_000, now - 1_000),
  finishedAtMs: fc.constant(0),
  orphan: fc.constant(null),
});

test('planPool never goes above maxPods, never deletes a claimed pod that is wanted, and settles', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyPod, { maxLength: 12, selector: (p) => p.name }),
      fc.nat(12),
      fc.nat(5),
      (pods, replicas, minReplicas) => {
        const observed = pool({ pods, replicas, minReplicas, raisedAtMs: now });
        const plan = planPool(observed, pacing, now);
        const removed = new Set(plan.remove.map(({ name }) => name));
        const live = pods.filter((p) => !p.isTerminating && p.phase !== 'Succeeded' && p.phase !== 'Failed');
        expect(live.length + plan.create.length).toBeLessThanOrEqual(Math.max(observed.maxPods, live.length));
        const hastened = new Set(plan.hasten.map(({ name }) => name));
        for (const p of pods) {
          if (p.state === 'claimed') expect(hastened.has(p.name)).toBe(false);
          if (p.state === 'claimed' && p.phase === 'Running') expect(removed.has(p.name)).toBe(false);
        }
        expect(plan.create.length === 0 || !plan.remove.some(({ reason }) => reason === 'Surplus')).toBe(true);
      },
    ),
  );
});
