/** Events of one function that run at a time at the start. */
const FIRST_WINDOW = 4;
const FIRST_REST_MS = 50;
const MAX_REST_MS = 2_000;
/** Events that waited for longer are late. */
const LATE_MS = 500;
/** The window at most doubles in so long: pods that it makes start have time to work before more are claimed. */
const DOUBLING_MS = 1_000;

/**
 * How many events of one function may run at a time: one more for each that ran late while the window was in use, twice as many in a second at
 * most; half as many once one found no capacity, and then nothing for a moment (50 ms, 100 ms … 2 s). So what comes now and then needs few
 * pods, a backlog takes what synchronous callers leave, and asks ever more seldom while they leave nothing.
 */
export class Pace {
  /** Events that run now. */
  running = 0;
  /** The line had nothing due when it was asked last. */
  isDry = false;
  /** Somebody is taking events of it just now. */
  isFilling = false;
  readonly #maxWindow: number;
  #window: number;
  /** The window's bound since `#ceilingMs`. */
  #ceiling = 0;
  #ceilingMs = Number.NEGATIVE_INFINITY;
  #rests = 0;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  /** @param maxWindow >= 1 */
  constructor(maxWindow: number) {
    this.#maxWindow = maxWindow;
    this.#window = Math.min(FIRST_WINDOW, maxWindow);
  }

  /** Events that may be begun now. */
  room(nowMs: number): number {
    return nowMs < this.#restUntilMs ? 0 : Math.max(0, this.#window - this.running);
  }

  /** One has run, well or not. To be called before `running` falls. @param lateMs how long it had waited when it began */
  ran(nowMs: number, lateMs: number): void {
    this.#rests = 0;
    if (lateMs < LATE_MS || this.running * 2 <= this.#window) return;
    if (nowMs - this.#ceilingMs >= DOUBLING_MS) {
      this.#ceilingMs = nowMs;
      this.#ceiling = this.#window * 2;
    }
    this.#window = Math.min(this.#window + 1, Math.max(this.#ceiling, this.#window), this.#maxWindow);
  }

  /** One found no capacity; what else was under way then says nothing new. Answers how long nothing is begun. */
  refused(nowMs: number): number {
    if (nowMs < this.#restUntilMs) return this.#restUntilMs - nowMs;
    const restMs = Math.min(FIRST_REST_MS * 2 ** this.#rests, MAX_REST_MS);
    this.#window = Math.max(1, Math.floor(this.#window / 2));
    this.#rests += 1;
    this.#restUntilMs = nowMs + restMs;
    return restMs;
  }
}
