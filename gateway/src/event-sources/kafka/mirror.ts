import { type SourceProblem, toSourceProblem } from '../source-problem.ts';

/** A last word into the group's book may take so long, milliseconds. */
const CLOSE_LIMIT_MS = 2_000;

/** Writes next offsets, of partitions, into the group's book. @throws SourceProblem */
export type CommitOffsets = (offsets: ReadonlyMap<number, bigint>) => Promise<void>;

/**
 * Shows in Kafka's group how far a mapping is, for Kafka's own tools. The checkpoint is what counts, so nothing waits for this: one commit at a
 * time, with the newest offset of each partition; what could not be written goes with the next one.
 */
export class GroupMirror {
  readonly #commit: CommitOffsets;
  readonly #onProblem: (problem: SourceProblem) => void;
  #waiting = new Map<number, bigint>();
  #running: Promise<void> | null = null;

  constructor(commit: CommitOffsets, onProblem: (problem: SourceProblem) => void) {
    this.#commit = commit;
    this.#onProblem = onProblem;
  }

  /** @param offset of the record that is read next */
  show(partition: number, offset: bigint): void {
    this.#waiting.set(partition, offset);
    this.#running ??= this.#run();
  }

  /** Waits for what is under way, a moment. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_LIMIT_MS);
    });
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    let isGood = true;
    while (isGood && this.#waiting.size > 0) {
      const offsets = this.#waiting;
      this.#waiting = new Map();
      try {
        await this.#commit(offsets);
      } catch (error) {
        this.#waiting = new Map([...offsets, ...this.#waiting]);
        this.#onProblem(toSourceProblem(error));
        isGood = false;
      }
    }
    this.#running = null;
  }
}
