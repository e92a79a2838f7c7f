import { pauseAfterProblem, type SourceProblem, toSourceProblem } from '../source-problem.ts';

/** A last word into the group's book may take so long, milliseconds. */
const CLOSE_LIMIT_MS = 2_000;

/** Writes next offsets, of partitions, into the group's book. @throws SourceProblem */
export type CommitOffsets = (offsets: ReadonlyMap<number, bigint>) => Promise<void>;

/** What a mirror works with. */
export interface MirrorDeps {
  readonly commit: CommitOffsets;
  /** Hears of what could not be written and is tried again. */
  readonly onProblem: (problem: SourceProblem) => void;
  /** May reject when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** 0..1 */
  readonly random: () => number;
}

/**
 * Shows in Kafka's group how far a mapping is, for Kafka's own tools. The checkpoint is what counts, so nothing waits for this: one commit at a
 * time, with the newest offset of each partition; what could not be written is tried again.
 */
export class GroupMirror {
  readonly #deps: MirrorDeps;
  readonly #closing = new AbortController();
  #waiting = new Map<number, bigint>();
  #running: Promise<void> | null = null;

  constructor(deps: MirrorDeps) {
    this.#deps = deps;
  }

  /** @param offset of the record that is read next */
  show(partition: number, offset: bigint): void {
    this.#waiting.set(partition, offset);
    this.#running ??= this.#run();
  }

  /** What is not written is tried once more; this waits for it a moment. */
  async close(): Promise<void> {
    this.#closing.abort();
    const late = new AbortController();
    await Promise.race([this.#running, this.#deps.sleep(CLOSE_LIMIT_MS, late.signal).catch(() => undefined)]);
    late.abort();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { commit, onProblem, sleep, random } = this.#deps;
    const { signal } = this.#closing;
    for (let failures = 0; this.#waiting.size > 0; ) {
      const offsets = this.#waiting;
      this.#waiting = new Map();
      try {
        await commit(offsets);
        failures = 0;
      } catch (error) {
        this.#waiting = new Map([...offsets, ...this.#waiting]);
        const problem = toSourceProblem(error);
        onProblem(problem);
        if (signal.aborted) break;
        await sleep(pauseAfterProblem(problem.reason, failures, random()), signal).catch(() => undefined);
        failures += 1;
      }
    }
    this.#running = null;
  }
}
