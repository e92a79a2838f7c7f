import { setTimeout as pause } from 'node:timers/promises';

/**
 * Tries until `attempt` does not throw, and gives its result.
 *
 * @param timeoutMs after which the last failure is thrown; default 20 s, so that a busy cluster passes too
 */
export async function eventually<T>(attempt: () => Promise<T> | T, timeoutMs = 20_000): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await pause(25);
    }
  }
}
