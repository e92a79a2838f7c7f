import type { WorkQueue } from './work-queue.ts';

/** Two queues for the keys of one kind: what a key of one group waits for holds up its like alone. */
export class SplitQueue {
  readonly #isApart: (key: string) => boolean;
  readonly #common: WorkQueue;
  readonly #apart: WorkQueue;

  /** @param isApart whether a key goes to the second queue; asked at each `add`, so that a key that changes its group may run in both once */
  constructor(isApart: (key: string) => boolean, make: () => WorkQueue) {
    this.#isApart = isApart;
    this.#common = make();
    this.#apart = make();
  }

  /** Keys that wait or run. */
  get depth(): number {
    return this.#common.depth + this.#apart.depth;
  }

  add(key: string): void {
    this.#of(key).add(key);
  }

  addSoon(key: string, delayMs: number): void {
    this.#of(key).addSoon(key, delayMs);
  }

  close(): void {
    this.#common.close();
    this.#apart.close();
  }

  #of(key: string): WorkQueue {
    return this.#isApart(key) ? this.#apart : this.#common;
  }
}
