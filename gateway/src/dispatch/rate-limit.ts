/**
 * So many in a second on the long run, and at most a window's worth at once: a token bucket that is full at the start. Two numbers, no
 * timer: it keeps the time at which all that was taken is paid back.
 *
 * Worked: 20 a second, window 1 s: twenty at once; then one each 50 ms.
 */
export class RateLimit {
  readonly #windowMs: number;
  /** What one costs; 0 = there is no limit. */
  #costMs = 0;
  #paidAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param windowMs what is not used for longer is not saved up
   * @param perSecond see the setter
   */
  constructor(windowMs: number, perSecond: number) {
    this.#windowMs = windowMs;
    this.perSecond = perSecond;
  }

  /** Above 0; Infinity = no limit. What is owed when it changes stays so much of the window. */
  set perSecond(value: number) {
    this.#costMs = 1000 / value;
  }

  /** Nothing is left at that time. */
  isSpent(nowMs: number): boolean {
    // Half of one: sums of fractions are not exact.
    return this.#paidAtMs - nowMs > this.#windowMs - this.#costMs / 2;
  }

  /** Takes one, also when nothing is left: it is owed then. */
  take(nowMs: number): void {
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + this.#costMs;
  }
}
