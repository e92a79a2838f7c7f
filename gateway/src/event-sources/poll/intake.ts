import type { BatchSettings } from '../mapping/mapping-view.ts';
import type { Activity } from '../owner/plan-watch.ts';
import type { QueueMessage, RecordFilter } from '../record.ts';
import type { OpenQueue } from '../source.ts';
import { MAX_BATCH_BYTES, planBatchOf } from './batcher.ts';
import type { PollerClock, PollerObserver } from './poller.ts';
import type { Settler } from './settler.ts';

/** Long polls are never cut off, since a message may be on its way; so they are short: what is given up ends soon. */
const POLL_MS = 5_000;
/** A source that does not wait, although it was asked to, is asked no sooner than that. */
const MIN_POLL_MS = 100;
/** As many as a source gives at once: SQS. */
const FULL_RECEIVE = 10;

export interface IntakeDeps {
  readonly source: OpenQueue;
  readonly settler: Settler;
  readonly clock: PollerClock;
  readonly observer: PollerObserver;
  /** Nothing more is received. */
  readonly stopping: AbortSignal;
  /** Nothing is settled any more. */
  readonly over: AbortSignal;
  /** Somebody got as many messages as were asked for. */
  readonly onFull: () => void;
}

/** How the mapping is at this moment. */
export interface IntakeSettings {
  readonly batch: BatchSettings;
  readonly filter: RecordFilter;
}

/** Receives messages of a queue, lets through what is wanted, and makes batches of it; for several workers at once. */
export class Intake {
  readonly #deps: IntakeDeps;
  /** Received, and too much for the batch of who did. */
  #spilled: QueueMessage[] = [];
  /** Of batches under way: what is spilled of the same keys comes after them. */
  readonly #busyKeys = new Set<string>();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /**
   * A batch that is due; tell when it has `ended`. Empty = nothing came, or no more is received.
   *
   * @param does is told what it does now, for the watchdog
   * @throws SourceProblem; what was received before is there for the next call
   */
  async fill(settings: IntakeSettings, does: (activity: Activity) => void): Promise<readonly QueueMessage[]> {
    const { clock, stopping } = this.#deps;
    const waiting = this.#takeFree();
    let firstReadMs = waiting.length > 0 ? clock.nowMs() : null;
    try {
      for (;;) {
        if (stopping.aborted) return this.#spill(waiting);
        const limits = { ...settings.batch, maxBytes: MAX_BATCH_BYTES };
        const decision = planBatchOf({ records: waiting, firstReadMs }, limits, clock.nowMs());
        if (decision.kind === 'send') return this.#begin(waiting, decision.count);
        if (decision.kind === 'tooLarge') {
          does({ kind: 'settling' });
          await this.#reject(waiting.splice(0, 1));
        } else {
          const waitMs = decision.untilMs === null ? POLL_MS : Math.min(POLL_MS, decision.untilMs - clock.nowMs());
          does({ kind: 'receiving', waitMs });
          const came = await this.#receive(limits.maxRecords - waiting.length, waitMs);
          does({ kind: 'settling' });
          waiting.push(...(await this.#wantedOf(came, settings.filter)));
        }
        if (waiting.length === 0) return [];
        firstReadMs ??= clock.nowMs();
      }
    } catch (err) {
      this.#spill(waiting);
      throw err;
    }
  }

  /** Nothing of the batch is under way any more. */
  ended(batch: readonly QueueMessage[]): void {
    for (const key of keysOf(batch)) this.#busyKeys.delete(key);
  }

  /** These messages of a batch come back: so must those behind them, or they would be run first. */
  async comeBack(messages: readonly QueueMessage[]): Promise<void> {
    const keys = keysOf(messages);
    const [behind, others] = split(this.#spilled, ({ key }) => key !== null && keys.has(key));
    this.#spilled = others;
    await this.#deps.settler.settle(behind, 'release');
  }

  /** Gives back what is in no batch. */
  release(): Promise<void> {
    return this.#deps.settler.settle(this.#spilled.splice(0), 'release');
  }

  async #receive(max: number, waitMs: number): Promise<readonly QueueMessage[]> {
    const { source, observer, clock, stopping, over, onFull } = this.#deps;
    const beganMs = clock.nowMs();
    const messages = await source.receive({ max, waitMs: Math.max(waitMs, 0), signal: over });
    const pauseMs = messages.length > 0 ? 0 : Math.min(waitMs, beganMs + MIN_POLL_MS - clock.nowMs());
    if (pauseMs > 0) await clock.sleep(pauseMs, stopping).catch(() => undefined);
    observer.problem(null);
    observer.polled(messages.length);
    if (messages.length >= Math.min(max, FULL_RECEIVE)) onFull();
    return messages;
  }

  /** What is wanted of what came; the rest is deleted. */
  async #wantedOf(messages: readonly QueueMessage[], filter: RecordFilter): Promise<readonly QueueMessage[]> {
    const { settler, observer } = this.#deps;
    const wanted = messages.filter((message) => filter(message)); // who throws here has kept nothing: the messages come back
    settler.keep(wanted);
    const unwanted = messages.filter((message) => !wanted.includes(message));
    if (unwanted.length > 0) observer.filteredOut(unwanted.length);
    await settler.settle(unwanted, 'delete');
    return wanted;
  }

  async #reject(messages: readonly QueueMessage[]): Promise<void> {
    this.#deps.observer.ended({ kind: 'tooLarge' }, messages.length);
    await this.#deps.settler.settle(messages, 'reject');
  }

  /** What was spilled, but for what has to wait for a batch under way. */
  #takeFree(): QueueMessage[] {
    const [busy, free] = split(this.#spilled, ({ key }) => key !== null && this.#busyKeys.has(key));
    this.#spilled = busy;
    return free;
  }

  #begin(waiting: readonly QueueMessage[], count: number): readonly QueueMessage[] {
    const batch = waiting.slice(0, count);
    this.#spill(waiting.slice(count));
    for (const key of keysOf(batch)) this.#busyKeys.add(key);
    return batch;
  }

  #spill(messages: readonly QueueMessage[]): readonly QueueMessage[] {
    this.#spilled.push(...messages);
    return [];
  }
}

const keysOf = (messages: readonly QueueMessage[]): ReadonlySet<string> =>
  new Set(messages.flatMap(({ key }) => key ?? []));

/** Those that it holds for, and the others, in their order. */
function split<T>(all: readonly T[], holds: (one: T) => boolean): [yes: T[], no: T[]] {
  return [all.filter(holds), all.filter((one) => !holds(one))];
}
