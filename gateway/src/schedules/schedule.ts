import { Cron } from 'croner';

import { parseCronFields } from './cron-fields.ts';
import { ScheduleProblem } from './schedule-problem.ts';

/** When something is due, as its owner wrote it. */
export interface ScheduleTerms {
  /** `rate(VALUE UNIT)`, `cron(...)` or `at(...)`, as EventBridge has them. */
  readonly expression: string;
  /** IANA name that the hours of `cron` and `at` are in. */
  readonly timezone: string;
  /** Nothing is due before, ms since 1970; null = no such bound. */
  readonly startMs: number | null;
  /** Nothing is due after; null = no such bound. */
  readonly endMs: number | null;
  /** When it was made: `rate` without a start counts from here. */
  readonly createdMs: number;
}

/** Due times, ms since 1970, whole seconds. */
export interface Schedule {
  /** The first one after a moment; null = there is none. */
  readonly next: (afterMs: number) => number | null;
  /** The newest ones of `(afterMs, untilMs]`, oldest first; at most `count`. */
  readonly latest: (afterMs: number, untilMs: number, count: number) => readonly number[];
}

const UNITS_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** Due times that the clocks of a zone leave out follow each other: two hours of minutes at most. */
const MAX_LEFT_OUT = 200;
const LAST_MS = 8_640_000_000_000_000;

/**
 * Reads a schedule.
 *
 * @throws ScheduleProblem
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function parseSchedule(terms: ScheduleTerms): Schedule {
  const { expression, timezone, startMs, endMs } = terms;
  checkTimezone(timezone);
  if (startMs !== null && endMs !== null && endMs < startMs)
    throw new ScheduleProblem('end is before start: nothing would ever be due.');
  const [, kind, text = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === undefined)
    throw new ScheduleProblem(
      `${expression.slice(0, 100)} is no schedule: it is rate(5 minutes), cron(15 10 * * ? *) or at(2026-12-24T18:00:00).`,
    );
  const schedule =
    kind === 'rate' ? rateOf(text, terms) : kind === 'cron' ? cronOf(text, timezone) : momentOf(text, timezone);
  return bounded(schedule, startMs ?? -LAST_MS, endMs ?? LAST_MS);
}

function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw new ScheduleProblem(
      `${timezone.slice(0, 100)} is no time zone that is known here: names are like Europe/Berlin.`,
    );
  }
}

function bounded({ next, latest }: Schedule, startMs: number, endMs: number): Schedule {
  return {
    next: (afterMs) => {
      const dueMs = next(Math.max(afterMs, startMs - 1));
      return dueMs === null || dueMs > endMs ? null : dueMs;
    },
    latest: (afterMs, untilMs, count) => latest(Math.max(afterMs, startMs - 1), Math.min(untilMs, endMs), count),
  };
}

/** Counts from the start, which is due itself, or from when it was made, which is not. */
function rateOf(text: string, { startMs, createdMs }: ScheduleTerms): Schedule {
  const [, value = '', unit = ''] = /^\s*([1-9]\d{0,5})\s+(minute|hour|day|minutes|hours|days)\s*$/.exec(text) ?? [];
  const everyMs = Number(value) * (UNITS_MS[unit.replace(/s$/, '')] ?? 0);
  if (everyMs === 0 || (value === '1') === unit.endsWith('s'))
    throw new ScheduleProblem(
      `rate(${text.slice(0, 100)}) is no rate: it is like rate(1 minute), rate(5 minutes), rate(1 hour) or rate(7 days), with the unit in the singular for 1 only.`,
    );
  const firstMs = startMs ?? createdMs + everyMs;
  const next = (afterMs: number): number =>
    afterMs < firstMs ? firstMs : firstMs + (Math.floor((afterMs - firstMs) / everyMs) + 1) * everyMs;
  return {
    next,
    latest: (afterMs, untilMs, count) => {
      const lastMs = next(untilMs) - everyMs;
      const found: number[] = [];
      for (let dueMs = lastMs; dueMs > afterMs && dueMs >= firstMs && found.length < count; dueMs -= everyMs)
        found.push(dueMs);
      return found.reverse();
    },
  };
}

/**
 * A time that the clocks of the zone leave out in spring is not due; one that they have twice in autumn is due once, unless every hour is.
 * Croner would move what is left out to the next hour: such times are taken out again.
 */
function cronOf(text: string, timezone: string): Schedule {
  const { pattern, minutes, hours } = parseCronFields(text);
  const cron = new Cron(`0 ${pattern}`, { timezone, sloppyRanges: true, alternativeWeekdays: true, paused: true });
  const isOnTheClock = clockOf(timezone, minutes, hours);
  return {
    next: (afterMs) => {
      let date = cron.nextRun(new Date(afterMs));
      for (let tries = 0; date !== null && tries < MAX_LEFT_OUT; tries += 1) {
        if (isOnTheClock(date)) return date.getTime();
        date = cron.nextRun(date);
      }
      return null;
    },
    latest: (afterMs, untilMs, count) =>
      cron
        .previousRuns(count + MAX_LEFT_OUT, new Date(untilMs + 1000)) // whole seconds, and before this one
        .filter((date) => date.getTime() <= untilMs && date.getTime() > afterMs && isOnTheClock(date))
        .slice(0, count)
        .map((date) => date.getTime())
        .reverse(),
  };
}

/** Whether the clocks of the zone really show one of these times. */
function clockOf(timezone: string, minutes: ReadonlySet<number>, hours: ReadonlySet<number>): (date: Date) => boolean {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (date) => {
    const [hour, minute] = format.format(date).split(':').map(Number);
    return hours.has(hour ?? -1) && minutes.has(minute ?? -1);
  };
}

function momentOf(text: string, timezone: string): Schedule {
  const [, local] = /^\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\s*$/.exec(text) ?? [];
  const asUtc = Date.parse(`${local}Z`);
  if (local === undefined || Number.isNaN(asUtc) || new Date(asUtc).toISOString().slice(0, 19) !== local)
    throw new ScheduleProblem(
      `at(${text.slice(0, 100)}) is no moment: it is like at(2026-12-24T18:00:00), a day of the calendar and a time of the time zone, without one of its own.`,
    );
  const dueMs =
    new Cron(local, { timezone, paused: true }).nextRun(new Date(asUtc - 2 * 86_400_000))?.getTime() ?? asUtc;
  return {
    next: (afterMs) => (afterMs < dueMs ? dueMs : null),
    latest: (afterMs, untilMs, count) => (afterMs < dueMs && dueMs <= untilMs && count > 0 ? [dueMs] : []),
  };
}
