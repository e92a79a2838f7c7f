import { expect, test } from '@jest/globals';
import { makeTarget } from './testing.ts';
import { type SimCall, SimCluster } from './testing-cluster.ts';
import type { SimFunction } from './testing-nodes.ts';

/** A function of 10 ms that has been called 20 times a second for a while, in a cluster that keeps `floor` generic pods. */
async function warmed(floor: number, warmMs = 10) {
  const target = makeTarget({ versionUid: 'short', functionObjectName: 'short' });
  const fn: SimFunction = { target, warmMs, coldMs: warmMs + 50 };
  const cluster = new SimCluster({ functions: [fn], gateways: 1, room: 200, floor });
  await cluster.advance(5_000);
  await cluster.load(target, 20, 20);
  const made = cluster.nodes.pods.length;
  const claimed = cluster.claimCount;
  return {
    cluster,
    target,
    fn,
    made: () => cluster.nodes.pods.length - made,
    claims: () => cluster.claimCount - claimed,
  };
}

type Stall = (cluster: SimCluster) => void;
const gateway =
  (ms: number): Stall =>
  (cluster) =>
    cluster.agenda.stall(0, ms);
const agents =
  (ms: number): Stall =>
  (cluster) =>
    cluster.agenda.stall('agents', ms);

const worstWait = (calls: readonly SimCall[]): number =>
  Math.max(...calls.map(({ answeredMs, sentMs }) => (answeredMs ?? Number.POSITIVE_INFINITY) - sentMs));

// The calls of a stall all come at its end. Without the rules for it (plan.ts), 20 calls a second made up to 247 pods here.
test.each<[reason: string, stallMs: number, stalls: readonly Stall[]]>([
  ['the gateway stands still', 7_000, [gateway(7_000)]],
  ['the agents are late', 3_000, [agents(3_000)]],
  ['the agents are very late', 7_000, [agents(7_000)]],
  ['the whole machine stands still', 7_000, [gateway(7_000), agents(7_000)]],
  ['and the agents longer', 10_000, [gateway(7_000), agents(10_000)]],
])('%s for %i ms: few pods are claimed and made for it', async (_reason, stallMs, stalls) => {
  for (const [floor, mostClaims] of [
    [0, 16],
    [2, 4],
    [24, 16],
  ] as const) {
    const { cluster, target, made, claims } = await warmed(floor);
    cluster.call(target);
    await cluster.advance(1); // it runs
    for (const stall of stalls) stall(cluster);
    const calls = await cluster.load(target, 20, 20);
    await cluster.advance(10_000);
    expect(calls.filter(({ outcome }) => outcome.kind !== 'response')).toEqual([]);
    expect(worstWait(calls)).toBeLessThan(stallMs + 300);
    expect(claims()).toBeLessThanOrEqual(mostClaims);
    expect(made()).toBeLessThanOrEqual(mostClaims + 4);
  }
});

test('requests that take far longer than before are not taken for a stall', async () => {
  const { cluster, target, fn } = await warmed(4);
  fn.warmMs = 3_000;
  fn.coldMs = 3_050;
  const calls = await cluster.load(target, 20, 20);
  await cluster.advance(10_000);
  expect(calls.filter(({ outcome }) => outcome.kind !== 'response')).toEqual([]);
});

test.each<[warmMs: number, mostClaims: number, mostMs: number]>([
  [10, 8, 200],
  [100, 40, 450],
  [300, 100, 700],
])(
  'a hundred calls at once of %i ms each: at most %i claims, all answered within %i ms',
  async (warmMs, mostClaims, mostMs) => {
    const { cluster, target, claims } = await warmed(100, warmMs);
    const calls = [...Array(100).keys()].map(() => cluster.call(target));
    await cluster.advance(10_000);
    expect(claims()).toBeLessThanOrEqual(mostClaims);
    expect(worstWait(calls)).toBeLessThanOrEqual(mostMs);
  },
);

test.each<[floor: number, warmMs: number, seconds: number]>([
  [24, 2, 3],
  [24, 20, 3],
  [4, 2, 8],
  [4, 20, 8],
])(
  'sixteen callers that never pause have sixteen pods soon: a pool of %i, %i ms a request, within %i s',
  async (floor, warmMs, seconds) => {
    const { cluster, target, claims } = await warmed(floor, warmMs);
    const callers = [...Array(16).keys()].map(() => ({ call: cluster.call(target) }));
    for (let ms = 0; ms < seconds * 1000; ms += 1) {
      await cluster.advance(1);
      for (const caller of callers) if (caller.call.answeredMs !== null) caller.call = cluster.call(target);
    }
    expect(claims()).toBeGreaterThanOrEqual(14);
    expect(claims()).toBeLessThanOrEqual(18);
  },
);
