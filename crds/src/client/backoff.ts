import type { Runtime } from './runtime.ts';

/** Bounds of a back-off. */
export interface BackoffBounds {
  /** Longest first pause, milliseconds. */
  readonly firstMs: number;
  /** Longest pause ever, milliseconds. */
  readonly maxMs: number;
}

/**
 * Jittered, capped, exponential: the n-th pause in a row is random between half of and all of `firstMs × 2ⁿ`, at most `maxMs`.
 * With 100 and 30,000: 50–100, 100–200, … 15,000–30,000 ms. Who asks for 1,000 ms gets 1,000–2,000 ms at first: more than asked, so
 * that many who were all told the same do not come back at once.
 */
export class Backoff {
  readonly #runtime: Pick<Runtime, 'sleep' | 'random'>;
  readonly #bounds: BackoffBounds;
  #failures = 0;

  constructor(runtime: Pick<Runtime, 'sleep' | 'random'>, bounds: BackoffBounds) {
    this.#runtime = runtime;
    this.#bounds = bounds;
  }

  /** After a success: the next pause is a first one. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Waits; returns at once when the signal aborts.
   *
   * @param askedMs what the other side asked for, milliseconds; counts up to half of the longest pause ever
   */
  async pause(signal: AbortSignal, askedMs = 0): Promise<void> {
    const grown = this.#bounds.firstMs * 2 ** Math.min(this.#failures, 30);
    const longest = Math.min(this.#bounds.maxMs, Math.max(grown, 2 * askedMs));
    this.#failures += 1;
    await this.#runtime.sleep(longest * (0.5 + this.#runtime.random() / 2), signal);
  }
}
