import { expect, test } from '@jest/globals';
import type { Run } from './ledger.ts';
import type { Sample } from './load.ts';
import { slowest } from './summary.ts';

const sample = (requestId: string, startMs: number, endMs: number, status = 200): Sample => ({
  number: 0,
  fn: 'a',
  startMs,
  endMs,
  status,
  attempts: 1,
  answer: null,
  requestId,
  problem: '',
});
const run = (requestId: string, beginMs: number, endMs: number | null): Run => ({
  fn: 'a',
  pod: `pod of ${requestId}`,
  instance: 'life-1',
  requestId,
  number: 0,
  beginMs,
  endMs,
});

test('the slowest good requests: where each one was for how long', () => {
  const samples = [sample('a', 100, 110), sample('b', 200, 950), sample('c', 300, 800), sample('d', 400, 9000, 500)];
  const runs = [run('a', 101, 109), run('b', 850, 900.4), run('c', 310, null)];
  expect(slowest(samples, runs, 2)).toEqual([
    { fn: 'a', sentMs: 100, waitedMs: 650, ranMs: 50, returnedMs: 50, pod: 'pod of b' },
    { fn: 'a', sentMs: 200, waitedMs: 10, ranMs: null, returnedMs: null, pod: 'pod of c' },
  ]);
});
