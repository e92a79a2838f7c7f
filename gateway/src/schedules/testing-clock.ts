/** A wall clock and timers that a test turns. */
export class TestClock {
  nowMs: number;
  #timers: { readonly atMs: number; readonly then: () => void }[] = [];

  constructor(start: string) {
    this.nowMs = Date.parse(start);
  }

  readonly now = (): number => this.nowMs;

  readonly after = (ms: number, then: () => void): (() => void) => {
    const timer = { atMs: this.nowMs + ms, then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Moves on in steps of a second, with what is due and what comes of it at each. */
  async pass(seconds: number, settle: () => Promise<void>): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 1) {
      this.nowMs += 1000;
      const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { then } of due) then();
      await settle();
    }
  }
}
