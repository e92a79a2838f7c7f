/**
 * A keyed work queue in client-go's spirit: a key waits at most once, runs once at a time, and a failed key comes
 * back after a capped, jittered back-off. One slow key holds no other: up to `parallel` keys run at once.
 *
 * A key's life: absent → waiting → running → absent; an `add` while running marks it dirty, so that it waits again
 * as soon as it has run. Only this queue decides about retries: a reconciler returns `{ requeueAfterMs }` or throws.
 */
export interface WorkQueueOptions {
  /** Brings one key to its desired state. Level-driven: it reads everything again. */
  readonly reconcile: (key: string) => Promise<Requeue>;
  /** Called once per failed run, before the back-off. */
  readonly onError: (key: string, error: unknown, retryInMs: number) => void;
  /** Keys that run at the same time, >= 1. */
  readonly parallel: number;
  /** First pause after a failure, milliseconds; doubles up to `maxBackoffMs`. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Runs `action` after `delayMs`; returns the way to call it off. */
  readonly schedule: (delayMs: number, action: () => void) => () => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** What a reconciler asks for when it succeeded: nothing, or another look after a while. */
export interface Requeue {
  readonly requeueAfterMs?: number;
}

/** See {@link WorkQueueOptions}. Bounded by the number of distinct keys; nothing is kept of a key that is at rest. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Keys that wait for a free runner, in order of arrival. */
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  /** Keys that were added while they ran. */
  readonly #dirty = new Set<string>();
  /** Delayed keys and how to call their timer off; at most one timer a key, the earliest wins. */
  readonly #delayed = new Map<string, { readonly cancel: () => void; readonly delayMs: number }>();
  /** Failures in a row, for the back-off; absent = none. */
  readonly #failures = new Map<string, number>();
  #isClosed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait or run, for the depth metric. */
  get depth(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** Asks for one more look at `key`; any number of calls before it runs count as one. */
  add(key: string): void {
    if (this.#isClosed) return;
    if (this.#running.has(key)) {
      this.#dirty.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#startNext();
  }

  /** Like {@link add}, but not before `delayMs` have passed: for changes that come in crowds. */
  addSoon(key: string, delayMs: number): void {
    if (!this.#waiting.has(key)) this.#addLater(key, delayMs);
  }

  /** Stops: nothing new starts, timers are called off; what runs ends by itself. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
  }

  #startNext(): void {
    while (!this.#isClosed && this.#running.size < this.#options.parallel) {
      const key = this.#waiting.values().next().value;
      if (key === undefined) return;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    this.#cancelTimer(key);
    try {
      const { requeueAfterMs } = await this.#options.reconcile(key);
      this.#failures.delete(key);
      if (requeueAfterMs !== undefined) this.#addLater(key, requeueAfterMs);
    } catch (error) {
      const retryInMs = this.#nextBackoffMs(key);
      this.#options.onError(key, error, retryInMs);
      this.#addLater(key, retryInMs);
    }
    this.#running.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
    this.#startNext();
  }

  #nextBackoffMs(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ceiling = Math.min(this.#options.maxBackoffMs, this.#options.minBackoffMs * 2 ** Math.min(failures, 30));
    return ceiling * (0.5 + this.#options.random() / 2);
  }

  #addLater(key: string, delayMs: number): void {
    if (this.#isClosed) return;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.delayMs <= delayMs) return;
    this.#cancelTimer(key);
    const cancel = this.#options.schedule(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { cancel, delayMs });
  }

  #cancelTimer(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }
}
