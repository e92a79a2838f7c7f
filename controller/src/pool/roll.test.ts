import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PodObserved, PoolObserved, PoolPlan } from './plan.ts';
import { planPool } from './plan.ts';
import { pacing, pod, pool } from './testing.ts';

const now = 1_000_000;
const old = { outdatedSinceMs: now - 1_000 };
const starting = { isReady: false, phase: 'Pending' } as const;
const claimed = { state: 'claimed' } as const;
const oldLongAgo = { ...claimed, outdatedSinceMs: now - 600_000 };
const gone = (ordinal: number) => ({ name: `p-${ordinal}`, uid: `uid-${ordinal}`, reason: 'Outdated' as const });
const pods = (from: number, to: number, overrides: Partial<PodObserved> = {}): readonly PodObserved[] =>
  Array.from({ length: to - from + 1 }, (_, index) => pod(from + index, overrides));
const of = (size: number) => ({ replicas: size, minReplicas: size, maxPods: 100 });

describe('pods to claim', () => {
  test.each<[reason: string, observed: Partial<PoolObserved>, want: Partial<PoolPlan>]>([
    ['a small pool rolls one by one: a new one first', { pods: pods(1, 2, old) }, { create: [4], remove: [] }],
    ['while that starts nothing goes', { pods: [...pods(1, 2, old), pod(3, starting)] }, { create: [], remove: [] }],
    ['when it is ready an old one goes', { pods: [...pods(1, 2, old), pod(3)] }, { create: [], remove: [gone(2)] }],
    ['then the next one starts', { pods: [pod(1, old), pod(3)] }, { create: [4], remove: [] }],
    ['and the last old one goes', { pods: [pod(1, old), pod(3), pod(4)] }, { create: [], remove: [gone(1)] }],
    ['a quarter of a large pool at once', { ...of(12), pods: pods(1, 12, old) }, { create: [13, 14, 15], remove: [] }],
    [
      'what gets ready frees as many',
      { ...of(12), pods: [...pods(1, 12, old), pod(13), pod(14), pod(15, starting)] },
      { create: [], remove: [gone(11), gone(12)] },
    ],
    [
      'a full pool gives up one first',
      { maxPods: 3, pods: [pod(1, claimed), ...pods(2, 3, old)] },
      { create: [], remove: [gone(3)] },
    ],
    ['and only one', { maxPods: 3, pods: [pod(1, claimed), pod(2, old)] }, { create: [4], remove: [] }],
    [
      'and none while the next one starts',
      { maxPods: 3, pods: [pod(1, claimed), pod(2, old), pod(4, starting)] },
      { create: [], remove: [] },
    ],
    [
      'a template that does not start costs nothing',
      { pods: pods(1, 2, old), failures: { count: 2, lastAtMs: now } },
      { create: [], remove: [], requeueAfterMs: 2_000 },
    ],
    ['an unused pool is emptied', { isUsed: false, pods: pods(1, 2, old) }, { remove: [gone(1), gone(2)] }],
    [
      'lost old pods are not waited for',
      { pods: [pod(1, old), pod(2, { ...old, isReady: false, isCutOff: true, unreadySinceMs: now })] },
      { create: [4, 5] },
    ],
  ])('%s', (_reason, observed, want) => {
    expect(
      planPool(
        pool({ lastOrdinal: Math.max(...(observed.pods ?? []).map((p) => p.ordinal), 3), ...observed }),
        pacing,
        now,
      ),
    ).toMatchObject(want);
  });

  test('every roll ends, and never takes a ready pod away before there is another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(6), fc.nat(3), (size, free, busy) => {
        let now1 = now;
        let seen: readonly PodObserved[] = [...pods(1, size, old), ...pods(size + 1, size + busy, claimed)];
        const observed = { ...of(size), maxPods: size + busy + free };
        for (let round = 0; round < 100; round += 1) {
          now1 += 1_000;
          const plan = planPool(pool({ ...observed, raisedAtMs: now1, pods: seen }), pacing, now1);
          const removed = new Set(plan.remove.map(({ name }) => name));
          const ready = seen.filter((p) => p.state === 'generic' && p.isReady && !removed.has(p.name)).length;
          expect(ready).toBeGreaterThanOrEqual(free === 0 ? size - 1 : size);
          seen = [
            ...seen
              .filter(({ name }) => !removed.has(name))
              .map((p) => ({ ...p, isReady: true, phase: 'Running' as const })),
            ...plan.create.map((ordinal) => pod(ordinal, starting)),
          ];
          expect(seen.length).toBeLessThanOrEqual(observed.maxPods);
        }
        expect(seen.filter((p) => p.outdatedSinceMs !== null)).toEqual([]);
        expect(seen).toHaveLength(size + busy);
      }),
    );
  });
});

describe('pods that run functions', () => {
  const full = pods(1, 2);
  test.each<[reason: string, observed: Partial<PoolObserved>, want: Partial<PoolPlan>]>([
    [
      'have time to end by idleness',
      { pods: [...full, pod(3, { ...claimed, outdatedSinceMs: now - 599_000 })] },
      { remove: [], requeueAfterMs: 1_000 },
    ],
    [
      'are then replaced one at a time',
      { pods: [...full, pod(3, oldLongAgo), pod(4, oldLongAgo)] },
      { remove: [gone(3)], requeueAfterMs: 2_000 },
    ],
    [
      'with a pause between two',
      { lastRollAtMs: now - 500, pods: [...full, pod(4, oldLongAgo)] },
      { remove: [], requeueAfterMs: 1_500 },
    ],
    ['not while none stands by', { pods: [pod(1, starting), pod(2, starting), pod(4, oldLongAgo)] }, { remove: [] }],
    [
      'an old pod does not stand by for another',
      { pods: [...pods(1, 2, old), pod(3, starting), pod(4, oldLongAgo)] },
      { remove: [] },
    ],
    [
      'a pool that keeps none ready is no reason to wait',
      { replicas: 0, minReplicas: 0, pods: [pod(4, oldLongAgo)] },
      { remove: [gone(4)] },
    ],
    ['those of the present template stay', { pods: [...full, pod(3, claimed)] }, { remove: [], requeueAfterMs: null }],
  ])('%s', (_reason, observed, want) => {
    expect(planPool(pool(observed), pacing, now)).toMatchObject(want);
  });
});
