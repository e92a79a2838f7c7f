import { expect, test } from '@jest/globals';

import { parseSchedule, type Schedule, type ScheduleTerms } from './schedule.ts';
import { ScheduleProblem } from './schedule-problem.ts';

const terms: ScheduleTerms = {
  expression: '',
  timezone: 'UTC',
  startMs: null,
  endMs: null,
  createdMs: Date.parse('2026-11-22T10:00:00Z'),
};
const schedule = (expression: string, over: Partial<ScheduleTerms> = {}): Schedule =>
  parseSchedule({ ...terms, expression, ...over });

/** The first due times after a moment, without what all have in common. */
function first(count: number, of: Schedule, after: string): readonly string[] {
  const found: string[] = [];
  let dueMs = of.next(Date.parse(after));
  while (dueMs !== null && found.length < count) {
    found.push(new Date(dueMs).toISOString().replace(':00.000Z', ''));
    dueMs = of.next(dueMs);
  }
  return found;
}

/** The examples of EventBridge's documentation. 2026-11-22 is a Sunday. */
test.each<[said: string, expression: string, due: readonly string[]]>([
  ['at 10:00 every day', 'cron(0 10 * * ? *)', ['2026-11-22T10:00', '2026-11-23T10:00']],
  ['at 12:15 every day', 'cron(15 12 * * ? *)', ['2026-11-22T12:15', '2026-11-23T12:15']],
  ['at 18:00 Monday to Friday', 'cron(0 18 ? * MON-FRI *)', ['2026-11-23T18:00', '2026-11-24T18:00']],
  ['at 8:00 on the first of each month', 'cron(0 8 1 * ? *)', ['2026-12-01T08:00', '2027-01-01T08:00']],
  ['every 15 minutes', 'cron(0/15 * * * ? *)', ['2026-11-22T00:15', '2026-11-22T00:30', '2026-11-22T00:45']],
  ['every 10 minutes on weekdays', 'cron(0/10 * ? * MON-FRI *)', ['2026-11-23T00:00', '2026-11-23T00:10']],
  ['every 5 minutes from 8:00 on', 'cron(0/5 8-17 ? * MON-FRI *)', ['2026-11-23T08:00', '2026-11-23T08:05']],
  ['over midnight', 'cron(0/30 20-2 ? * MON-FRI *)', ['2026-11-23T00:00', '2026-11-23T00:30', '2026-11-23T01:00']],
  ['the last Friday at 10:05', 'cron(5 10 ? * 6L 2026-2027)', ['2026-11-27T10:05', '2026-12-25T10:05']],
  ['the second Tuesday', 'cron(0 9 ? * 3#2 *)', ['2026-12-08T09:00', '2027-01-12T09:00']],
  ['the last day of the month', 'cron(0 0 L * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00']],
  ['the last weekday of the month', 'cron(0 0 LW * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00', '2027-01-29T00:00']],
  ['the weekday next to a Sunday', 'cron(0 0 15W 11 ? *)', ['2027-11-15T00:00', '2028-11-15T00:00']],
  ['L as a day of the week is Saturday', 'cron(0 0 ? * L *)', ['2026-11-28T00:00', '2026-12-05T00:00']],
  ['names, over the end of the year', 'cron(0 0 1 nov-feb/2 ? *)', ['2027-01-01T00:00', '2027-11-01T00:00']],
  ['a weekend over the end of the week', 'cron(0 0 ? * SAT-SUN *)', ['2026-11-28T00:00', '2026-11-29T00:00']],
  ['lists and steps', 'cron(10,50/5 6 */10 * ? *)', ['2026-12-01T06:10', '2026-12-01T06:50', '2026-12-01T06:55']],
  ['a leap day', 'cron(0 0 29 2 ? *)', ['2028-02-29T00:00', '2032-02-29T00:00']],
  ['years that are over', 'cron(0 0 1 1 ? 2020)', []],
  ['a day that does not come', 'cron(0 0 31 2 ? *)', []],
  ['every five minutes since it was made', 'rate(5 minutes)', ['2026-11-22T10:05', '2026-11-22T10:10']],
  ['every hour', 'rate(1 hour)', ['2026-11-22T11:00', '2026-11-22T12:00']],
  ['every seven days', 'rate(7 days)', ['2026-11-29T10:00', '2026-12-06T10:00']],
  ['once', 'at(2026-12-24T18:00:00)', ['2026-12-24T18:00']],
])('%s: %s', (_said, expression, due) => {
  expect(first(Math.max(due.length, 1), schedule(expression), '2026-11-22T00:00:00Z')).toEqual(due);
});

test.each<[said: string, expression: string, timezone: string, after: string, due: readonly string[]]>([
  ['winter', 'cron(30 8 * * ? *)', 'Europe/Berlin', '2026-03-28T00:00:00Z', ['2026-03-28T07:30', '2026-03-29T06:30']],
  [
    'a time that spring leaves out',
    'cron(30 2 * * ? *)',
    'Europe/Berlin',
    '2026-03-28T12:00:00Z',
    ['2026-03-30T00:30'],
  ],
  [
    'a time that autumn has twice',
    'cron(30 2 * * ? *)',
    'Europe/Berlin',
    '2026-10-24T12:00:00Z',
    ['2026-10-25T00:30', '2026-10-26T01:30'],
  ],
  [
    'every hour of that night',
    'cron(0 * * * ? *)',
    'Europe/Berlin',
    '2026-10-24T23:30:00Z',
    ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
  ],
  ['once, in a zone', 'at(2022-11-20T13:00:00)', 'America/Los_Angeles', '2022-01-01T00:00:00Z', ['2022-11-20T21:00']],
  ['zones with half hours', 'cron(0 9 ? * 2 *)', 'Asia/Kathmandu', '2026-11-22T00:00:00Z', ['2026-11-23T03:15']],
])('time zones: %s', (_said, expression, timezone, after, due) => {
  expect(first(due.length, schedule(expression, { timezone }), after)).toEqual(due);
});

test.each<[expression: string, text: string, over?: Partial<ScheduleTerms>]>([
  ['every day', 'is no schedule'],
  ['rate(0 minutes)', 'is no rate'],
  ['rate(1 minutes)', 'singular for 1'],
  ['rate(5 minute)', 'singular for 1'],
  ['rate(5 seconds)', 'is no rate'],
  ['rate(1.5 hours)', 'is no rate'],
  ['cron(0 10 * * ?)', 'six fields'],
  ['cron(0 10 * * * *)', 'has to be ?'],
  ['cron(0 10 ? * ? *)', 'has to be ?'],
  ['cron(60 10 * * ? *)', '60 is no minute'],
  ['cron(0 24 * * ? *)', '24 is no hour'],
  ['cron(0 0 32 * ? *)', '32 is no day of month'],
  ['cron(0 0 L-3 * ? *)', 'L-3 is no day of month'],
  ['cron(0 0 1 13 ? *)', '13 is no month'],
  ['cron(0 0 1 FOO ? *)', 'FOO is no month'],
  ['cron(0 0 ? * 0 *)', '0 is no day of week'],
  ['cron(0 0 ? * 6#6 *)', '6#6 is no day of week'],
  ['cron(0 0 1 1 ? 1969)', '1969 is no year'],
  ['cron(0/0 0 1 1 ? *)', '0/0 is no minute'],
  ['cron(0, 0 1 1 ? *)', '0, is no minute'],
  ['cron(a 0 1 1 ? *)', 'A is no minute'],
  ['at(2026-02-30T00:00:00)', 'is no moment'],
  ['at(2026-12-24T18:00:00Z)', 'is no moment'],
  ['at(24 December)', 'is no moment'],
  ['rate(1 day)', 'no time zone', { timezone: 'Europe/Atlantis' }],
  ['rate(1 day)', 'end is before start', { startMs: 2, endMs: 1 }],
])('refuses %s: %s', (expression, text, over = {}) => {
  expect(() => schedule(expression, over)).toThrow(ScheduleProblem);
  expect(() => schedule(expression, over)).toThrow(text);
});

test('start and end bound it; a rate counts from its start, which is due itself', () => {
  const bounds = { startMs: Date.parse('2026-11-22T10:30:00Z'), endMs: Date.parse('2026-11-22T11:30:00Z') };
  expect(first(9, schedule('rate(30 minutes)', bounds), '2026-01-01T00:00:00Z')).toEqual([
    '2026-11-22T10:30',
    '2026-11-22T11:00',
    '2026-11-22T11:30',
  ]);
  expect(first(9, schedule('cron(0 * * * ? *)', bounds), '2026-01-01T00:00:00Z')).toEqual(['2026-11-22T11:00']);
  expect(schedule('cron(0 * * * ? *)', bounds).latest(0, Date.parse('2030-01-01T00:00:00Z'), 9)).toEqual([
    Date.parse('2026-11-22T11:00:00Z'),
  ]);
});

/** What is asked backwards is what was counted forwards, over every change of clocks. */
test.each([
  'cron(30 2 * * ? *)',
  'cron(0/30 20-2 ? * MON-FRI *)',
  'cron(15 1-3 ? * SUN *)',
  'cron(* 1,2,3 * 3,4,10,11 ? *)',
  'cron(45 1 ? * 1#1,1L *)',
  'rate(7 hours)',
])('the latest due times are the last ones of all: %s', (expression) => {
  for (const timezone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']) {
    const of = schedule(expression, { timezone, createdMs: 0 });
    for (const from of ['2026-03-07', '2026-03-28', '2026-04-03', '2026-10-02', '2026-10-24', '2026-10-31']) {
      const [afterMs, untilMs] = [Date.parse(`${from}T00:00:00Z`), Date.parse(`${from}T00:00:00Z`) + 50 * 3_600_000];
      const all: number[] = [];
      for (let dueMs = of.next(afterMs); dueMs !== null && dueMs <= untilMs; dueMs = of.next(dueMs)) all.push(dueMs);
      expect(of.latest(afterMs, untilMs, 100)).toEqual(all.slice(-100));
    }
  }
});
