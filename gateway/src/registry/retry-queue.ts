/** What a {@link RetryQueue} is made with. */
export interface RetryQueueDeps {
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Keys at the same time; the oldest that does not run is dropped for a new one. */
  readonly limit: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
  /** Whether trying again can help. */
  readonly isWorthRetrying: (err: unknown) => boolean;
  readonly onProblem: (key: string, err: unknown, isDropped: boolean) => void;
  /** 0..1. */
  readonly random: () => number;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
}

interface Job {
  run: () => Promise<void>;
  failures: number;
  state: 'ready' | 'running' | 'pausing';
  /** Put again while it ran. */
  isStale: boolean;
  cancelPause: () => void;
}

/**
 * Work that must happen but that nobody waits for: one job per key, the newest wins, failures back off per key with
 * jitter. Bounded: under a flood
 * the oldest waiting job is dropped and said.
 */
export class RetryQueue {
  readonly #deps: RetryQueueDeps;
  readonly #jobs = new Map<string, Job>();
  readonly #ready = new Set<string>();
  #running = 0;
  #isClosed = false;

  constructor(deps: RetryQueueDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#jobs.size;
  }

  /** Takes the job at once; a job of the same key that waits is replaced, one that runs is followed by this one. */
  put(key: string, run: () => Promise<void>): void {
    if (this.#isClosed) return;
    const job = this.#jobs.get(key);
    if (job === undefined) this.#add(key, run);
    else {
      job.run = run;
      if (job.state === 'running') job.isStale = true;
    }
    this.#pump();
  }

  /** Forgets everything that does not run. */
  close(): void {
    this.#isClosed = true;
    for (const key of [...this.#jobs.keys()]) this.#forget(key);
  }

  #add(key: string, run: () => Promise<void>): void {
    if (this.#jobs.size >= this.#deps.limit) this.#dropOldest();
    this.#jobs.set(key, { run, failures: 0, state: 'ready', isStale: false, cancelPause: () => undefined });
    this.#ready.add(key);
  }

  #dropOldest(): void {
    for (const [key, job] of this.#jobs) {
      if (job.state === 'running') continue;
      this.#forget(key);
      this.#deps.onProblem(key, new Error('too many jobs wait'), true);
      return;
    }
  }

  #forget(key: string): void {
    this.#jobs.get(key)?.cancelPause();
    this.#jobs.delete(key);
    this.#ready.delete(key);
  }

  #pump(): void {
    for (const key of this.#ready) {
      if (this.#running >= this.#deps.concurrency) return;
      this.#ready.delete(key);
      const job = this.#jobs.get(key);
      if (job !== undefined) this.#start(key, job);
    }
  }

  #start(key: string, job: Job): void {
    this.#running += 1;
    job.state = 'running';
    job.isStale = false;
    job
      .run()
      .then(
        () => this.#succeeded(key, job),
        (err: unknown) => this.#failed(key, job, err),
      )
      .finally(() => {
        this.#running -= 1;
        this.#pump();
      });
  }

  #succeeded(key: string, job: Job): void {
    job.failures = 0;
    if (job.isStale && !this.#isClosed) this.#makeReady(key, job);
    else this.#forget(key);
  }

  #failed(key: string, job: Job, err: unknown): void {
    if (this.#isClosed) return;
    const isDropped = !job.isStale && !this.#deps.isWorthRetrying(err);
    this.#deps.onProblem(key, err, isDropped);
    if (isDropped) {
      this.#forget(key);
      return;
    }
    const longestMs = Math.min(this.#deps.maxPauseMs, this.#deps.firstPauseMs * 2 ** Math.min(job.failures, 20));
    job.failures += 1;
    job.state = 'pausing';
    job.cancelPause = this.#deps.schedule(longestMs * (0.5 + this.#deps.random() / 2), () => {
      this.#makeReady(key, job);
      this.#pump();
    });
  }

  #makeReady(key: string, job: Job): void {
    job.state = 'ready';
    this.#ready.add(key);
  }
}
