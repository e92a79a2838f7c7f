import { setImmediate as turn } from 'node:timers/promises';

import type { PollerClock } from './poll/poller.ts';

/** Turns of the event loop after which nothing in memory is under way any more. */
const QUIET_TURNS = 5;

/** Time that goes on only when nobody has anything to do: hours pass in milliseconds, and always the same way. */
export class TestClock implements PollerClock {
  #ms = 0;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  /** What the wall clock shows is so far from what really went by. */
  wallMs = 1_000_000;

  readonly now = (): number => this.#ms + this.wallMs;
  readonly nowMs = (): number => this.#ms;

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) return reject(new Error('aborted'));
      const end = (settle: () => void): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(new Error('aborted')));
      const sleeper = { atMs: this.#ms + Math.max(ms, 0), wake: () => end(resolve) };
      signal.addEventListener('abort', onAbort);
      this.#sleepers.add(sleeper);
    });

  /** Those who wait for a time. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Lets time go on until it holds. @throws Error when it does not within `limitMs` of this clock */
  async until(holds: () => boolean, limitMs = 3_600_000): Promise<void> {
    const endMs = this.#ms + limitMs;
    for (;;) {
      for (let turns = 0; turns < QUIET_TURNS; turns += 1) await turn();
      if (holds()) return;
      const next = [...this.#sleepers].toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) throw new Error('it does not come true');
      this.#ms = Math.max(this.#ms, next.atMs);
      next.wake();
    }
  }

  /** Lets time go on until it has settled, and answers what it resolves to. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    await this.until(() => isSettled);
    return promise;
  }

  /** Lets so much time go by. */
  pass(ms: number): Promise<void> {
    return this.settled(this.sleep(ms, new AbortController().signal));
  }
}
