import { expect, test } from '@jest/globals';
import { type PodObserved, planPool } from './plan.ts';
import { nextSpread, planSpread, type SpreadPlan, type SpreadState } from './spread.ts';
import { pacing, pod, pool } from './testing.ts';

const now = 10_000_000;
const zones = ['a', 'b', 'c'];
const rest: SpreadState = { zones, isUnderway: false, sinceMs: 0, tries: 0 };
const underway: SpreadState = { zones, isUnderway: true, sinceMs: now - 1_000, tries: 1 };
const inZones = (...names: readonly string[]): readonly PodObserved[] => names.map((zone, n) => pod(n + 1, { zone }));
const starting = { isReady: false, phase: 'Pending', zone: '' } as const;

test.each<
  [reason: string, spread: SpreadState, generic: readonly PodObserved[], want: Partial<SpreadPlan>, room?: number]
>([
  ['all zones have one', rest, inZones('a', 'b', 'c'), { extra: 0, step: null, waitMs: null }],
  ['an empty zone is tried', rest, inZones('a', 'a', 'b'), { extra: 1, step: 'Begin' }],
  ['not without room', rest, inZones('a', 'a', 'b'), { extra: 0, step: null }, 3],
  ['not while pods start', rest, [...inZones('a', 'a'), pod(3, starting)], { extra: 0, step: null }],
  [
    'the try goes on while the pod starts',
    underway,
    [...inZones('a', 'a', 'b'), pod(4, starting)],
    { extra: 1, step: null, waitMs: 29_000 },
  ],
  ['and ends when it is ready', underway, inZones('a', 'a', 'b', 'c'), { extra: 0, step: 'End' }],
  [
    'or does not get ready',
    { ...underway, sinceMs: now - 30_000 },
    [...inZones('a', 'a', 'b'), pod(4, starting)],
    { extra: 0, step: 'End' },
  ],
  [
    'the next try is later',
    { ...rest, tries: 1, sinceMs: now - 100_000 },
    inZones('a', 'a', 'b'),
    { extra: 0, step: null, waitMs: 20_000 },
  ],
  [
    'but comes within half an hour',
    { ...rest, tries: 30, sinceMs: now - 1_800_000 },
    inZones('a', 'a', 'b'),
    { step: 'Begin' },
  ],
  ['what helped is forgotten', { ...rest, tries: 3 }, inZones('a', 'b', 'c'), { step: 'Even' }],
  [
    'a pool with fewer pods than zones is left',
    { ...rest, zones: ['a', 'b', 'c', 'd'] },
    inZones('a', 'b', 'c'),
    { extra: 0, step: null },
  ],
  ['without zones there is nothing to do', { ...rest, zones: [] }, inZones('', '', ''), { extra: 0, step: null }],
])('planSpread: %s', (_reason, spread, generic, want, room = 10) => {
  expect(planSpread({ spread }, generic, 3, room, now)).toMatchObject(want);
});

test.each<[place: string, where: string, zonesAfter: readonly string[], pods: number]>([
  ['the zone that is back', 'c', ['a', 'b', 'c'], 3],
  ['another zone, for the third is still away', 'b', ['a', 'a', 'b'], 3],
])('one pod more is made, and one goes: it comes to %s', (_place, where, zonesAfter, count) => {
  let pods = inZones('a', 'a', 'b');
  let spread = rest;
  let made = 0;
  for (let round = 0; round < 20; round += 1) {
    const nowMs = now + round * 1_000;
    const plan = planPool(pool({ replicas: 3, minReplicas: 3, pods, spread, lastOrdinal: 3 }), pacing, nowMs);
    spread = nextSpread(spread, plan.spreadStep, nowMs);
    made += plan.create.length;
    const removed = new Set(plan.remove.map(({ name }) => name));
    pods = [
      ...pods
        .filter(({ name }) => !removed.has(name))
        .map((p) => (p.isReady ? p : { ...p, isReady: true, zone: where })),
      ...plan.create.map((ordinal) => pod(ordinal, starting)),
    ];
    expect(pods.filter((p) => p.isReady).length).toBeGreaterThanOrEqual(3);
  }
  expect(made).toBe(1);
  expect(pods).toHaveLength(count);
  expect(pods.map(({ zone }) => zone).sort()).toEqual(zonesAfter);
});
