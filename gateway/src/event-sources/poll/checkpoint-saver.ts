import type { PollerClock } from './poller.ts';

/** From one save to the next at least: each is a write to disk. */
const MIN_PAUSE_MS = 100;
/** A store that is away is asked again after so long. */
const AGAIN_MS = 500;
/** At the end it is tried so often. */
const LAST_TRIES = 4;

export interface SaverDeps {
  /** How it is now. */
  readonly text: () => { readonly text: string; readonly isEnd: boolean };
  /** false = the claim is lost. Rejects when it is not known whether it is kept. */
  readonly save: (text: string, isEnd: boolean) => Promise<boolean>;
  /** It is kept. */
  readonly onSaved: () => void;
  readonly clock: Pick<PollerClock, 'nowMs' | 'sleep'>;
  /** Nothing is saved any more. */
  readonly over: AbortSignal;
}

/** Saves how far a shard is, one save after the other, soon after it has changed. */
export class CheckpointSaver {
  readonly #deps: SaverDeps;
  #saved: string | null = null;
  #isDirty = false;
  #running: Promise<void> | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(deps: SaverDeps) {
    this.#deps = deps;
  }

  /** Something may have changed. */
  note(): void {
    this.#isDirty = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
      if (this.#isDirty && !this.#deps.over.aborted) this.note();
    });
  }

  /** What has changed is kept, or cannot be; nothing changes any more. */
  async finish(): Promise<void> {
    for (let tries = 0; tries < LAST_TRIES && (this.#isDirty || this.#running !== null); tries += 1) {
      if (this.#running === null) this.note();
      await this.#running;
    }
  }

  /** Once. Never rejects. */
  async #work(): Promise<void> {
    const { clock, over, save, onSaved } = this.#deps;
    const pauseMs = this.#lastMs + MIN_PAUSE_MS - clock.nowMs();
    if (pauseMs > 0) await clock.sleep(pauseMs, over).catch(() => undefined);
    if (over.aborted) return;
    this.#isDirty = false;
    this.#lastMs = clock.nowMs();
    const { text, isEnd } = this.#deps.text();
    if (text === this.#saved) return;
    try {
      if (!(await save(text, isEnd))) return;
      this.#saved = text;
      onSaved();
    } catch {
      this.#isDirty = true; // who saves has told it
      await clock.sleep(AGAIN_MS, over).catch(() => undefined);
    }
  }
}
