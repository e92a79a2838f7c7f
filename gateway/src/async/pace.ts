/** Events of one function that run at a time at the start. */
const FIRST_WINDOW = 4;
const FIRST_REST_MS = 50;
const MAX_REST_MS = 2_000;

/**
 * How many events of one function may run at a time: one more for each that ran while the window was in use, half as many once one found no
 * capacity, and then nothing for a moment (50 ms, 100 ms … 2 s). So a backlog takes what synchronous callers leave, and asks ever more
 * seldom while they leave nothing.
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

  /** One has run, well or not. To be called before `running` falls. */
  ran(): void {
    this.#rests = 0;
    if (this.running * 2 > this.#window) this.#window = Math.min(this.#window + 1, this.#maxWindow);
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
