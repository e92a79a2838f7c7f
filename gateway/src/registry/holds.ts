/** What {@link Holds} is made with. */
export interface HoldsDeps {
  /** Longest time that requests wait for an update that is under way, from when the update was seen first. */
  readonly holdMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
}

interface Hold {
  readonly generation: number;
  readonly untilMs: number;
  readonly over: Promise<void>;
  readonly end: () => void;
}

/** Which functions are being updated, so that requests wait for what comes. One timer for each. */
export class Holds {
  readonly #deps: HoldsDeps;
  readonly #holds = new Map<string, Hold>();

  constructor(deps: HoldsDeps) {
    this.#deps = deps;
  }

  /** With the first sight of a generation; of the same one again nothing happens. It is over after `holdMs` at the latest. */
  begin(key: string, generation: number): void {
    const before = this.#holds.get(key);
    if (before?.generation === generation) return;
    before?.end();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.schedule(this.#deps.holdMs, resolve);
    const end = (): void => {
      cancel();
      resolve();
    };
    this.#holds.set(key, { generation, untilMs: this.#deps.now() + this.#deps.holdMs, over: promise, end });
  }

  /** The generation is served, or the function is gone. */
  end(key: string): void {
    const hold = this.#holds.get(key);
    this.#holds.delete(key);
    hold?.end();
  }

  /** Settles when the wait is over; null = there is nothing to wait for. */
  over(key: string): Promise<void> | null {
    const hold = this.#holds.get(key);
    return hold === undefined || this.#deps.now() >= hold.untilMs ? null : hold.over;
  }
}
