import type { Schedule } from './schedule.ts';

/** What becomes of firings that were missed: all gateways or the store were away. */
export type MissedPolicy = 'Skip' | 'One' | 'All';

/** What has to be done about a schedule now. */
export interface FiringPlan {
  /** To be fired, in this order, ms since 1970. */
  readonly due: readonly number[];
  /** Where the schedule stands when nothing is to be fired: all before is over. */
  readonly sinceMs: number;
  /** When to look again; null = nothing is due any more. */
  readonly nextMs: number | null;
}

/** Who is no later than this has missed nothing: gateways and the store change hands within it. */
const ON_TIME_MS = 60_000;
/** Of what was missed so many are made up for, the newest. */
const MAX_MISSED = 100;
/** A schedule that stands further in the future was left there by a clock that was wrong: it would stay silent until then. */
const AHEAD_MS = 300_000;

/**
 * Which firings are due. Pure.
 *
 * | missed | what is older than a minute |
 * | --- | --- |
 * | Skip | is left out |
 * | One | is left out, but for the newest when nothing else is due |
 * | All | is fired, the newest 100 |
 *
 * @param sinceMs the newest due time that is over; before the first one, when the schedule began
 */
export function planFirings(schedule: Schedule, missed: MissedPolicy, sinceMs: number, nowMs: number): FiringPlan {
  if (isAhead(sinceMs, nowMs)) return { due: [], sinceMs: nowMs, nextMs: schedule.next(nowMs) };
  const firstMs = schedule.next(sinceMs);
  if (firstMs === null || firstMs > nowMs) return { due: [], sinceMs, nextMs: firstMs };
  const secondMs = schedule.next(firstMs);
  const isOnlyOne = secondMs === null || secondMs > nowMs; // the usual case, without a look back
  const pending = isOnlyOne ? [firstMs] : schedule.latest(sinceMs, nowMs, MAX_MISSED);
  const lastMs = pending.at(-1) ?? sinceMs;
  return { due: chosen(pending, missed, nowMs), sinceMs: lastMs, nextMs: schedule.next(lastMs) };
}

/** A wrong clock has left it so far in the future that it cannot be true: the schedule begins again at this moment. */
export function isAhead(sinceMs: number, nowMs: number): boolean {
  return sinceMs > nowMs + AHEAD_MS;
}

function chosen(pending: readonly number[], missed: MissedPolicy, nowMs: number): readonly number[] {
  if (missed === 'All') return pending;
  const onTime = pending.filter((dueMs) => dueMs >= nowMs - ON_TIME_MS);
  return missed === 'One' && onTime.length === 0 ? pending.slice(-1) : onTime;
}
