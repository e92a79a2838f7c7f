import type { AsyncEvent, AttemptResult, Condition, Progress } from '../queue/event.ts';
import type { Settlement } from '../queue/event-queue.ts';
import type { AsyncSettings, FailureTarget } from './settings.ts';

/** What came of taking an event up. */
export type AttemptOutcome =
  /** The function ran; `result.functionError` is set when it failed. */
  | { readonly kind: 'ran'; readonly result: AttemptResult }
  /** It did not run, or nobody knows: no capacity (429), a fault of the platform (5xx), or no version to run yet (409). */
  | { readonly kind: 'refused'; readonly result: AttemptResult }
  /** There is no such function, version or alias here. */
  | { readonly kind: 'missing' }
  /** It will never run. */
  | { readonly kind: 'ended'; readonly condition: Condition };

/** Between the first attempt and the second; twice that before the third. */
const RETRY_MS = 60_000;
/** Pause after the first refusal; it doubles. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 300_000;
/** Looks that find no function before it counts as gone: 31 s, for one that is made anew, and for gateways that hear of it late. */
const MISSING_LOOKS = 6;

/**
 * What becomes of an event after an attempt. Pure.
 *
 *   outcome                          | what happens
 *   ran well                         | done; with a destination on success: it is told first
 *   ran and failed, retries left     | again after 60 s, then after 120 s
 *   ran and failed, none left        | given up: RetriesExhausted
 *   refused (429, 5xx)               | again after 1 s, 2 s, 4 s … 300 s; an attempt that runs begins anew
 *   missing                          | again after 1 s, 2 s … 16 s; at the sixth time in a row given up: FunctionNotFound
 *   ended                            | given up at once: too old, reserved concurrency 0, a loop
 *
 *   given up                         | the destination on failure and the dead-letter queue are told; without either it is dead
 *
 * No pause ends after the event is too old: then it is looked at once more, and given up with EventAgeExceeded.
 */
export function planAttempt(
  event: Pick<AsyncEvent, 'acceptedMs'>,
  progress: Progress,
  outcome: AttemptOutcome,
  settings: AsyncSettings,
  nowMs: number,
): Settlement {
  const again = (pauseMs: number, next: Progress): Settlement => {
    const dueMs = Math.min(nowMs + pauseMs, event.acceptedMs + settings.maxAgeMs);
    return { kind: 'retry', dueMs: Math.max(dueMs, nowMs), progress: next };
  };
  const { attempts, refusals } = progress;
  switch (outcome.kind) {
    case 'ran': {
      const { result } = outcome;
      if (result.functionError === undefined) return planSuccess(progress, result, settings, nowMs);
      const failed = { attempts: attempts + 1, refusals: 0, last: result };
      if (failed.attempts > settings.maxRetryAttempts) return planEnd(failed, 'RetriesExhausted', settings, nowMs);
      return again(RETRY_MS * failed.attempts, failed);
    }
    case 'refused':
      return again(pauseAfter(refusals), { attempts, refusals: refusals + 1, last: outcome.result });
    case 'missing': {
      const missing = (progress.missing ?? 0) + 1;
      if (missing < MISSING_LOOKS) return again(pauseAfter(missing - 1), { ...progress, missing });
      return planEnd(progress, 'FunctionNotFound', settings, nowMs);
    }
    case 'ended':
      return planEnd(progress, outcome.condition, settings, nowMs);
  }
}

/** It is not tried any more. */
export function isTooOld({ acceptedMs }: Pick<AsyncEvent, 'acceptedMs'>, { maxAgeMs }: AsyncSettings, nowMs: number) {
  return nowMs - acceptedMs >= maxAgeMs;
}

/** 1 s, 2 s, 4 s … 300 s. @param before how often it was so in a row, >= 0 */
export function pauseAfter(before: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** before, MAX_PAUSE_MS);
}

/** Who has to be told of a final outcome. Of a loop that was stopped no function is: that would be the loop's next turn. */
export function targetsOf(condition: Condition, { onSuccess, onFailure }: AsyncSettings): readonly FailureTarget[] {
  if (condition === 'Success') return onSuccess === null ? [] : [{ kind: 'destination', arn: onSuccess }];
  if (condition !== 'RecursiveInvocationDropped') return onFailure;
  return onFailure.filter(({ arn }) => arn.split(':')[2] !== 'lambda');
}

/**
 * What becomes of an event after its destinations were told, or not. Pure. What could not be told is told again after 1 s, 2 s … 300 s, as long
 * as an event may wait; then the event is dead.
 *
 * @param told ARNs that have heard of it by now
 */
export function planDelivery(
  progress: Progress,
  told: readonly string[],
  settings: AsyncSettings,
  nowMs: number,
): Settlement {
  const { delivery } = progress;
  if (delivery === undefined) throw new Error('nothing was to be delivered');
  const { condition, decidedMs, failures } = delivery;
  const targets = targetsOf(condition, settings);
  if (targets.length === 0 && condition !== 'Success') return { kind: 'dead', atMs: nowMs, condition, progress }; // nobody wants it any more
  if (targets.every(({ arn }) => told.includes(arn))) return { kind: 'done' };
  const endMs = decidedMs + settings.maxAgeMs;
  const { missing: _, ...known } = progress;
  const next = { ...known, delivery: { ...delivery, failures: failures + 1, told: [...told] } };
  if (nowMs >= endMs) return { kind: 'dead', atMs: nowMs, condition, progress: next };
  return { kind: 'retry', dueMs: Math.min(nowMs + pauseAfter(failures), endMs), progress: next };
}

/**
 * What becomes of a final outcome while its function is not known, and so nobody knows who is to be told: looked at again as an event is that
 * finds no function, then dead. Pure.
 */
export function planUnknown(progress: Progress, nowMs: number): Settlement {
  const { delivery, missing = 0 } = progress;
  if (delivery === undefined) throw new Error('nothing was to be delivered');
  const { condition, failures } = delivery;
  const next = { ...progress, missing: missing + 1, delivery: { ...delivery, failures: failures + 1 } };
  if (next.missing >= MISSING_LOOKS) return { kind: 'dead', atMs: nowMs, condition, progress };
  return { kind: 'retry', dueMs: nowMs + pauseAfter(missing), progress: next };
}

function planSuccess(progress: Progress, last: AttemptResult, settings: AsyncSettings, nowMs: number): Settlement {
  if (settings.onSuccess === null) return { kind: 'done' };
  return planTelling({ attempts: progress.attempts, refusals: 0, last }, 'Success', nowMs);
}

function planEnd(progress: Progress, condition: Condition, settings: AsyncSettings, nowMs: number): Settlement {
  if (targetsOf(condition, settings).length > 0) return planTelling(progress, condition, nowMs);
  return { kind: 'dead', atMs: nowMs, condition, progress };
}

function planTelling(progress: Progress, condition: Condition, nowMs: number): Settlement {
  const { missing: _, ...known } = progress;
  const delivery = { condition, decidedMs: nowMs, failures: 0 };
  return { kind: 'retry', dueMs: nowMs, progress: { ...known, delivery } };
}
