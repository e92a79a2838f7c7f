import type { StreamSettings } from '../mapping/mapping-view.ts';
import type { BatchResult } from '../mapping/plan-conditions.ts';
import type { SourceRecord } from '../record.ts';
import { readFailures } from './batch-failures.ts';
import type { BatchOutcome } from './batch-outcome.ts';

/** Records that are given to the function together, in order; at least one. */
export interface Part {
  readonly records: readonly SourceRecord[];
  /** Tries that its first record has failed in, as far as they count. */
  readonly attempts: number;
}

/** Why records of a stream were given up, in the words of Lambda's records of failures. */
export type GiveUpCondition =
  | 'RetryAttemptsExhausted'
  | 'RecordAgeExceeded'
  | 'RecursiveInvocationDropped'
  /** Kappa's own: a record is larger than an invocation may be. */
  | 'RecordTooLarge';

/** What becomes of one part. Every record of it stands in `done`, in `gaveUp` or in `next`. */
export interface BatchPlan {
  readonly done: readonly SourceRecord[];
  readonly gaveUp: { readonly records: readonly SourceRecord[]; readonly condition: GiveUpCondition } | null;
  /** In this order, before any later record of the lane. */
  readonly next: readonly Part[];
  /** Before the first of `next`, milliseconds; null = as pacing says: there was no capacity. */
  readonly pauseMs: number | null;
  readonly result: BatchResult;
}

export type TrySettings = Pick<StreamSettings, 'maxRetries' | 'bisects'> & { readonly reportsFailures: boolean };

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;

/**
 * What becomes of a part of a stream. Pure.
 *
 *   outcome                               | records
 *   ran, none failed                      | done
 *   ran, first failure at i > 0           | those before i are done. The rest goes on: it counts as tried once, or, where batches are halved, as not tried
 *   failed at 0, halving, more than one   | both halves, one after the other; that uses up no retry
 *   failed at 0                           | again after 100 ms, 200 ms … 30 s; one more try is counted
 *   … more tries than 1 + maxRetries      | given up: RetryAttemptsExhausted
 *   refused, missing                      | again, not counted; only age ends it
 *   looped                                | given up
 *
 * A part that makes progress begins to count anew, so no record is given up for the failures of others. It ends all the same: each such
 * step leaves fewer records.
 */
export function planBatch(part: Part, outcome: BatchOutcome, settings: TrySettings): BatchPlan {
  switch (outcome.kind) {
    case 'ran':
      return settings.reportsFailures ? planReported(part, outcome.answer, settings) : done(part);
    case 'failed':
      return planFailure(part, 0, settings, { kind: 'functionFailed' });
    case 'looped':
      return giveUp([], part.records, 'RecursiveInvocationDropped');
    case 'refused':
    case 'missing':
      return { done: [], gaveUp: null, next: [part], pauseMs: null, result: { kind: 'throttled' } };
  }
}

/** Records at the beginning that are older than the function wants them; the others are not looked at before their turn. */
export function countTooOld(
  records: readonly Pick<SourceRecord, 'arrivedMs'>[],
  { maxAgeMs }: Pick<StreamSettings, 'maxAgeMs'>,
  nowMs: number,
): number {
  if (maxAgeMs === null) return 0;
  const young = records.findIndex(({ arrivedMs }) => nowMs - arrivedMs <= maxAgeMs);
  return young === -1 ? records.length : young;
}

/** 100 ms, 200 ms … 30 s. @param attempts that have failed, >= 1 */
export function pauseAfterFailure(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), MAX_PAUSE_MS);
}

function planReported(part: Part, answer: Buffer, settings: TrySettings): BatchPlan {
  const failures = readFailures(answer, new Set(part.records.map(({ id }) => id)));
  if (failures.kind === 'none') return done(part);
  if (failures.kind === 'all') {
    const { why } = failures;
    return planFailure(part, 0, settings, why === null ? { kind: 'someFailed' } : { kind: 'badAnswer', why });
  }
  const first = part.records.findIndex(({ id }) => failures.ids.has(id));
  return planFailure(part, first, settings, { kind: 'someFailed' });
}

function planFailure(part: Part, first: number, settings: TrySettings, result: BatchResult): BatchPlan {
  const { bisects, maxRetries } = settings;
  const { records, attempts } = part;
  const before = records.slice(0, first);
  const rest = records.slice(first);
  if (bisects && first === 0 && rest.length > 1) {
    const half = Math.ceil(rest.length / 2);
    const next = [rest.slice(0, half), rest.slice(half)].map((each): Part => ({ records: each, attempts }));
    return { done: before, gaveUp: null, next, pauseMs: 0, result };
  }
  const failed = first === 0 ? attempts + 1 : bisects ? 0 : 1;
  if (maxRetries !== null && failed > maxRetries) return giveUp(before, rest, 'RetryAttemptsExhausted');
  const pauseMs = failed === 0 ? 0 : pauseAfterFailure(failed);
  return { done: before, gaveUp: null, next: [{ records: rest, attempts: failed }], pauseMs, result };
}

function done({ records }: Part): BatchPlan {
  return { done: records, gaveUp: null, next: [], pauseMs: 0, result: { kind: 'ok' } };
}

/** @param before what is done of the same part */
function giveUp(
  before: readonly SourceRecord[],
  records: readonly SourceRecord[],
  condition: GiveUpCondition,
): BatchPlan {
  return { done: before, gaveUp: { records, condition }, next: [], pauseMs: 0, result: { kind: 'gaveUp', condition } };
}
