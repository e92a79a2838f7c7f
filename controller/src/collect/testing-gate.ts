/** Where rounds wait before each of their requests until the test lets one of them go on. Each round makes one request at a time. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  /** Rounds under way. */
  active = 0;
  /** Everybody passes. */
  isOpen = false;
  #problem: unknown;
  #changed = Promise.withResolvers<void>();

  /** Called by a round before a request. */
  async pass(): Promise<void> {
    if (this.isOpen) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#tell();
    await promise;
  }

  /** Starts a round; it is at the gate, or over, when this resolves. */
  async start(round: () => Promise<void>): Promise<void> {
    this.active += 1;
    void round()
      .catch((problem: unknown) => {
        this.#problem ??= problem;
      })
      .finally(() => {
        this.active -= 1;
        this.#tell();
      });
    await this.#untilStill();
  }

  /** Lets the `n`th go on to its next request, or to its end. @throws what a round has failed with */
  async letGo(n: number): Promise<void> {
    this.#waiting.splice(n % this.#waiting.length, 1)[0]?.();
    await this.#untilStill();
  }

  /** All rounds go on to their ends, and whatever comes later is not held. */
  async open(): Promise<void> {
    while (this.active > 0) await this.letGo(0);
    this.isOpen = true;
  }

  async #untilStill(): Promise<void> {
    while (this.#waiting.length < this.active) await this.#changed.promise;
    if (this.#problem !== undefined) throw this.#problem;
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
