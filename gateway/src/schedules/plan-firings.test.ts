import { expect, test } from '@jest/globals';

import { type FiringPlan, type MissedPolicy, planFirings } from './plan-firings.ts';
import { parseSchedule } from './schedule.ts';

const MINUTE = 60_000;
const every = (expression: string) =>
  parseSchedule({ expression, timezone: 'UTC', startMs: null, endMs: null, createdMs: 0 });
const hourly = every('rate(60 minutes)');
const eachMinute = every('rate(1 minute)');
const once = every('at(1970-01-01T01:00:00)');
const minutes = (...all: readonly number[]): number[] => all.map((minute) => minute * MINUTE);

test.each<[reason: string, ...Parameters<typeof planFirings>, want: FiringPlan]>([
  ['nothing is due yet', hourly, 'One', 0, 59 * MINUTE, { due: [], sinceMs: 0, nextMs: 60 * MINUTE }],
  [
    'due on the second',
    hourly,
    'Skip',
    0,
    60 * MINUTE,
    { due: minutes(60), sinceMs: 60 * MINUTE, nextMs: 120 * MINUTE },
  ],
  [
    'what is over is over',
    hourly,
    'All',
    60 * MINUTE,
    61 * MINUTE,
    { due: [], sinceMs: 60 * MINUTE, nextMs: 120 * MINUTE },
  ],
  [
    'a minute late is on time',
    hourly,
    'Skip',
    0,
    61 * MINUTE,
    { due: minutes(60), sinceMs: 60 * MINUTE, nextMs: 120 * MINUTE },
  ],
  ['Skip leaves it out', hourly, 'Skip', 0, 61 * MINUTE + 1, { due: [], sinceMs: 60 * MINUTE, nextMs: 120 * MINUTE }],
  [
    'One makes up for it',
    hourly,
    'One',
    0,
    61 * MINUTE + 1,
    { due: minutes(60), sinceMs: 60 * MINUTE, nextMs: 120 * MINUTE },
  ],
  [
    'One makes up for many by one',
    hourly,
    'One',
    0,
    200 * MINUTE,
    { due: minutes(180), sinceMs: 180 * MINUTE, nextMs: 240 * MINUTE },
  ],
  [
    'One has the one that is on time',
    hourly,
    'One',
    0,
    180 * MINUTE,
    { due: minutes(180), sinceMs: 180 * MINUTE, nextMs: 240 * MINUTE },
  ],
  [
    'One fires all that is on time',
    eachMinute,
    'One',
    0,
    10 * MINUTE,
    { due: minutes(9, 10), sinceMs: 10 * MINUTE, nextMs: 11 * MINUTE },
  ],
  [
    'All makes up for all',
    hourly,
    'All',
    0,
    200 * MINUTE,
    { due: minutes(60, 120, 180), sinceMs: 180 * MINUTE, nextMs: 240 * MINUTE },
  ],
  ['a moment, once', once, 'One', 0, 90 * MINUTE, { due: minutes(60), sinceMs: 60 * MINUTE, nextMs: null }],
  ['a moment that is over', once, 'One', 60 * MINUTE, 90 * MINUTE, { due: [], sinceMs: 60 * MINUTE, nextMs: null }],
  [
    'clocks of gateways differ',
    hourly,
    'All',
    120 * MINUTE,
    116 * MINUTE,
    { due: [], sinceMs: 120 * MINUTE, nextMs: 180 * MINUTE },
  ],
  [
    'a clock was wrong by days',
    hourly,
    'All',
    9_000 * MINUTE,
    130 * MINUTE,
    { due: [], sinceMs: 130 * MINUTE, nextMs: 180 * MINUTE },
  ],
])('%s', (_reason, schedule, missed, sinceMs, nowMs, want) => {
  expect(planFirings(schedule, missed, sinceMs, nowMs)).toEqual(want);
});

test('of what was missed in years 100 are made up for, the newest', () => {
  const nowMs = 3_000_000 * MINUTE;
  const { due } = planFirings(every('cron(* * * * ? *)'), 'All', 0, nowMs);
  expect(due).toEqual(Array.from({ length: 100 }, (_, i) => nowMs - (99 - i) * MINUTE));
});

test.each<MissedPolicy>(['Skip', 'One', 'All'])('whatever happens, nothing is fired twice: %s', (missed) => {
  const fired: number[] = [];
  let sinceMs = 0;
  // looks at odd moments, with pauses and a clock that goes back now and then
  for (const minute of [1, 1, 2, 9, 8.5, 30, 29, 31, 200, 199, 201, 202]) {
    const plan = planFirings(eachMinute, missed, sinceMs, minute * MINUTE);
    fired.push(...plan.due);
    sinceMs = plan.sinceMs;
  }
  // the clock went back by no more than what is taken for a difference between gateways
  expect(new Set(fired).size).toBe(fired.length);
  expect(fired).toEqual(fired.toSorted((a, b) => a - b));
});
