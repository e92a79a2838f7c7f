import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeTarget } from './testing.ts';
import { type SimCall, SimCluster, type SimClusterOptions } from './testing-cluster.ts';
import type { Target } from './types.ts';

const fn = (name: string, overrides: Partial<Target> = {}) =>
  makeTarget({ versionUid: name, functionObjectName: name, functionName: name, ...overrides });
const a = fn('a');
const b = fn('b');
const kept = fn('kept', { provisionedConcurrency: 3 });
const functions = [
  { target: a, warmMs: 4_000, coldMs: 4_000 },
  { target: b, warmMs: 800, coldMs: 900 },
  { target: kept, warmMs: 50, coldMs: 60 },
];
/** Room for twelve pods; two are kept generic as long as there is room. */
const small: SimClusterOptions = { functions, gateways: 3, room: 12, floor: 2 };

/** A cluster whose nodes are full of idle pods of `a`; only the provisioned ones of `kept` are beside them. */
async function filled(options: Partial<SimClusterOptions> = {}): Promise<SimCluster> {
  const cluster = new SimCluster({ ...small, ...options });
  await cluster.advance(5_000);
  for (let n = 0; n < cluster.options.room; n += 1) cluster.call(a);
  await cluster.advance(10_000);
  expect([cluster.podsOf(a), cluster.podsOf(kept)]).toEqual([options.claimedSize === undefined ? 9 : 7, 3]);
  return cluster;
}

const waitsOf = (calls: readonly SimCall[]): readonly number[] =>
  calls.map(({ answeredMs, sentMs }) => (answeredMs ?? Number.POSITIVE_INFINITY) - sentMs);

/** How many pods were given up while the room of one that went for the same pod was on its way. */
const doubled = ({ nodes: { reclaimed } }: SimCluster): number =>
  reclaimed.filter(({ forUid, atMs }) =>
    reclaimed.some((other) => other.forUid === forUid && other.atMs < atMs && atMs - other.atMs < 2_500),
  ).length;

test.each([1, 3])(
  'nodes are full of idle pods of one function: twenty calls of another one are answered within seconds (%i gateways)',
  async (gateways) => {
    const cluster = await filled({ gateways });
    const calls = [...Array(20).keys()].map(() => cluster.call(b));
    await cluster.advance(10_000);
    expect(calls.map(({ outcome }) => outcome.kind)).toEqual(Array(20).fill('response'));
    expect(Math.max(...waitsOf(calls))).toBeLessThan(7_000);
    expect(cluster.nodes.reclaimed.every(({ versionUid }) => versionUid === 'a')).toBe(true);
    expect(cluster.podsOf(kept)).toBe(3);
    expect(doubled(cluster)).toBe(0);
  },
);

test('nodes are booked for more than they have, as claimed pods grow: the calls are answered all the same', async () => {
  const cluster = await filled({ claimedSize: 1.5 });
  expect(cluster.nodes.booked).toBe(15);
  const calls = [...Array(20).keys()].map(() => cluster.call(b));
  await cluster.advance(25_000);
  expect(calls.map(({ outcome }) => outcome.kind)).toEqual(Array(20).fill('response'));
  expect(Math.max(...waitsOf(calls))).toBeLessThan(15_000);
});

test('one call takes one pod, and the other function claims it back only for a call', async () => {
  const cluster = await filled();
  const call = cluster.call(b);
  await cluster.advance(30_000);
  expect(call.outcome.kind).toBe('response');
  expect(cluster.nodes.reclaimed.map(({ versionUid }) => versionUid)).toEqual(['a']);
  expect([cluster.podsOf(a), cluster.podsOf(b)]).toEqual([8, 1]);
  const again = [...Array(9).keys()].map(() => cluster.call(a));
  await cluster.advance(20_000);
  expect(again.map(({ outcome }) => outcome.kind)).toEqual(Array(9).fill('response'));
});

test('nobody calls: pods that are idle for long make room for one that is ready for the next call, the others stay', async () => {
  const cluster = await filled();
  await cluster.advance(40_000);
  expect(cluster.nodes.reclaimed).toEqual([]);
  await cluster.advance(60_000);
  const given = cluster.nodes.reclaimed.length;
  expect(given).toBeGreaterThan(0);
  await cluster.advance(100_000);
  expect(cluster.nodes.reclaimed.length).toBe(given);
  const call = cluster.call(b);
  await cluster.advance(2_000);
  expect(waitsOf([call])).toEqual([900]);
});

test('what everybody uses is taken from nobody', async () => {
  const cluster = await filled();
  for (let n = 0; n < 9; n += 1) cluster.call(a);
  await cluster.advance(1_000);
  const call = cluster.call(b);
  await cluster.advance(3_000);
  expect(cluster.nodes.reclaimed).toEqual([]);
  await cluster.advance(8_000);
  expect(call.outcome.kind).toBe('response');
});

const step = fc.record({
  target: fc.constantFrom(a, b, kept),
  count: fc.integer({ min: 1, max: 12 }),
  thenMs: fc.constantFrom(0, 50, 700, 3_000, 20_000, 70_000),
});

test('whatever is called when: every call is answered, no busy pod is given up, provisioned ones stay, one for each that lacks room', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 8 }), async (gateways, steps) => {
      const cluster = new SimCluster({ ...small, gateways });
      await cluster.advance(5_000);
      for (const { target, count, thenMs } of steps) {
        for (let n = 0; n < count; n += 1) cluster.call(target);
        await cluster.advance(thenMs);
      }
      await cluster.advance(30_000);
      expect(cluster.calls.filter(({ outcome }) => outcome.kind !== 'response')).toEqual([]);
      expect(cluster.podsOf(kept)).toBeGreaterThanOrEqual(3);
      expect(doubled(cluster)).toBe(0);
      expect(cluster.nodes.booked).toBeLessThanOrEqual(small.room);
    }),
    { numRuns: 25, seed: 1 },
  );
}, 60_000);
