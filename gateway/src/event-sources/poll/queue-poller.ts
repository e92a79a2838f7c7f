import { Pace } from '../../async/pace.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Activity, Watched } from '../owner/plan-watch.ts';
import type { QueueMessage, RecordFilter } from '../record.ts';
import type { OpenQueue, QueueAction } from '../source.ts';
import { pauseAfterProblem, toSourceProblem } from '../source-problem.ts';
import type { BatchOutcome } from './batch-outcome.ts';
import { Intake } from './intake.ts';
import { planMessages } from './plan-messages.ts';
import type { Poller, PollerDeps, Room } from './poller.ts';
import { Settler } from './settler.ts';

/** As SQS scales on Lambda. */
const MAX_CONCURRENCY = 1_250;
const LONGEST_FUNCTION_MS = 900_000;
/** Whether pacing allows more is looked at so often. */
const LOOK_MS = 100;
/** Waits for capacity, however long that takes: it does not hang. */
const forever: Activity = Object.freeze({ kind: 'resting', forMs: Number.POSITIVE_INFINITY });

/** One of the loops of a poller. */
interface Worker {
  activity: Activity;
  sinceMs: number;
  /** It has a batch, and receives nothing meanwhile. */
  isRunning: boolean;
}

/**
 * Polls a queue with one worker or more. Each receives, fills a batch, gives it to the function, settles it, and begins anew. A worker that
 * got as many messages as it asked for calls another one, as long as pacing lets it; one that got nothing goes home, the last one excepted. So
 * an idle queue costs one long poll, and a full one has as many workers as there is capacity.
 */
export class QueuePoller implements Poller {
  readonly #deps: PollerDeps;
  readonly #source: OpenQueue;
  readonly #settler: Settler;
  readonly #intake: Intake;
  readonly #workers = new Map<Worker, Promise<void>>();
  readonly #pace = new Pace(MAX_CONCURRENCY);
  /** Nothing new is begun, and nobody sleeps. */
  readonly #stopping = new AbortController();
  /** Nothing is settled any more. */
  readonly #over = new AbortController();
  #mapping: MappingView;
  #filter: RecordFilter;
  /** Of the source, in a row. */
  #failures = 0;

  constructor(deps: PollerDeps, source: OpenQueue) {
    this.#deps = deps;
    this.#source = source;
    this.#mapping = deps.mapping;
    this.#filter = deps.filter;
    const { clock, observer } = deps;
    const settler = new Settler({ source, clock, observer, signal: this.#over.signal });
    this.#settler = settler;
    const { signal: stopping } = this.#stopping;
    const onFull = (): void => {
      if (this.#mayCall()) this.#call();
    };
    this.#intake = new Intake({ source, settler, clock, observer, stopping, over: this.#over.signal, onFull });
    this.#call();
  }

  get watched(): readonly Watched[] {
    const { mapping, shard } = this.#deps;
    const name = `${mapping.namespace}/${mapping.name} ${shard.id}`;
    return [...this.#workers.keys()].map(({ activity, sinceMs }) => ({ name, activity, sinceMs }));
  }

  get runningCount(): number {
    return this.#pace.running;
  }

  update(mapping: MappingView, filter: RecordFilter): void {
    this.#mapping = mapping;
    this.#filter = filter;
  }

  /** The queue is free when nothing more is received, unless so many batches may run and no more: then theirs have to end first. */
  async giveUp(onFree: () => void): Promise<void> {
    this.#stopping.abort();
    const { maximumConcurrency } = this.#mapping;
    await Promise.all([...this.#workers].map(([{ isRunning }, done]) => (isRunning ? undefined : done)));
    await this.#intake.release();
    if (maximumConcurrency === null) onFree();
    await Promise.all(this.#workers.values());
    this.#over.abort();
  }

  abandon(): void {
    this.#over.abort();
    this.#stopping.abort();
  }

  #call(): void {
    const sinceMs = this.#deps.clock.nowMs();
    const worker: Worker = { activity: { kind: 'resting', forMs: 0 }, sinceMs, isRunning: false };
    const done = this.#work(worker).finally(() => this.#workers.delete(worker));
    this.#workers.set(worker, done);
  }

  /** Never rejects. */
  async #work(worker: Worker): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#workers.size <= this.#cap) {
      try {
        if (this.#pace.room(this.#deps.clock.nowMs()) === 0) {
          await this.#sleep(worker, LOOK_MS); // a batch that is held comes first: nothing is received meanwhile
          continue;
        }
        this.#does(worker, forever);
        await this.#deps.whenRoom(signal);
        const settings = { batch: this.#mapping.batch, filter: this.#filter };
        const batch = await this.#intake.fill(settings, (activity) => this.#does(worker, activity));
        this.#failures = 0;
        if (batch.length > 0) await this.#run(worker, batch).finally(() => this.#intake.ended(batch));
        else if (this.#workers.size > 1) {
          this.#workers.delete(worker); // at once: of two that find nothing one stays
          return;
        }
      } catch (err) {
        if (!signal.aborted) await this.#rest(worker, err);
      }
    }
    this.#workers.delete(worker); // at once: of those that are too many no more go than that
  }

  get #cap(): number {
    return this.#mapping.maximumConcurrency ?? MAX_CONCURRENCY;
  }

  #mayCall(): boolean {
    const idle = this.#workers.size - this.#pace.running;
    const isStopping = this.#stopping.signal.aborted;
    return !isStopping && this.#workers.size < this.#cap && this.#pace.room(this.#deps.clock.nowMs()) > idle;
  }

  /** Gives a batch to the function until it is settled; one that no room was found for in time is released. */
  async #run(worker: Worker, messages: readonly QueueMessage[]): Promise<void> {
    this.#does(worker, forever);
    const room = await this.#takeRoom(messages);
    if (room === null) return this.#settle(worker, messages, 'release');
    worker.isRunning = true;
    this.#pace.running += 1;
    const { clock, observer } = this.#deps;
    const beganMs = clock.nowMs();
    const oldestMs = clock.now() - Math.min(...messages.map(({ arrivedMs }) => arrivedMs));
    observer.invoked(messages.length, oldestMs);
    try {
      let left = messages;
      while (left.length > 0) {
        const outcome = await this.#invoke(worker, left);
        left = await this.#conclude(worker, left, outcome, clock.nowMs() - beganMs);
        const pauseMs = this.#note(outcome, oldestMs);
        if (left.length > 0) left = await this.#wait(worker, left, pauseMs);
      }
    } finally {
      worker.isRunning = false;
      this.#pace.running -= 1;
      room.release();
      this.#settler.letGo(messages);
    }
  }

  #takeRoom(messages: readonly QueueMessage[]): Promise<Room | null> {
    const bytes = messages.reduce((sum, message) => sum + message.bytes, 0);
    return this.#deps.takeRoom(bytes, this.#stopping.signal).catch(() => null);
  }

  #invoke(worker: Worker, messages: readonly QueueMessage[]): Promise<BatchOutcome> {
    this.#does(worker, { kind: 'invoking', timeoutMs: LONGEST_FUNCTION_MS });
    return this.#deps.invoke(this.#mapping, {
      requestId: this.#deps.newRequestId(),
      event: Buffer.from(this.#source.eventOf(messages)),
      traceId: messages.find(({ traceId }) => traceId !== undefined)?.traceId,
    });
  }

  /** Settles what is decided. Answers what has to be tried again. */
  async #conclude(
    worker: Worker,
    messages: readonly QueueMessage[],
    outcome: BatchOutcome,
    refusedForMs: number,
  ): Promise<readonly QueueMessage[]> {
    const { reportsFailures } = this.#mapping;
    const plan = planMessages(messages, outcome, { reportsFailures, refusedForMs });
    for (const { action, messages: some } of plan.settle) await this.#settle(worker, some, action);
    const failed = plan.settle.find(({ action }) => action === 'leave')?.messages.length ?? 0;
    this.#deps.observer.ended(plan.result, failed);
    return plan.again;
  }

  /** For capacity. Answers what has to be tried again then: nothing, when no more is begun. */
  async #wait(worker: Worker, messages: readonly QueueMessage[], ms: number): Promise<readonly QueueMessage[]> {
    await this.#sleep(worker, ms);
    if (!this.#stopping.signal.aborted) return messages;
    await this.#settle(worker, messages, 'release');
    return [];
  }

  async #settle(worker: Worker, messages: readonly QueueMessage[], action: QueueAction): Promise<void> {
    this.#does(worker, { kind: 'settling' });
    await this.#settler.settle(messages, action);
    if (action === 'delete') return;
    this.#does(worker, { kind: 'settling' });
    await this.#intake.comeBack(messages);
  }

  /** Answers how long nothing is begun. */
  #note(outcome: BatchOutcome, lateMs: number): number {
    const nowMs = this.#deps.clock.nowMs();
    if (outcome.kind === 'refused') return this.#pace.refused(nowMs);
    this.#pace.ran(nowMs, lateMs);
    return 0;
  }

  async #rest(worker: Worker, err: unknown): Promise<void> {
    const problem = toSourceProblem(err);
    this.#deps.observer.problem(problem);
    const pauseMs = pauseAfterProblem(problem.reason, this.#failures, this.#deps.random());
    this.#failures += 1;
    await this.#sleep(worker, pauseMs);
  }

  /** Ends early when nothing is begun any more. */
  async #sleep(worker: Worker, ms: number): Promise<void> {
    this.#does(worker, { kind: 'resting', forMs: ms });
    await this.#deps.clock.sleep(ms, this.#stopping.signal).catch(() => undefined);
  }

  #does(worker: Worker, activity: Activity): void {
    worker.activity = activity;
    worker.sinceMs = this.#deps.clock.nowMs();
  }
}
