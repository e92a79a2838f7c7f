import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  hashOf,
  type PodSize,
  planReclaim,
  type ReclaimNeed,
  reclaimLimits,
  type Shortage,
  type Spare,
} from './plan-reclaim.ts';

const NOW = 100_000;
const size = (cpuMilli: number, memoryMiB = 128): PodSize => ({ cpuMilli, memoryBytes: memoryMiB * 2 ** 20 });
const short = (overrides: Partial<Shortage> = {}): Shortage => ({
  podUid: 'p',
  asks: size(100),
  sinceMs: NOW - 600,
  isAwaited: true,
  givenCount: 0,
  givenMs: 0,
  endedMs: null,
  ...overrides,
});
const idle = (slot: string, idleMs: number, of: PodSize | null = size(100), node = ''): Spare<string> => ({
  slot,
  idleSinceMs: NOW - idleMs,
  size: of,
  node,
});
const many = (count: number) => [...Array(count).keys()].map((n) => idle(`${n}`, 90_000 - n));
const alone = { index: 0, count: 1 };
type Need = Omit<ReclaimNeed<string>, 'spares'> & { readonly spares: readonly Spare<string>[] };
const need = ({ spares, ...overrides }: Partial<Need> = {}): ReclaimNeed<string> => ({
  shortages: [short()],
  node: 'n1',
  place: alone,
  budget: 10,
  ...overrides,
  spares: () => spares ?? [idle('old', 9_000), idle('young', 2_000)],
});

test.each<[reason: string, overrides: Partial<Need>, want: readonly string[]]>([
  ['nothing is short, nothing goes', { shortages: [] }, []],
  ['nothing is idle, nothing goes', { spares: [] }, []],
  ['the least recently used one goes', {}, ['old']],
  ['not before the scheduler had its time', { shortages: [short({ sinceMs: NOW - 499 })] }, []],
  ['one for each that is short', { shortages: [short(), short({ podUid: 'q' })] }, ['old', 'young']],
  ['never more than that', { spares: [idle('a', 9_000), idle('b', 8_000), idle('c', 7_000)] }, ['a']],
  ['nor than there are', { shortages: [short(), short({ podUid: 'q' }), short({ podUid: 'r' })] }, ['old', 'young']],
  ['nor than the budget', { shortages: [short(), short({ podUid: 'q' })], budget: 1 }, ['old']],
  ['what was used within a second stays', { spares: [idle('young', 999)] }, []],
  ['for claims to come, only what is idle for long goes', { shortages: [short({ isAwaited: false })] }, []],
  [
    'and then it does',
    { shortages: [short({ isAwaited: false })], spares: [idle('old', 60_000), idle('young', 2_000)] },
    ['old'],
  ],
  [
    'first those that a claim waits for',
    {
      shortages: [short({ isAwaited: false, sinceMs: 0 }), short({ podUid: 'q' })],
      spares: [idle('old', 70_000)],
      budget: 1,
    },
    ['old'],
  ],
  ['the room of the last one is on its way', { shortages: [short({ givenCount: 1, givenMs: NOW - 4_999 })] }, []],
  ['it has come', { shortages: [short({ givenCount: 1, givenMs: NOW - 4_000, endedMs: NOW - 2_999 })] }, []],
  ['and did not do', { shortages: [short({ givenCount: 1, givenMs: NOW - 4_000, endedMs: NOW - 3_000 })] }, ['old']],
  ['it does not come', { shortages: [short({ givenCount: 1, givenMs: NOW - 5_000 })] }, ['old']],
  [
    'two did not do: two more',
    { shortages: [short({ givenCount: 2, givenMs: NOW - 5_000 })], spares: many(5) },
    ['0', '1'],
  ],
  [
    'twelve did not: up to sixteen',
    { shortages: [short({ givenCount: 12, givenMs: 0 })], spares: many(9) },
    ['0', '1', '2', '3'],
  ],
  ['for nobody one at a time', { shortages: [short({ isAwaited: false, givenCount: 2 })], spares: many(5) }, ['0']],
  [
    'three for nobody did not do',
    { shortages: [short({ isAwaited: false, givenCount: 3, givenMs: NOW - 59_999 })], spares: many(5) },
    [],
  ],
  ['nor did sixteen for somebody', { shortages: [short({ givenCount: 16, givenMs: NOW - 59_999 })] }, []],
  ['one a minute goes on', { shortages: [short({ givenCount: 16, givenMs: NOW - 60_000 })], spares: many(5) }, ['0']],
  [
    'the next ones come from where most was given',
    {
      shortages: [short({ givenCount: 1 })],
      spares: [idle('far', 9_000, null, 'n2'), idle('near', 2_000, null, 'n1')],
    },
    ['near'],
  ],
  [
    'the first one from anywhere',
    { spares: [idle('far', 9_000, null, 'n2'), idle('near', 2_000, null, 'n1')] },
    ['far'],
  ],
  [
    'one that makes enough room is better',
    { spares: [idle('small', 9_000, size(50)), idle('large', 2_000)] },
    ['large'],
  ],
  ['in CPU and memory', { spares: [idle('small', 9_000, size(200, 64)), idle('large', 2_000)] }, ['large']],
  ['else the oldest', { spares: [idle('small', 9_000, size(50)), idle('other', 2_000, size(60))] }, ['small']],
  ['an unknown size may be enough', { spares: [idle('unknown', 9_000, null), idle('large', 2_000)] }, ['unknown']],
  ['a gateway that leaves gives nothing', { place: { index: -1, count: 2 } }, []],
])('planReclaim: %s', (_reason, overrides, want) => {
  expect(planReclaim(need(overrides), reclaimLimits, NOW).map(({ slot }) => slot)).toEqual(want);
});

test('what goes says for which pod', () => {
  const shortages = [short({ podUid: 'calm', isAwaited: false, sinceMs: 0 }), short({ podUid: 'awaited' })];
  const plan = planReclaim(need({ shortages, spares: [idle('a', 70_000), idle('b', 65_000)] }), reclaimLimits, NOW);
  expect(plan).toEqual([
    { slot: 'a', podUid: 'awaited' },
    { slot: 'b', podUid: 'calm' },
  ]);
});

test('of several gateways one has the turn, and within as many turns each has had it', () => {
  const acting = (sinceMs: number, count: number): number[] =>
    [...Array(count).keys()].filter(
      (index) =>
        planReclaim(need({ shortages: [short({ sinceMs })], place: { index, count } }), reclaimLimits, NOW).length > 0,
    );
  for (const count of [1, 2, 3, 5]) {
    const turns = [...Array(count).keys()].map((turn) => acting(NOW - 600 - turn * 1_000, count));
    expect(turns.map((each) => each.length)).toEqual(Array(count).fill(1));
    expect(new Set(turns.flat()).size).toBe(count);
  }
});

test('different pods begin with different gateways', () => {
  const first = new Set([...Array(20).keys()].map((n) => hashOf(`pod-${n}`) % 3));
  expect(first.size).toBe(3);
});

const anyShort = fc.record({
  podUid: fc.uuid(),
  asks: fc.option(fc.record({ cpuMilli: fc.nat(500), memoryBytes: fc.nat(2 ** 30) })),
  sinceMs: fc.integer({ min: NOW - 10_000, max: NOW }),
  isAwaited: fc.boolean(),
  givenCount: fc.nat(5),
  givenMs: fc.integer({ min: NOW - 70_000, max: NOW }),
  endedMs: fc.option(fc.integer({ min: NOW - 5_000, max: NOW })),
});

test('whatever there is: no slot goes twice, none that was just used, one gateway for each pod, never more than it was given before or than the budget', () => {
  fc.assert(
    fc.property(
      fc.array(anyShort, { maxLength: 8 }),
      fc.array(fc.nat(40_000), { maxLength: 8 }),
      fc.nat(6),
      fc.integer({ min: 1, max: 4 }),
      (shortages, idleMs, budget, count) => {
        const spares = idleMs.toSorted((a, b) => b - a).map((ms, n) => idle(`${n}`, ms));
        const plans = [...Array(count).keys()].map((index) =>
          planReclaim(
            { shortages, spares: () => spares, node: '', budget, place: { index, count } },
            reclaimLimits,
            NOW,
          ),
        );
        for (const plan of plans) {
          expect(new Set(plan.map(({ slot }) => slot)).size).toBe(plan.length);
          expect(plan.length).toBeLessThanOrEqual(budget);
          for (const { slot } of plan)
            expect(spares.find((spare) => spare.slot === slot)?.idleSinceMs).toBeLessThanOrEqual(NOW - 1_000);
        }
        for (const { podUid, givenCount } of shortages) {
          const acting = plans
            .map((plan) => plan.filter((each) => each.podUid === podUid).length)
            .filter((each) => each > 0);
          expect(acting.length).toBeLessThanOrEqual(1);
          expect(acting[0] ?? 0).toBeLessThanOrEqual(Math.max(1, givenCount));
        }
      },
    ),
  );
});
