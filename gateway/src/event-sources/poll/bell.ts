import type { PollerClock } from './poller.ts';

/** Wakes those who wait for something to change. */
export class Bell {
  readonly #clock: Pick<PollerClock, 'sleep'>;
  #next = new AbortController();

  constructor(clock: Pick<PollerClock, 'sleep'>) {
    this.#clock = clock;
  }

  /** All who wait now go on. */
  ring(): void {
    this.#next.abort();
    this.#next = new AbortController();
  }

  /** Until it rings, the time is over, or the signal aborts; never rejects. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, AbortSignal.any([signal, this.#next.signal])).catch(() => undefined);
  }
}
