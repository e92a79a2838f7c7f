import type { Runtime } from './runtime.ts';

/** A clock that moves only in `advance`, in whole steps of its timers. */
export class ManualClock implements Runtime {
  #nowMs = 1_000_000;
  #uuids = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  nowMs = (): number => this.#nowMs;
  wallMs = (): number => Date.UTC(2026, 0, 1) + this.#nowMs;
  random = (): number => 0;
  uuid = (): string => `00000000-0000-4000-8000-${String(++this.#uuids).padStart(12, '0')}`;

  sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted) return Promise.resolve();
    const timer = { atMs: this.#nowMs + ms, wake: resolve };
    this.#timers.add(timer);
    const drop = (): void => {
      this.#timers.delete(timer);
      resolve();
    };
    signal.addEventListener('abort', drop, { once: true });
    return promise;
  };

  /** Lets `ms` pass; what wakes up runs before time goes on. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#timers.delete(next);
      next.wake();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Lets all promises that can go on go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
