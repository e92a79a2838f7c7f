import type { Logger } from 'pino';

/** Longest time that a problem which goes on is not told again. */
const QUIET_MS = 10_000;
/** Different problems that are remembered. */
const MAX_PROBLEMS = 200;

/**
 * Tells a problem when it is new, and while it goes on every 10 s with how often it came: a fault that hits every request must not
 * become one log line per request.
 */
export function problemLog(log: Logger, now: () => number): (key: string, fields: object, message: string) => void {
  const known = new Map<string, { untilMs: number; untold: number }>();
  return (key, fields, message) => {
    const entry = known.get(key);
    if (entry !== undefined && now() < entry.untilMs) {
      entry.untold += 1;
      return;
    }
    log.warn({ ...fields, ...(entry === undefined || entry.untold === 0 ? {} : { untold: entry.untold }) }, message);
    if (entry === undefined && known.size >= MAX_PROBLEMS) known.clear();
    known.set(key, { untilMs: now() + QUIET_MS, untold: 0 });
  };
}
