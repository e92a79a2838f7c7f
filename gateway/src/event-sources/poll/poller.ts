import type { Claim } from '../checkpoints/checkpoint-store.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { BatchResult } from '../mapping/plan-conditions.ts';
import type { Watched } from '../owner/plan-watch.ts';
import type { RecordFilter, Shard } from '../record.ts';
import type { SourceProblem } from '../source-problem.ts';
import type { BatchOutcome } from './batch-outcome.ts';

/**
 * Reads one shard of one mapping while this gateway holds it: receive → filter → batch → invoke → settle or checkpoint. Two of them, QueuePoller
 * and StreamPoller; neither knows a source by name.
 *
 *   state     | enters by                                   | leaves by
 *   running   | start                                       | giveUp → draining; a problem of the source → resting
 *   resting   | a problem, no room, throttled               | the pause is over → running; giveUp → ended
 *   draining  | giveUp: nothing is received or begun        | what runs has ended and is settled → ended; a queue is free before that
 *   ended     | all is settled, or `abandon`                | –
 *
 * It ends in `abandon`, too: the claim is lost, or the watchdog has had enough. Then it settles nothing and saves nothing any more, since
 * somebody else may have the shard; what it had under way runs once more elsewhere.
 */
export interface Poller {
  /** For the watchdog: what each of its loops does now. */
  readonly watched: readonly Watched[];
  /** Batches that run, those being settled included. */
  readonly runningCount: number;
  /** A change of the mapping that needs no new connection is in force with the next batch. */
  update(mapping: MappingView, filter: RecordFilter): void;
  /**
   * Begins nothing more. Resolves when all that ran is settled; never rejects.
   *
   * @param onFree somebody else may have the shard, although batches still run here; not every poller can say so
   */
  giveUp(onFree: () => void): Promise<void>;
  /** Lets everything fall, at once. */
  abandon(): void;
}

/** What every poller is made with. */
export interface PollerDeps {
  readonly mapping: MappingView;
  readonly shard: Shard;
  readonly claim: Claim;
  /**
   * Resolves when a batch might be begun: nothing is received before. There is capacity, the claim's last sign of life is young enough
   * (GIVE_UP_MS), the function is there and its reserved concurrency is not 0. Rejects when the signal aborts.
   */
  readonly whenRoom: (signal: AbortSignal) => Promise<void>;
  /** The claim's last sign of life is young enough. To be asked again when room was taken, which may take long, where order matters. */
  readonly mayBegin: () => boolean;
  /** Takes room for one batch that is there; give it back. Rejects when the signal aborts. */
  readonly takeRoom: (bytes: number, signal: AbortSignal) => Promise<Room>;
  /** Of this mapping; the generation of the spec may change meanwhile. */
  readonly filter: RecordFilter;
  readonly invoke: InvokeBatch;
  readonly observer: PollerObserver;
  readonly clock: PollerClock;
  /** 0..1. */
  readonly random: () => number;
  /** UUID version 4. */
  readonly newRequestId: () => string;
}

/** Part of what all pollers of a gateway may run and hold. */
export interface Room {
  /** The batch has ended; once. */
  readonly release: () => void;
}

/** Gives a batch to the function: resolves version or alias now, counts loops, goes the way of asynchronous calls. Never rejects. */
export type InvokeBatch = (mapping: MappingView, call: BatchCall) => Promise<BatchOutcome>;

export interface BatchCall {
  /** New for each try. */
  readonly requestId: string;
  readonly event: Buffer;
  /** Of a record that has one. */
  readonly traceId: string | undefined;
}

export interface PollerClock {
  /** Epoch milliseconds: ages of records, nothing else. */
  readonly now: () => number;
  /** Monotonic: everything else. */
  readonly nowMs: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Told what happens, for metrics, conditions and status. Numbers are of records. Synchronous, never throws. */
export interface PollerObserver {
  readonly polled: (count: number) => void;
  readonly filteredOut: (count: number) => void;
  /** A batch was given to the function; `oldestMs` = how long its oldest record had waited. */
  readonly invoked: (count: number, oldestMs: number) => void;
  readonly ended: (result: BatchResult, failed: number) => void;
  /** Deleted from a queue. */
  readonly deleted: (count: number) => void;
  /** Given up without anybody being told. */
  readonly dropped: (count: number) => void;
  readonly told: (count: number) => void;
  readonly notTold: (arn: string, err: unknown) => void;
  /** How far behind the shard is; null = not known. */
  readonly behind: (ms: number | null, records: number | null) => void;
  /** null = the source answers again. */
  readonly problem: (problem: SourceProblem | null) => void;
}
