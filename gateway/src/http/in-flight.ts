/** Requests at the door that have no answer yet. */
export class InFlight {
  #count = 0;
  #onIdle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  /** On the hot path. */
  change(by: 1 | -1): void {
    this.#count += by;
    if (this.#count > 0 || this.#onIdle.length === 0) return;
    for (const call of this.#onIdle.splice(0)) call();
  }

  whenIdle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
