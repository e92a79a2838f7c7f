import { ScheduleProblem } from './schedule-problem.ts';

/** The fields of EventBridge's cron expressions, checked, as croner reads them. */
export interface CronFields {
  /** `MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR`. */
  readonly pattern: string;
  /** Minutes of the hour at which it is due. */
  readonly minutes: ReadonlySet<number>;
  /** Hours of the day. */
  readonly hours: ReadonlySet<number>;
}

interface Field {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  /** What may stand for numbers, from `min` on. */
  readonly names?: readonly string[];
  /** Forms that are no numbers. */
  readonly special?: RegExp;
  /** An example of each form. */
  readonly like: string;
}

const fields = {
  minute: { title: 'minute', min: 0, max: 59, like: '0 to 59, 0/15, 5,35 or *' },
  hour: { title: 'hour', min: 0, max: 23, like: '0 to 23, 8-17, 0/2 or *' },
  dayOfMonth: {
    title: 'day of month',
    min: 1,
    max: 31,
    special: /^(LW?|([1-9]|[12]\d|3[01])W)$/,
    like: '1 to 31, L, LW, 15W, 1/10, * or ?',
  },
  month: {
    title: 'month',
    min: 1,
    max: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
    like: '1 to 12, JAN to DEC, 1/3 or *',
  },
  dayOfWeek: {
    title: 'day of week',
    min: 1,
    max: 7,
    names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
    special: /^([1-7]L|[1-7]#[1-5])$/,
    like: '1 (Sunday) to 7, SUN to SAT, MON-FRI, 6L, 3#2, * or ?',
  },
  year: { title: 'year', min: 1970, max: 2199, like: '1970 to 2199, 2026-2028 or *' },
} satisfies Readonly<Record<string, Field>>;

/**
 * Reads `MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR`. Ranges may go over the end (`20-2`, `FRI-MON`), as EventBridge's do.
 *
 * @throws ScheduleProblem that names the field
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function parseCronFields(text: string): CronFields {
  const parts = text.trim().toUpperCase().split(/\s+/);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = parts;
  if (parts.length !== 6)
    throw new ScheduleProblem(
      `cron(...) has six fields: minute, hour, day of month, month, day of week, year; this has ${parts.length}. Every day at 10:15 is cron(15 10 * * ? *).`,
    );
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw new ScheduleProblem(
      'exactly one of day of month and day of week has to be ?: cron(0 8 1 * ? *) is the first of each month, cron(0 8 ? * MON-FRI *) each weekday.',
    );
  const minutes = numbersIn(minute, fields.minute);
  const hours = numbersIn(hour, fields.hour);
  const pattern = [
    listOr(minute, minutes),
    listOr(hour, hours),
    daysIn(dayOfMonth, fields.dayOfMonth),
    listOr(month, numbersIn(month, fields.month)),
    daysIn(dayOfWeek, fields.dayOfWeek),
    listOr(year, numbersIn(year, fields.year)),
  ].join(' ');
  return { pattern, minutes: new Set(minutes), hours: new Set(hours) };
}

function listOr(text: string, numbers: readonly number[]): string {
  return text === '*' ? text : numbers.join(',');
}

/** A field of days: croner counts those from the end and those next to a weekday. */
function daysIn(text: string, field: Field): string {
  if (text === '?' || text === '*') return text;
  const items = text.split(',').map((item) => {
    const named = withNumbers(item === 'L' && field.title === fields.dayOfWeek.title ? '7' : item, field);
    return field.special?.test(named) ? named : numbersIn(named, field).join(',');
  });
  return items.join(',');
}

/** @throws ScheduleProblem */
function numbersIn(text: string, field: Field): readonly number[] {
  const numbers = text.split(',').flatMap((item) => numbersOf(withNumbers(item, field), text, field));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** `3`, `3-5`, `3/2`, `3-9/2`, `*`, or a step of all. */
function numbersOf(item: string, text: string, field: Field): readonly number[] {
  const [, all, first = '', last, step = '1'] = /^(?:(\*)|(\d{1,4})(?:-(\d{1,4}))?)(?:\/(\d{1,4}))?$/.exec(item) ?? [];
  const { min, max } = field;
  const from = all === undefined ? Number(first) : min;
  const isOpen = last === undefined && item.includes('/');
  const to = all !== undefined || isOpen ? max : Number(last ?? first);
  const isRead = all !== undefined || first !== '';
  if (!isRead || from < min || from > max || to < min || to > max || Number(step) < 1) throw wrong(text, field);
  const end = to < from ? to + (max - min + 1) : to; // over the end, and on from the beginning
  const count = Math.floor((end - from) / Number(step)) + 1;
  return Array.from({ length: count }, (_, i) => min + ((from - min + i * Number(step)) % (max - min + 1)));
}

function withNumbers(item: string, { names = [], min }: Field): string {
  return item.replace(/[A-Z]{3}/g, (name) => {
    const at = names.indexOf(name);
    return at < 0 ? name : String(at + min);
  });
}

function wrong(text: string, { title, like }: Field): ScheduleProblem {
  return new ScheduleProblem(`${text} is no ${title} of cron(...): it is like ${like}.`);
}
