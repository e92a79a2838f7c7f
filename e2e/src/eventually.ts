import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks `probe` until it answers something other than undefined or false, and answers that. A condition with a deadline, not a
 * sleep: it ends as soon as the condition holds.
 *
 * @throws Error that says what did not come true, with the last error of `probe`
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  limitMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  let last: unknown = 'it stayed false';
  while (performance.now() < endMs) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await pause(25);
  }
  throw new Error(`within ${limitMs} ms not true: ${what}`, { cause: last });
}
