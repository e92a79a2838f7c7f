import { expect, test } from '@jest/globals';
import { makeTarget } from './testing.ts';
import { SimCluster } from './testing-cluster.ts';

test.each<[broken: 'init' | 'call', perSecond: number, gateways: number]>([
  ['init', 1, 1],
  ['init', 20, 1],
  ['init', 20, 3],
  ['init', 200, 3],
  ['call', 1, 1],
  ['call', 20, 3],
])(
  'a function whose %s always fails, called %i times a second, %i gateways: few pods are used up, nobody waits',
  async (fails, perSecond, gateways) => {
    const broken = makeTarget({ versionUid: 'broken', functionObjectName: 'broken' });
    const functions = [{ target: broken, warmMs: 5, coldMs: 50, broken: fails }];
    const cluster = new SimCluster({ functions, gateways, room: 50, floor: 4 });
    await cluster.advance(5_000);
    await cluster.load(broken, perSecond, 60);
    expect(cluster.claimCount).toBeLessThanOrEqual(12);
    const first = cluster.claimCount;
    await cluster.load(broken, perSecond, 60);
    expect(cluster.claimCount - first).toBeLessThanOrEqual(6);
    await cluster.advance(1_000);
    // Each has the function's own error, as soon as it could have had it from a pod of its own, or sooner.
    expect(new Set(cluster.calls.map(({ outcome }) => outcome.kind))).toEqual(new Set(['error']));
    const waits = cluster.calls.map(({ sentMs, answeredMs }) => (answeredMs ?? Number.POSITIVE_INFINITY) - sentMs);
    expect(Math.max(...waits)).toBeLessThan(1_000);
    expect(waits.filter((ms) => ms > 50).length / waits.length).toBeLessThan(0.02);
  },
);
