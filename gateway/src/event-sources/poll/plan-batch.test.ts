import { describe, expect, test } from '@jest/globals';

import type { BatchOutcome } from './batch-outcome.ts';
import { countTooOld, type Part, pauseAfterFailure, planBatch, type TrySettings } from './plan-batch.ts';
import { sourceRecord } from './testing-records.ts';

const failed: BatchOutcome = { kind: 'failed', executedVersion: '1' };
const ran: BatchOutcome = { kind: 'ran', answer: Buffer.alloc(0), executedVersion: '1' };
const reports = (...ids: string[]): BatchOutcome => ({
  kind: 'ran',
  answer: Buffer.from(JSON.stringify({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) })),
  executedVersion: '1',
});
const partOf = (ids: string, attempts = 0): Part => ({ records: [...ids].map((id) => sourceRecord(id)), attempts });
const settings = (over: Partial<TrySettings> = {}): TrySettings => ({
  maxRetries: null,
  bisects: false,
  reportsFailures: false,
  ...over,
});
const names = (records: readonly { readonly id: string }[]) => records.map(({ id }) => id).join('');

describe('one try of a part', () => {
  test.each<
    [
      reason: string,
      part: Part,
      outcome: BatchOutcome,
      over: Partial<TrySettings>,
      want: { done?: string; gaveUp?: string; next?: readonly string[]; pauseMs?: number | null },
    ]
  >([
    ['it went well', partOf('abcd'), ran, {}, { done: 'abcd' }],
    ['it failed', partOf('abcd'), failed, {}, { next: ['abcd×1'], pauseMs: 100 }],
    ['again', partOf('abcd', 3), failed, {}, { next: ['abcd×4'], pauseMs: 800 }],
    ['no retry', partOf('abcd'), failed, { maxRetries: 0 }, { gaveUp: 'abcd' }],
    ['the last retry', partOf('abcd', 1), failed, { maxRetries: 2 }, { next: ['abcd×2'], pauseMs: 200 }],
    ['none left', partOf('abcd', 2), failed, { maxRetries: 2 }, { gaveUp: 'abcd' }],
    ['halved', partOf('abcde', 1), failed, { bisects: true }, { next: ['abc×1', 'de×1'], pauseMs: 0 }],
    [
      'halved although no retry is left',
      partOf('ab', 2),
      failed,
      { bisects: true, maxRetries: 2 },
      { next: ['a×2', 'b×2'], pauseMs: 0 },
    ],
    ['one record cannot be halved', partOf('a', 0), failed, { bisects: true, maxRetries: 0 }, { gaveUp: 'a' }],
    ['what is reported counts only where that was agreed', partOf('abcd'), reports('c'), {}, { done: 'abcd' }],
    [
      'some reported: from the first on',
      partOf('abcd', 5),
      reports('d', 'c'),
      { reportsFailures: true },
      { done: 'ab', next: ['cd×1'], pauseMs: 100 },
    ],
    [
      '… which counts as a try of it',
      partOf('abcd'),
      reports('c'),
      { reportsFailures: true, maxRetries: 0 },
      { done: 'ab', gaveUp: 'cd' },
    ],
    [
      '… and not where batches are halved',
      partOf('abcd'),
      reports('c'),
      { reportsFailures: true, bisects: true, maxRetries: 0 },
      { done: 'ab', next: ['cd×0'], pauseMs: 0 },
    ],
    [
      'the first one reported',
      partOf('abcd'),
      reports('a'),
      { reportsFailures: true },
      { next: ['abcd×1'], pauseMs: 100 },
    ],
    [
      'the first one reported, halved',
      partOf('abcd'),
      reports('a'),
      { reportsFailures: true, bisects: true },
      { next: ['ab×0', 'cd×0'], pauseMs: 0 },
    ],
    [
      'an identifier of no record: all of it',
      partOf('abcd'),
      reports('z'),
      { reportsFailures: true },
      { next: ['abcd×1'], pauseMs: 100 },
    ],
    [
      'no capacity is no try',
      partOf('abcd', 2),
      { kind: 'refused', statusCode: 429 },
      { maxRetries: 2, bisects: true },
      { next: ['abcd×2'], pauseMs: null },
    ],
    [
      'a function that is gone waits',
      partOf('abcd'),
      { kind: 'missing' },
      { maxRetries: 0 },
      { next: ['abcd×0'], pauseMs: null },
    ],
    ['a loop', partOf('abcd'), { kind: 'looped' }, {}, { gaveUp: 'abcd' }],
  ])('%s', (_reason, part, outcome, over, { done = '', gaveUp = '', next = [], pauseMs = 0 }) => {
    const plan = planBatch(part, outcome, settings(over));
    expect(names(plan.done)).toBe(done);
    expect(names(plan.gaveUp?.records ?? [])).toBe(gaveUp);
    expect(plan.next.map(({ records, attempts }) => `${names(records)}×${attempts}`)).toEqual(next);
    expect(plan.pauseMs).toBe(pauseMs);
  });
});

/** Gives parts to a function that fails on `poison` until nothing is left; answers what was given up and how often it was called. */
function live(
  ids: string,
  poison: string,
  over: Partial<TrySettings>,
): { gaveUp: string; done: string; calls: number } {
  const isGood = ({ records }: Part) => !records.some(({ id }) => poison.includes(id));
  const parts = [partOf(ids)];
  let [gaveUp, done, calls] = ['', '', 0];
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    calls += 1;
    if (calls > 1_000) throw new Error('it never ends');
    const plan = planBatch(part, isGood(part) ? ran : failed, settings(over));
    done += names(plan.done);
    gaveUp += names(plan.gaveUp?.records ?? []);
    parts.unshift(...plan.next);
  }
  return { gaveUp, done, calls };
}

test('halving finds the poison, and nothing else is given up', () => {
  expect(live('abcdefgh', 'c', { bisects: true, maxRetries: 2 })).toEqual({ gaveUp: 'c', done: 'abdefgh', calls: 9 });
  expect(live('abcdefgh', 'cg', { bisects: true, maxRetries: 0 })).toMatchObject({ gaveUp: 'cg', done: 'abdefh' });
});

test('records keep their order, whatever fails', () => {
  const { done, gaveUp } = live('abcdefghij', 'adj', { bisects: true, maxRetries: 1 });
  expect([done, gaveUp]).toEqual(['bcefghi', 'adj']);
});

test.each<[reason: string, arrivals: readonly number[], maxAgeMs: number | null, want: number]>([
  ['no limit', [0, 1], null, 0],
  ['none is too old', [40_000, 50_000], 60_000, 0],
  ['exactly as old as may be', [40_000], 60_000, 0],
  ['the first two', [0, 10, 99_000], 60_000, 2],
  ['all', [0, 10], 60_000, 2],
  ['one behind a young one waits for its turn', [99_000, 0], 60_000, 0],
])('too old at 100 s: %s', (_reason, arrivals, maxAgeMs, want) => {
  expect(
    countTooOld(
      arrivals.map((arrivedMs) => ({ arrivedMs })),
      { maxAgeMs },
      100_000,
    ),
  ).toBe(want);
});

test('pauses double to half a minute', () => {
  expect([1, 2, 3, 9, 10, 50].map(pauseAfterFailure)).toEqual([100, 200, 400, 25_600, 30_000, 30_000]);
});
