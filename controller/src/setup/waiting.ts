/** Patience: how long to wait for the cluster, and with whose clock. */
export class Waiting {
  readonly #clock: WaitingClock;

  constructor(clock: WaitingClock) {
    this.#clock = clock;
  }

  /**
   * Asks until it holds. A failed question ends the wait.
   *
   * @param what what is waited for, for the log and the error
   * @throws Error after the clock's limit; whatever `holds` throws
   */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const { nowMs, sleep, limitMs, everyMs, onWait } = this.#clock;
    const endMs = nowMs() + limitMs;
    for (let tries = 0; !(await holds()); tries += 1) {
      if (tries === 0) onWait(what);
      if (nowMs() >= endMs) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`);
      await sleep(everyMs);
    }
  }
}

/** What {@link Waiting} is made with. */
export interface WaitingClock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** One wait may take so long, milliseconds. */
  readonly limitMs: number;
  /** Between two questions, milliseconds. */
  readonly everyMs: number;
  /** Hears once per wait what is waited for. */
  readonly onWait: (what: string) => void;
}
