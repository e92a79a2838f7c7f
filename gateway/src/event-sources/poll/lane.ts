import type { Trial } from '../checkpoints/checkpoint.ts';
import { reform, trialsOf } from '../checkpoints/trials.ts';
import type { Activity, Watched } from '../owner/plan-watch.ts';
import type { SourceRecord } from '../record.ts';
import type { BatchOutcome } from './batch-outcome.ts';
import { MAX_BATCH_BYTES, planBatchOf } from './batcher.ts';
import { Bell } from './bell.ts';
import type { LaneDeps } from './lane-deps.ts';
import type { OldTrials } from './old-trials.ts';
import { countTooOld, type GiveUpCondition, type Part } from './plan-batch.ts';
import type { BatchCall, Room } from './poller.ts';
import { tellUntilHeard } from './tell-until-heard.ts';
import type { OpenWindow } from './tumbling-window.ts';
import { WindowCalls } from './window-calls.ts';

/** Without any news a lane looks again after so long. */
const LOOK_MS = 1_000;
const LONGEST_FUNCTION_MS = 900_000;

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
  readonly #windows: WindowCalls;
  #bytes = 0;
  #activity: Activity = { kind: 'resting', forMs: LOOK_MS };
  #sinceMs: number;
  #isRunning = false;

  constructor(deps: LaneDeps, trials: OldTrials, window: OpenWindow | null) {
    this.#deps = deps;
    this.#bell = new Bell(deps.clock);
    this.#trials = trials;
    this.#windows = new WindowCalls(window);
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
    return this.#windows.window;
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
    this.#does({ kind: 'resting', forMs: Number.POSITIVE_INFINITY }); // other lanes may go on for long
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
    const count = this.#windows.next({
      waiting: records.slice(0, most),
      lengthMs: mapping().stream.windowMs,
      nowMs: emptyMs ?? clock.now(),
      isCaughtUp: emptyMs !== null,
      isEnd: isEnd(),
      isBatchDue: decision.kind !== 'wait',
    });
    if (count === null) return null;
    const attempts = this.#trials.take(count === 0 ? undefined : records[0]?.id)?.attempts ?? 0;
    return { records: this.#take(count), attempts };
  }

  #decide(records: readonly SourceRecord[], isLast: boolean): ReturnType<typeof planBatchOf> {
    const { mapping, clock, isEnd } = this.#deps;
    const limits = { ...mapping().batch, maxBytes: MAX_BATCH_BYTES - Buffer.byteLength(this.window?.state ?? '') };
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
      if (part.records.length > 1) return this.#halve(part);
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

  /** What stands around its records made the event too large. No try was made. */
  #halve({ records, attempts }: Part): void {
    const half = Math.ceil(records.length / 2);
    this.#parts.splice(0, 1, { records: records.slice(0, half), attempts }, { records: records.slice(half), attempts });
    this.#deps.changed();
  }

  /** null = nothing more is begun. */
  async #takeRoom(bytes: number): Promise<Room | null> {
    const { whenRoom, takeRoom, mayBegin, stopping } = this.#deps;
    this.#does({ kind: 'resting', forMs: Number.POSITIVE_INFINITY });
    try {
      while (!stopping.aborted) {
        await whenRoom(stopping);
        const room = await takeRoom(bytes, stopping);
        if (mayBegin() && !stopping.aborted) return room;
        room.release(); // it took so long that somebody else may have the shard
      }
    } catch {} // stopping
    return null;
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
    const place = { shardId: shard.id, arn: source.eventSourceArn ?? '', lengthMs: settings.windowMs };
    const members = this.#windows.members(place, this.#parts.length === 1);
    return Buffer.from(stream.eventOf(shard, records, members));
  }

  async #conclude(part: Part, outcome: BatchOutcome, requestId: string): Promise<void> {
    const { observer, pace, clock, stopping } = this.#deps;
    const { reportsFailures, stream } = this.#deps.mapping();
    const isLast = this.#parts.length === 1;
    const plan = this.#windows.plan(part, outcome, { ...stream, reportsFailures, isLast });
    this.#parts.shift();
    const given = plan.gaveUp === null ? null : { ...plan.gaveUp, attempts: part.attempts + 1 };
    this.#parts.unshift(...(given === null ? [] : [given]), ...plan.next);
    this.#end(plan.done);
    const failed = part.records.length - plan.done.length;
    observer.ended(plan.result, failed);
    if (given !== null) {
      const { records, condition } = given;
      const executedVersion = 'executedVersion' in outcome ? outcome.executedVersion : null;
      await this.#giveUp(given, { count: records.length, condition, last: { requestId, executedVersion } });
    }
    const pauseMs = plan.pauseMs ?? pace.refused(clock.nowMs());
    if (plan.pauseMs !== null) pace.ran(clock.nowMs(), 0);
    if (pauseMs === 0) return;
    this.#does({ kind: 'resting', forMs: pauseMs });
    await clock.sleep(pauseMs, stopping).catch(() => undefined);
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
    const told = { records, condition, invokeCount: part.attempts, ...(last ?? this.#noTry()) };
    if (!(await tellUntilHeard(told, this.#deps, (activity) => this.#does(activity)))) return;
    const rest = part.records.slice(count);
    this.#parts.shift();
    if (rest.length > 0) this.#parts.unshift({ ...part, records: rest });
    this.#end(records);
    if (last === null) this.#deps.observer.ended({ kind: 'gaveUp', condition }, records.length);
    this.#deps.changed();
  }

  #noTry(): LastTry {
    return { requestId: this.#deps.newRequestId(), executedVersion: null };
  }

  /** Of what is no more in `#parts`. The checkpoint is made at once: it must not pass the last records of a window that is still open in it. */
  #end(records: readonly SourceRecord[]): void {
    if (this.#parts.length === 0) this.#windows.close();
    for (const { bytes } of records) this.#bytes -= bytes;
    this.#deps.ended(records);
  }

  #does(activity: Activity): void {
    this.#activity = activity;
    this.#sinceMs = this.#deps.clock.nowMs();
  }
}
