import type { Trial } from '../checkpoints/checkpoint.ts';

/** Parts that an earlier owner of a shard has tried: each is formed again as it was, by the lane that gets its records. */
export class OldTrials {
  #all: readonly Trial[];

  constructor(all: readonly Trial[]) {
    this.#all = all;
  }

  /** Those whose records have not come yet, in order. */
  get all(): readonly Trial[] {
    return this.#all;
  }

  /** The one that begins with this record has come, or never will. */
  take(first: string | undefined): Trial | undefined {
    const found = this.#all.find((trial) => trial.first === first);
    if (found !== undefined) this.#all = this.#all.filter((trial) => trial !== found);
    return found;
  }

  /** What was to be read is gone. */
  clear(): void {
    this.#all = [];
  }
}
