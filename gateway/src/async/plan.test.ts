import { describe, expect, test } from '@jest/globals';

import type { Condition, Progress } from '../queue/event.ts';
import { type AttemptOutcome, isTooOld, planAttempt, planDelivery, planUnknown } from './plan.ts';
import type { AsyncSettings } from './settings.ts';
import { asyncEvent, asyncSettings } from './testing.ts';

const fresh: Progress = { attempts: 0, refusals: 0 };
const failed: AttemptOutcome = { kind: 'ran', result: { statusCode: 200, functionError: 'Unhandled' } };
const good: AttemptOutcome = { kind: 'ran', result: { statusCode: 200 } };
const throttled: AttemptOutcome = { kind: 'refused', result: { statusCode: 429 } };
const missing = (times: number): readonly AttemptOutcome[] =>
  Array.from({ length: times }, () => ({ kind: 'missing' }));
const dlq = { kind: 'deadLetter', arn: 'arn:dlq' } as const;
const loop = 'RecursiveInvocationDropped';
const destination = { kind: 'destination', arn: 'arn:failed' } as const;

interface Step {
  /** When the attempt was made, and lasted no time. */
  readonly atMs: number;
  readonly state: 'waiting' | 'done' | Condition;
}

/** The life of an event on a clock that stands still but for the pauses: each attempt comes to the next outcome, the last one for ever. */
function live(outcomes: readonly AttemptOutcome[], settings: AsyncSettings): readonly Step[] {
  const event = asyncEvent();
  const steps: Step[] = [];
  let progress = fresh;
  let nowMs = 0;
  for (let at = 0; at < 1000; at += 1) {
    const ended = { kind: 'ended', condition: 'EventAgeExceeded' } as const;
    const outcome = isTooOld(event, settings, nowMs) ? ended : (outcomes[at] ?? outcomes.at(-1) ?? good);
    const next = planAttempt(event, progress, outcome, settings, nowMs);
    if (next.kind === 'done') return [...steps, { atMs: nowMs, state: 'done' }];
    if (next.kind === 'dead') return [...steps, { atMs: nowMs, state: next.condition }];
    steps.push({ atMs: nowMs, state: 'waiting' });
    progress = next.progress;
    nowMs = next.dueMs;
  }
  throw new Error('it never ends');
}

const timesOf = (steps: readonly Step[]) => steps.map(({ atMs }) => atMs / 1000);

describe('the schedule, to the millisecond', () => {
  test.each<
    [
      reason: string,
      outcomes: readonly AttemptOutcome[],
      settings: AsyncSettings,
      seconds: number[],
      end: Step['state'],
    ]
  >([
    [
      'two retries after function errors, a minute and two later',
      [failed],
      asyncSettings(),
      [0, 60, 180],
      'RetriesExhausted',
    ],
    ['one retry', [failed], asyncSettings({ maxRetryAttempts: 1 }), [0, 60], 'RetriesExhausted'],
    ['none', [failed], asyncSettings({ maxRetryAttempts: 0 }), [0], 'RetriesExhausted'],
    ['a retry that goes well', [failed, good], asyncSettings(), [0, 60], 'done'],
    [
      'throttles take no retry, and their pauses begin anew after a run',
      [throttled, throttled, failed, throttled, throttled, failed, failed],
      asyncSettings(),
      [0, 1, 3, 63, 64, 66, 186],
      'RetriesExhausted',
    ],
    [
      'throttled for a minute: the last look is when it is too old',
      [throttled],
      asyncSettings({ maxAgeMs: 60_000 }),
      [0, 1, 3, 7, 15, 31, 60],
      'EventAgeExceeded',
    ],
    [
      'a retry that would come after the event is too old',
      [failed],
      asyncSettings({ maxAgeMs: 90_000 }),
      [0, 60, 90],
      'EventAgeExceeded',
    ],
    ['a function that is not known yet', [{ kind: 'missing' }, good], asyncSettings(), [0, 1], 'done'],
    [
      'a function that is not known at a retry, and made anew meanwhile',
      [failed, ...missing(5), throttled, ...missing(5), good],
      asyncSettings(),
      [0, 60, 61, 63, 67, 75, 91, 92, 93, 95, 99, 107, 123],
      'done',
    ],
    ['a function that is gone', [{ kind: 'missing' }], asyncSettings(), [0, 1, 3, 7, 15, 31], 'FunctionNotFound'],
    [
      'no concurrency at all',
      [{ kind: 'ended', condition: 'ZeroReservedConcurrency' }],
      asyncSettings(),
      [0],
      'ZeroReservedConcurrency',
    ],
    [
      'a loop',
      [{ kind: 'ended', condition: 'RecursiveInvocationDropped' }],
      asyncSettings(),
      [0],
      'RecursiveInvocationDropped',
    ],
  ])('%s', (_reason, outcomes, settings, seconds, end) => {
    const steps = live(outcomes, settings);
    expect(timesOf(steps)).toEqual(seconds);
    expect(steps.at(-1)?.state).toBe(end);
  });

  test('throttled for ever: the pauses double to five minutes, and the event lives for six hours', () => {
    const seconds = timesOf(live([throttled], asyncSettings()));
    expect(seconds.slice(0, 12)).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111]);
    expect(seconds.at(-1)).toBe(21_600);
  });

  test('a pause is counted from the end of the attempt', () => {
    const next = planAttempt(asyncEvent(), fresh, failed, asyncSettings(), 12_345);
    expect(next).toMatchObject({ kind: 'retry', dueMs: 72_345, progress: { attempts: 1, refusals: 0 } });
  });
});

describe('who is told', () => {
  const settings = asyncSettings({ onSuccess: 'arn:fine', onFailure: [destination, dlq], maxRetryAttempts: 0 });
  const delivering = (condition: Condition, told?: readonly string[]): Progress => ({
    attempts: 1,
    refusals: 0,
    delivery: { condition, decidedMs: 1000, failures: 0, ...(told && { told }) },
  });

  test('an outcome is final before anybody is told', () => {
    expect(planAttempt(asyncEvent(), fresh, failed, settings, 5)).toMatchObject({
      kind: 'retry',
      dueMs: 5,
      progress: { attempts: 1, delivery: { condition: 'RetriesExhausted', decidedMs: 5, failures: 0 } },
    });
    expect(planAttempt(asyncEvent(), fresh, good, settings, 5)).toMatchObject({
      kind: 'retry',
      dueMs: 5,
      progress: { attempts: 0, delivery: { condition: 'Success' } },
    });
  });

  test.each<[reason: string, arn: string, condition: Condition, want: object]>([
    ['of a loop no function: that would be its next turn', 'arn:aws:lambda:r:a:function:f', loop, { kind: 'dead' }],
    ['of a loop a queue', 'arn:aws:sqs:r:a:q', loop, { kind: 'retry' }],
    ['of all else a function, too', 'arn:aws:lambda:r:a:function:f', 'RetriesExhausted', { kind: 'retry' }],
  ])('%s', (_reason, arn, condition, want) => {
    const only = asyncSettings({ onFailure: [{ kind: 'destination', arn }] });
    expect(planAttempt(asyncEvent(), fresh, { kind: 'ended', condition }, only, 5)).toMatchObject(want);
  });

  test.each<
    [
      reason: string,
      progress: Progress,
      told: readonly string[],
      over: Partial<AsyncSettings>,
      atMs: number,
      want: object,
    ]
  >([
    ['all have heard', delivering('RetriesExhausted'), ['arn:failed', 'arn:dlq'], {}, 1000, { kind: 'done' }],
    ['a success', delivering('Success'), ['arn:fine'], {}, 1000, { kind: 'done' }],
    [
      'one of two has',
      delivering('RetriesExhausted'),
      ['arn:dlq'],
      {},
      1000,
      { kind: 'retry', dueMs: 2000, progress: { delivery: { failures: 1, told: ['arn:dlq'] } } },
    ],
    [
      'nobody has, for as long as events live',
      delivering('Success'),
      [],
      {},
      21_601_000,
      { kind: 'dead', condition: 'Success' },
    ],
    [
      'the destination was taken away meanwhile',
      delivering('RetriesExhausted'),
      [],
      { onFailure: [] },
      1000,
      { kind: 'dead' },
    ],
    ['that of successes, too', delivering('Success'), [], { onSuccess: null }, 1000, { kind: 'done' }],
  ])('%s', (_reason, progress, told, over, atMs, want) => {
    expect(planDelivery(progress, told, { ...settings, ...over }, atMs)).toMatchObject(want);
  });

  test('while the function is not known nobody knows who is to be told; after half a minute it is dead', () => {
    const steps: string[] = [];
    let next = planUnknown(delivering('Success'), 1000);
    for (; next.kind === 'retry'; next = planUnknown(next.progress, 1000)) steps.push(String(next.dueMs / 1000 - 1));
    expect(steps).toEqual(['1', '2', '4', '8', '16']);
    expect(next).toMatchObject({ kind: 'dead', condition: 'Success' });
  });

  test('what was looked at in vain is forgotten once the function is known', () => {
    const next = planDelivery({ ...delivering('Success'), missing: 3 }, [], settings, 1000);
    expect(next.kind === 'retry' && 'missing' in next.progress).toBe(false);
  });

  test('pauses of deliveries double to five minutes', () => {
    const pauses: number[] = [];
    let progress = delivering('Success');
    for (let at = 0; at < 11; at += 1) {
      const next = planDelivery(progress, [], settings, 1000);
      if (next.kind !== 'retry') throw new Error(next.kind);
      pauses.push((next.dueMs - 1000) / 1000);
      progress = next.progress;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });
});
