import type { Runtime } from './runtime.ts';
import { readSnapshot, type SnapshotEntry, type SnapshotHead, writeSnapshot } from './snapshot-file.ts';

/** When a snapshot is written. */
export interface SnapshotPacing {
  /** So long after a change, milliseconds: changes come in bursts. */
  readonly quietMs: number;
  /** At most once in so long, milliseconds. */
  readonly everyMs: number;
}

/** What production uses. */
export const snapshotPacing: SnapshotPacing = { quietMs: 500, everyMs: 2_000 };

/** A keeper rests so many times as long as its last write took, so that writing costs at most 2 % of the time. */
const restPerWork = 50;

/** What a keeper works with. */
export interface SnapshotKeeperDeps {
  readonly runtime: Pick<Runtime, 'nowMs' | 'sleep'>;
  readonly pacing: SnapshotPacing;
  readonly signal: AbortSignal;
  /** What is to be written, when it is time. */
  readonly entries: () => readonly SnapshotEntry[];
  /** Hears of a file that is not used or cannot be written; neither fails anything. */
  readonly onProblem: (problem: unknown) => void;
}

/** Keeps a file in step with entries that change, and gives them back to the next process. */
export class SnapshotKeeper {
  readonly #path: string;
  readonly #head: SnapshotHead;
  readonly #deps: SnapshotKeeperDeps;
  #isWaiting = false;
  #nextMs = 0;

  constructor(path: string, head: SnapshotHead, deps: SnapshotKeeperDeps) {
    this.#path = path;
    this.#head = head;
    this.#deps = deps;
  }

  /** What the file has; null when there is none that can be used. */
  read(): readonly SnapshotEntry[] | null {
    try {
      return readSnapshot(this.#path, this.#head);
    } catch (error) {
      this.#deps.onProblem(error);
      return null;
    }
  }

  /** The entries are others than before: they will be written soon. Cheap; called for each change. */
  changed(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    void this.#writeSoon();
  }

  async #writeSoon(): Promise<void> {
    const { runtime, pacing, signal } = this.#deps;
    await runtime.sleep(Math.max(pacing.quietMs, this.#nextMs - runtime.nowMs()), signal);
    if (signal.aborted) return;
    const startMs = runtime.nowMs();
    this.#isWaiting = false; // what changes from here on is not in this file
    this.#nextMs = startMs + pacing.everyMs;
    try {
      await writeSnapshot(this.#path, this.#head, this.#deps.entries());
    } catch (error) {
      this.#deps.onProblem(error);
    }
    const endMs = runtime.nowMs();
    this.#nextMs = Math.max(this.#nextMs, endMs + (endMs - startMs) * restPerWork);
  }
}
