import type { Pace } from '../../async/pace.ts';
import type { Trial } from '../checkpoints/checkpoint.ts';
import { reform, trialsOf } from '../checkpoints/trials.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Activity, Watched } from '../owner/plan-watch.ts';
import type { Shard, SourceRecord } from '../record.ts';
import type { OpenStream } from '../source.ts';
import type { BatchOutcome } from './batch-outcome.ts';
import { MAX_BATCH_BYTES, planBatchOf } from './batcher.ts';
import { Bell } from './bell.ts';
import { type BatchPlan, countTooOld, type GiveUpCondition, type Part, planBatch } from './plan-batch.ts';
import type { BatchCall, InvokeBatch, PollerClock, PollerObserver, Room } from './poller.ts';
import type { TellFailure } from './tell-failure.ts';
import {
  afterCall,
  type OpenWindow,
  planWindow,
  readState,
  type WindowCall,
  windowMembers,
} from './tumbling-window.ts';

/** Without any news a lane looks again after so long. */
const LOOK_MS = 1_000;
const LONGEST_FUNCTION_MS = 900_000;
const FIRST_TELL_PAUSE_MS = 1_000;
const MAX_TELL_PAUSE_MS = 300_000;

/** Parts that an earlier owner of a shard has tried: each is formed again as it was, by the lane that gets its records. */
export class OldTrials {
  #all: readonly Trial[];

  constructor(all: readonly Trial[]) {
    this.#all = all;
  }

  /** Those whose records have not come yet, in order. */
  get all(): readonly Trial[] {
    return this.#all;
  }

  /** The one that begins with this record has come, or never will. */
  take(first: string | undefined): Trial | undefined {
    const found = this.#all.find((trial) => trial.first === first);
    if (found !== undefined) this.#all = this.#all.filter((trial) => trial !== found);
    return found;
  }

  /** What was to be read is gone. */
  clear(): void {
    this.#all = [];
  }
}

/** What a lane works with, and whom it tells. */
export interface LaneDeps {
  readonly stream: OpenStream;
  readonly shard: Shard;
  /** As it is now. */
  readonly mapping: () => MappingView;
  readonly takeRoom: (bytes: number, signal: AbortSignal) => Promise<Room>;
  /** Resolves when a batch may be begun. */
  readonly whenRoom: (signal: AbortSignal) => Promise<void>;
  readonly invoke: InvokeBatch;
  readonly tell: TellFailure;
  readonly observer: PollerObserver;
  readonly clock: PollerClock;
  readonly newRequestId: () => string;
  /** Of all lanes of a shard. */
  readonly pace: Pace;
  /** Nothing more is begun. */
  readonly stopping: AbortSignal;
  /** These are done with. */
  readonly ended: (records: readonly SourceRecord[]) => void;
  /** Something that the checkpoint keeps has changed. */
  readonly changed: () => void;
  /** No more is read before some of what waits has ended. */
  readonly isFull: () => boolean;
  /** When the latest read began that gave nothing, epoch milliseconds; null = it gave something. */
  readonly emptyReadMs: () => number | null;
  /** All of the shard was read. */
  readonly isEnd: () => boolean;
}

/** A try that was made: what a record of failure says of it. */
interface LastTry {
  readonly requestId: string;
  readonly executedVersion: string | null;
}

/**
 * Part of a shard whose records keep their order: all of one key are in it. One part at a time is given to the function; what is to be tried again goes
 * before everything else.
 */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #bell: Bell;
  /** Not tried yet, in order. */
  readonly #waiting: { readonly record: SourceRecord; readonly readMs: number }[] = [];
  /** Tried before, or part of an open call: they go first. */
  #parts: Part[] = [];
  readonly #trials: OldTrials;
  #window: OpenWindow | null;
  /** Of a window: what `#parts` are the rest of. */
  #call: WindowCall | null = null;
  #bytes = 0;
  #activity: Activity = { kind: 'resting', forMs: LOOK_MS };
  #sinceMs: number;
  #isRunning = false;

  constructor(deps: LaneDeps, trials: OldTrials, window: OpenWindow | null) {
    this.#deps = deps;
    this.#bell = new Bell(deps.clock);
    this.#trials = trials;
    this.#window = window;
    this.#sinceMs = deps.clock.nowMs();
  }

  /** Records that have not ended. */
  get size(): number {
    return this.#waiting.length + this.#parts.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** Of them. */
  get bytes(): number {
    return this.#bytes;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get watched(): Omit<Watched, 'name'> {
    return { activity: this.#activity, sinceMs: this.#sinceMs };
  }

  /** What the checkpoint keeps of it. */
  get trials(): readonly Trial[] {
    return trialsOf(this.#parts.filter(({ attempts }) => attempts > 0));
  }

  get window(): OpenWindow | null {
    return this.#window;
  }

  push(record: SourceRecord): void {
    this.#waiting.push({ record, readMs: this.#deps.clock.nowMs() });
    this.#bytes += record.bytes;
  }

  /** Something was read, or nothing, or a record has ended elsewhere. */
  wake(): void {
    this.#bell.ring();
  }

  /** Until nothing more is begun. Never rejects. */
  async run(): Promise<void> {
    const { stopping } = this.#deps;
    while (!stopping.aborted) {
      const part = this.#parts.shift() ?? this.#next();
      if (part === null) {
        this.#does({ kind: 'resting', forMs: LOOK_MS });
        await this.#bell.wait(this.#untilDueMs(), stopping);
        continue;
      }
      this.#parts.unshift(part); // it is what comes first, until its plan says otherwise
      await this.#try(part);
    }
  }

  /** The next part that is due, out of what waits; null = none is. */
  #next(): Part | null {
    if (this.#deps.mapping().stream.windowMs > 0) return this.#nextOfWindow();
    const records = this.#waiting.map(({ record }) => record);
    if (records.length === 0) return null;
    const reformed = reform(records, this.#trials.all, this.#deps.isFull() || this.#deps.isEnd());
    if (reformed.kind === 'readMore') return null;
    if (reformed.kind === 'part') {
      this.#trials.take(reformed.part.records[0]?.id);
      return { ...reformed.part, records: this.#take(reformed.part.records.length) };
    }
    const isCut = reformed.most < records.length;
    const decision = this.#decide(records.slice(0, reformed.most), isCut);
    if (decision.kind === 'wait') return null;
    return { records: this.#take(decision.kind === 'tooLarge' ? 1 : decision.count), attempts: 0 };
  }

  #nextOfWindow(): Part | null {
    const { clock, mapping, emptyReadMs, isEnd } = this.#deps;
    const records = this.#waiting.map(({ record }) => record);
    const decision = this.#decide(records, false);
    const most = decision.kind === 'send' ? decision.count : decision.kind === 'tooLarge' ? 1 : records.length;
    const emptyMs = emptyReadMs();
    const call = planWindow({
      open: this.#window,
      waiting: records.slice(0, most),
      lengthMs: mapping().stream.windowMs,
      nowMs: emptyMs ?? clock.now(),
      isCaughtUp: emptyMs !== null,
      isEnd: isEnd(),
      isBatchDue: decision.kind !== 'wait',
    });
    if (call === null) return null;
    this.#window = call.window;
    this.#call = call;
    const attempts = this.#trials.take(call.count === 0 ? undefined : records[0]?.id)?.attempts ?? 0;
    return { records: this.#take(call.count), attempts };
  }

  #decide(records: readonly SourceRecord[], isLast: boolean): ReturnType<typeof planBatchOf> {
    const { mapping, clock, isEnd } = this.#deps;
    const limits = { ...mapping().batch, maxBytes: MAX_BATCH_BYTES - (this.#window?.state.length ?? 0) };
    const firstReadMs = this.#waiting[0]?.readMs ?? null;
    return planBatchOf({ records, firstReadMs }, limits, clock.nowMs(), isLast || isEnd());
  }

  /** How long until the batch that waits is due. */
  #untilDueMs(): number {
    const decision = this.#decide(
      this.#waiting.map(({ record }) => record),
      false,
    );
    const untilMs = decision.kind === 'wait' ? decision.untilMs : null;
    return Math.min(Math.max(1, (untilMs ?? Number.POSITIVE_INFINITY) - this.#deps.clock.nowMs()), LOOK_MS);
  }

  #take(count: number): readonly SourceRecord[] {
    return this.#waiting.splice(0, count).map(({ record }) => record);
  }

  /** Tries the first of `#parts` once. */
  async #try(part: Part): Promise<void> {
    const { mapping, clock } = this.#deps;
    const { stream } = mapping();
    const old = countTooOld(part.records, stream, clock.now());
    if (old > 0) {
      await this.#giveUp(part, { count: old, condition: 'RecordAgeExceeded', last: null });
      return;
    }
    if (stream.maxRetries !== null && part.attempts > stream.maxRetries) {
      await this.#giveUp(part, { count: part.records.length, condition: 'RetryAttemptsExhausted', last: null });
      return;
    }
    const event = this.#eventOf(part);
    if (event.length > MAX_BATCH_BYTES) {
      await this.#giveUp(part, { count: part.records.length, condition: 'RecordTooLarge', last: null });
      return;
    }
    const room = await this.#takeRoom(event.length);
    if (room === null) return;
    this.#isRunning = true;
    const requestId = this.#deps.newRequestId();
    const outcome = await this.#invoke(part, { requestId, event, traceId: undefined });
    room.release();
    await this.#conclude(part, outcome, requestId);
    this.#isRunning = false;
    this.#deps.changed();
  }

  /** null = nothing more is begun. */
  async #takeRoom(bytes: number): Promise<Room | null> {
    const { whenRoom, takeRoom, stopping } = this.#deps;
    this.#does({ kind: 'resting', forMs: Number.POSITIVE_INFINITY });
    try {
      await whenRoom(stopping);
      return await takeRoom(bytes, stopping);
    } catch {
      return null;
    }
  }

  #invoke(part: Part, call: BatchCall): Promise<BatchOutcome> {
    const { invoke, mapping, observer, clock } = this.#deps;
    this.#does({ kind: 'invoking', timeoutMs: LONGEST_FUNCTION_MS });
    const oldestMs = Math.min(...part.records.map(({ arrivedMs }) => arrivedMs));
    observer.invoked(part.records.length, part.records.length === 0 ? 0 : clock.now() - oldestMs);
    return invoke(mapping(), call);
  }

  #eventOf({ records }: Part): Buffer {
    const { stream, shard, mapping } = this.#deps;
    const { source, stream: settings } = mapping();
    const call = this.#call;
    const members =
      call === null || this.#window === null
        ? {}
        : windowMembers(
            { ...call, window: this.#window, isFinal: call.isFinal && this.#parts.length === 1 },
            { shardId: shard.id, arn: source.eventSourceArn ?? '', lengthMs: settings.windowMs },
          );
    return Buffer.from(stream.eventOf(shard, records, members));
  }

  async #conclude(part: Part, outcome: BatchOutcome, requestId: string): Promise<void> {
    const { observer, pace, clock, stopping } = this.#deps;
    const plan = this.#plan(part, outcome);
    this.#parts.shift();
    this.#parts.unshift(...plan.next);
    this.#end(plan.done);
    const failed = part.records.length - plan.done.length;
    observer.ended(plan.result, failed);
    if (plan.gaveUp !== null) {
      const { records, condition } = plan.gaveUp;
      const given = { records, attempts: part.attempts + 1 };
      this.#parts.unshift(given);
      const executedVersion = 'executedVersion' in outcome ? outcome.executedVersion : null;
      await this.#giveUp(given, { count: records.length, condition, last: { requestId, executedVersion } });
    }
    this.#closeCall();
    const pauseMs = plan.pauseMs ?? pace.refused(clock.nowMs());
    if (plan.pauseMs !== null) pace.ran(clock.nowMs(), 0);
    if (pauseMs === 0) return;
    this.#does({ kind: 'resting', forMs: pauseMs });
    await clock.sleep(pauseMs, stopping).catch(() => undefined);
  }

  /** Of a window also its state: a part that went well without one has failed. */
  #plan(part: Part, outcome: BatchOutcome): BatchPlan {
    const { reportsFailures, stream } = this.#deps.mapping();
    const settings = { ...stream, reportsFailures };
    const call = this.#call;
    if (call === null || this.#window === null || outcome.kind !== 'ran') return planBatch(part, outcome, settings);
    const plan = planBatch(part, outcome, settings);
    const isFinal = call.isFinal && this.#parts.length === 1 && plan.next.length === 0;
    const state = readState(outcome.answer);
    const isWell = plan.next.length === 0 && plan.gaveUp === null;
    if (state === null && isWell && !isFinal) {
      const failed = planBatch(part, { kind: 'failed', executedVersion: outcome.executedVersion }, settings);
      return { ...failed, result: { kind: 'badAnswer', why: 'it has no state' } };
    }
    if (state !== null && !isFinal && plan.done.length > 0)
      this.#window = afterCall({ ...call, window: this.#window, isFinal: false }, state);
    return plan;
  }

  /** The window is over with the last part of its final call. */
  #closeCall(): void {
    if (this.#call === null || this.#parts.length > 0) return;
    if (this.#call.isFinal) this.#window = null;
    this.#call = null;
  }

  /**
   * The first `count` records of the first part will never be run: tells whoever is to be told, for as long as that takes, then they have ended.
   * They are still there when nothing more is begun meanwhile.
   */
  async #giveUp(
    part: Part,
    {
      count,
      condition,
      last,
    }: { readonly count: number; readonly condition: GiveUpCondition; readonly last: LastTry | null },
  ): Promise<void> {
    const records = part.records.slice(0, count);
    if (!(await this.#tell(part, { records, condition, last }))) return;
    const rest = part.records.slice(count);
    this.#parts.shift();
    if (rest.length > 0) this.#parts.unshift({ ...part, records: rest });
    this.#end(records);
    if (last === null) this.#deps.observer.ended({ kind: 'gaveUp', condition }, records.length);
    this.#closeCall();
    this.#deps.changed();
  }

  /** Whether it was told, or nobody is to be told. */
  async #tell(
    part: Part,
    {
      records,
      condition,
      last,
    }: { records: readonly SourceRecord[]; condition: GiveUpCondition; last: LastTry | null },
  ): Promise<boolean> {
    const { mapping, tell, observer, clock, stopping, stream, shard } = this.#deps;
    if (records.length === 0) return true;
    if (mapping().onFailure === null) {
      observer.dropped(records.length);
      return true;
    }
    const { requestId, executedVersion } = last ?? { requestId: this.#deps.newRequestId(), executedVersion: null };
    const payload = stream.eventOf(shard, records, {});
    const info = stream.infoOf(shard, records);
    const failure = { requestId, condition, invokeCount: part.attempts, executedVersion, decidedMs: clock.now(), info };
    for (let pauseMs = FIRST_TELL_PAUSE_MS; !stopping.aborted; pauseMs = Math.min(pauseMs * 2, MAX_TELL_PAUSE_MS)) {
      const { onFailure } = mapping(); // it may be set to another one meanwhile
      if (onFailure === null) break;
      this.#does({ kind: 'telling' });
      try {
        await tell(mapping(), { ...failure, shard: shard.id, payload });
        observer.told(records.length);
        return true;
      } catch (err) {
        observer.notTold(onFailure, err);
      }
      this.#does({ kind: 'resting', forMs: pauseMs });
      await clock.sleep(pauseMs, stopping).catch(() => undefined);
    }
    if (stopping.aborted) return false;
    observer.dropped(records.length);
    return true;
  }

  #end(records: readonly SourceRecord[]): void {
    for (const { bytes } of records) this.#bytes -= bytes;
    this.#deps.ended(records);
  }

  #does(activity: Activity): void {
    this.#activity = activity;
    this.#sinceMs = this.#deps.clock.nowMs();
  }
}
