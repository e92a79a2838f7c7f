/** A longer gap between two signs of life means that this process did not run: ticks come ten times as often. */
const PAUSE_MS = 1_000;

/**
 * Notices when this process did not run for a while. What went by then says nothing about how long others take, nor how long
 * anybody was kept waiting by them.
 */
export class Pauses {
  /** When the last pause was over. */
  wokeMs = Number.NEGATIVE_INFINITY;
  #seenMs = Number.POSITIVE_INFINITY;

  /** To be told at each tick, and first of all at whatever else happens: timers may come after it. */
  saw(nowMs: number): void {
    if (nowMs - this.#seenMs > PAUSE_MS) this.wokeMs = nowMs;
    this.#seenMs = nowMs;
  }
}
