import { expect, test } from '@jest/globals';

import { SourceProblem } from '../source-problem.ts';
import { Flow, type FlowReport, mergeReports, THROTTLED_MS } from './flow.ts';

const report = (over: Partial<FlowReport> = {}): FlowReport => ({
  polledGeneration: null,
  shards: null,
  heldShards: 0,
  problem: null,
  lastBatch: null,
  ...over,
});
const denied = new SourceProblem('AccessDenied', 'sqs refused the credentials');
const away = new SourceProblem('Unreachable', 'no answer from 10.0.0.1:9092');

function rig() {
  const world = { nowMs: 1_000, lost: [] as string[] };
  const flow = new Flow({ now: () => world.nowMs, onPositionLost: (message) => world.lost.push(message) });
  return { world, flow };
}

test('a problem of one shard stands until that shard is well, or given up', () => {
  const { flow } = rig();
  flow.observer('a').problem(denied);
  flow.observer('b').problem(away);
  flow.observer('c').problem(null);
  expect(flow.problem).toEqual({ reason: 'AccessDenied', message: 'sqs refused the credentials' });
  flow.observer('a').problem(null);
  expect(flow.problem).toMatchObject({ reason: 'Unreachable' });
  flow.keep(['a', 'c']);
  expect(flow.problem).toBeNull();
});

test('a lost position is told at once and is no condition that stays', () => {
  const { world, flow } = rig();
  flow.observer('a').problem(new SourceProblem('PositionLost', 'record 7 was removed: reading goes on at 9'));
  expect([flow.problem, world.lost]).toEqual([null, ['record 7 was removed: reading goes on at 9']]);
});

test('batches that are refused for more than a minute are a problem, one that runs ends it', () => {
  const { world, flow } = rig();
  const { ended } = flow.observer('a');
  ended({ kind: 'ok' }, 0);
  ended({ kind: 'throttled' }, 0);
  world.nowMs += THROTTLED_MS;
  ended({ kind: 'throttled' }, 0);
  expect([flow.problem, flow.lastBatch?.result.kind]).toEqual([null, 'throttled']);
  world.nowMs += 1;
  expect(flow.problem).toMatchObject({ reason: 'FunctionThrottled' });
  ended({ kind: 'functionFailed' }, 3);
  expect(flow.problem).toBeNull();
  expect(flow.lastBatch).toEqual({ result: { kind: 'functionFailed' }, atMs: world.nowMs });
});

test('of several gateways: the oldest generation, all shards, the first problem, the latest batch', () => {
  const ok = (atMs: number) => ({ result: { kind: 'ok' }, atMs }) as const;
  const problem = { reason: 'Throttled', message: 'slow down' } as const;
  expect(
    mergeReports(report({ polledGeneration: 2, shards: 4, heldShards: 1, lastBatch: ok(5) }), [
      report({ polledGeneration: 1, heldShards: 2, problem, lastBatch: ok(9) }),
      report(),
    ]),
  ).toEqual({ polledGeneration: 1, shards: 4, heldShards: 3, problem, lastBatch: ok(9) });
  expect(mergeReports(report(), [report({ shards: 2 })])).toEqual(report({ shards: 2 }));
});
