import { expect, test } from '@jest/globals';
import { checkLedger, maxOverlap, noFindings } from './checks.ts';
import type { Run } from './ledger.ts';
import type { Sample } from './load.ts';

const run = (over: Partial<Run>): Run => ({
  fn: 'a',
  pod: 'pod-1',
  instance: 'life-1',
  requestId: 'id-0',
  number: 0,
  beginMs: 0,
  endMs: 10,
  ...over,
});
const sample = (over: Partial<Sample>): Sample => ({
  number: 0,
  fn: 'a',
  startMs: 0,
  endMs: 10,
  status: 200,
  attempts: 1,
  answer: { fn: 'a', number: 0, requestId: 'id-0', pod: 'pod-1' },
  requestId: 'id-0',
  problem: '',
  ...over,
});

test.each([
  ['touching runs do not overlap', [run({ endMs: 5 }), run({ beginMs: 5, endMs: 9 })], 1],
  ['three at once', [run({}), run({ beginMs: 1 }), run({ beginMs: 9, endMs: 20 })], 3],
  ['a run without an end counts as a moment', [run({ endMs: null }), run({ beginMs: 1 })], 1],
  ['no runs', [], 0],
])('the most runs at once: %s', (_why, runs, most) => {
  expect(maxOverlap(runs)).toBe(most);
});

test('a run and its answer that belong together are no finding', () => {
  expect(checkLedger([sample({})], [run({})])).toEqual(noFindings);
});

test.each([
  ['misdelivered', [sample({ number: 7 })], [run({})]],
  ['misdelivered', [sample({ answer: { fn: 'b', number: 0, requestId: 'id-0', pod: 'pod-1' } })], [run({})]],
  ['unknownRuns', [sample({})], []],
  ['ranTwice', [], [run({}), run({ beginMs: 20, endMs: 30 })]],
  ['shared', [], [run({}), run({ fn: 'b', requestId: 'id-1', beginMs: 20, endMs: 30 })]],
  ['overlapsInPod', [], [run({}), run({ requestId: 'id-1', beginMs: 5, endMs: 30 })]],
] as const)('found: %s', (finding, samples, runs) => {
  expect(checkLedger(samples, runs)[finding]).toHaveLength(1);
});

test('a request that got no answer may have run once', () => {
  expect(checkLedger([sample({ status: 0, answer: null, problem: 'reset' })], [run({})])).toEqual(noFindings);
});
