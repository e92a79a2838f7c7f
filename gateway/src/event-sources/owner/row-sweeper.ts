import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';

/** Rows of a mapping that nobody has seen for so long are removed: its uid never comes back. */
const FORGET_MS = 3_600_000;

export interface RowSweeperDeps {
  readonly store: Pick<CheckpointStore, 'mappings' | 'forget'>;
  /** Uids of all mappings that there are; null = that is not known at this moment. */
  readonly known: () => ReadonlySet<string> | null;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** Removes what is kept of mappings that are gone. Fails closed: while it is not known which there are, nothing is removed. */
export class RowSweeper {
  readonly #deps: RowSweeperDeps;
  /** Mappings that have rows and are not there, since when. */
  #goneSinceMs: ReadonlyMap<string, number> = new Map();

  constructor(deps: RowSweeperDeps) {
    this.#deps = deps;
  }

  /** To be called now and then. @throws QueueUnavailable */
  async sweep(): Promise<void> {
    const { store, known, nowMs } = this.#deps;
    const kept = await store.mappings();
    const present = known();
    if (present === null) {
      this.#goneSinceMs = new Map();
      return;
    }
    const gone = kept.filter((uid) => !present.has(uid));
    const before = this.#goneSinceMs;
    this.#goneSinceMs = new Map(gone.map((uid) => [uid, before.get(uid) ?? nowMs()]));
    for (const [uid, sinceMs] of this.#goneSinceMs) if (nowMs() - sinceMs >= FORGET_MS) await store.forget(uid);
  }
}
