import { Pace } from '../../async/pace.ts';
import { checkpointText, firstCheckpoint } from '../checkpoints/checkpoint.ts';
import { planStart } from '../checkpoints/plan-start.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Activity, Watched } from '../owner/plan-watch.ts';
import type { Position, RecordFilter, SourceRecord } from '../record.ts';
import type { OpenStream, ReadResult } from '../source.ts';
import { pauseAfterProblem, toSourceProblem } from '../source-problem.ts';
import { parseBegun } from './begun.ts';
import { Bell } from './bell.ts';
import { CheckpointSaver } from './checkpoint-saver.ts';
import { Lane } from './lane.ts';
import { laneOf } from './lanes.ts';
import { OldTrials } from './old-trials.ts';
import type { Poller, PollerDeps } from './poller.ts';
import type { StreamState } from './stream-state.ts';
import type { OpenWindow } from './tumbling-window.ts';
import { type Place, Watermark } from './watermark.ts';

/** So long a read may wait for the first record, where the source can wait. */
const WAIT_MS = 500;
/** After a read without records, where the source did not wait itself; the longest is also how often it is looked whether there is room. */
const FIRST_IDLE_MS = 200;
const MAX_IDLE_MS = 1_000;
/** Batches that are read ahead, for each lane. */
const AHEAD_BATCHES = 2;
/** Records that are remembered because one before them has not ended. */
const MAX_REMEMBERED = 50_000;
/** Of one read. */
const MAX_READ = 10_000;

/**
 * Reads a shard of a stream: one reader, which goes ahead a little, and a lane for each batch that may run at once. What is done is written down up to the
 * first record that is not (Watermark), so nothing is lost whatever ends this, and only what ran since runs again.
 */
export class StreamPoller implements Poller {
  readonly #deps: PollerDeps;
  readonly #stream: OpenStream;
  readonly #state: StreamState;
  readonly #watermark = new Watermark();
  readonly #places = new Map<SourceRecord, Place>();
  readonly #saver: CheckpointSaver;
  /** Nothing more is begun or read. */
  readonly #stopping = new AbortController();
  /** Nothing is saved any more. */
  readonly #over = new AbortController();
  /** Something has ended: there may be room to read. */
  readonly #bell: Bell;
  readonly #done: Promise<void>;
  #lanes: readonly Lane[] = [];
  #trials = new OldTrials([]);
  #mapping: MappingView;
  #filter: RecordFilter;
  /** All before it has ended, as it was at the beginning. */
  #first: Position = { kind: 'start' };
  #isEnd = false;
  #emptyReadMs: number | null = null;
  #failures = 0;
  #activity: Activity = { kind: 'opening' };
  #sinceMs: number;

  constructor(deps: PollerDeps, stream: OpenStream, state: StreamState) {
    this.#deps = deps;
    this.#stream = stream;
    this.#state = state;
    this.#mapping = deps.mapping;
    this.#filter = deps.filter;
    this.#sinceMs = deps.clock.nowMs();
    this.#bell = new Bell(deps.clock);
    this.#saver = new CheckpointSaver({
      text: () => this.#checkpoint(),
      save: state.save,
      onSaved: () => this.#stream.onCheckpoint?.(deps.shard, this.#position()),
      clock: deps.clock,
      over: this.#over.signal,
    });
    this.#done = this.#work();
  }

  get watched(): readonly Watched[] {
    const { mapping, shard } = this.#deps;
    const name = `${mapping.namespace}/${mapping.name} ${shard.id}`;
    const reader = { activity: this.#activity, sinceMs: this.#sinceMs };
    return [reader, ...this.#lanes.map((lane) => lane.watched)].map((each) => ({ name, ...each }));
  }

  get runningCount(): number {
    return this.#lanes.filter(({ isRunning }) => isRunning).length;
  }

  update(mapping: MappingView, filter: RecordFilter): void {
    this.#mapping = mapping;
    this.#filter = filter;
  }

  async giveUp(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    await this.#saver.finish();
    this.#end();
  }

  abandon(): void {
    this.#end();
    this.#stopping.abort();
  }

  #end(): void {
    this.#over.abort();
    this.#hold();
    this.#state.onEnd();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const begun = parseBegun(this.#state.checkpoint, this.#deps.shard) ?? firstCheckpoint(await this.#start());
      this.#first = begun.position;
      this.#isEnd = begun.isEnd;
      this.#trials = new OldTrials(begun.trials);
      const pace = new Pace(this.#mapping.stream.parallel);
      this.#lanes = Array.from({ length: this.#mapping.stream.parallel }, () => this.#lane(begun.window, pace));
      await Promise.all([this.#read(begun.position), ...this.#lanes.map((lane) => lane.run())]);
    } catch (err) {
      if (!signal.aborted) this.#deps.observer.problem(toSourceProblem(err));
    } finally {
      this.#does({ kind: 'resting', forMs: Number.POSITIVE_INFINITY });
    }
  }

  /** Of a shard that nobody has read: what the source's own book says, asked until it answers, or what the mapping does. */
  async #start(): Promise<Position> {
    const { signal } = this.#stopping;
    while (this.#stream.committed !== undefined && !signal.aborted) {
      try {
        return (await this.#stream.committed(this.#deps.shard)) ?? planStart(this.#mapping.start);
      } catch (err) {
        await this.#rest(err);
      }
    }
    signal.throwIfAborted();
    return planStart(this.#mapping.start);
  }

  #lane(window: OpenWindow | null, pace: Pace): Lane {
    const { shard, takeRoom, whenRoom, mayBegin, invoke, observer, clock, newRequestId } = this.#deps;
    return new Lane(
      {
        ...{ shard, takeRoom, whenRoom, mayBegin, invoke, observer, clock, newRequestId, pace },
        stream: this.#stream,
        tell: this.#state.tell,
        mapping: () => this.#mapping,
        stopping: this.#stopping.signal,
        ended: (records) => this.#ended(records),
        changed: () => this.#saver.note(),
        isFull: () => !this.#canRead() || this.#emptyReadMs !== null,
        emptyReadMs: () => this.#emptyReadMs,
        isEnd: () => this.#isEnd,
      },
      this.#trials,
      window,
    );
  }

  /** Until the end of the shard, or nothing more is read. */
  async #read(first: Position): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stopping;
    let from = first;
    let idleMs = FIRST_IDLE_MS;
    while (!signal.aborted && !this.#isEnd) {
      if (!this.#canRead()) {
        this.#does({ kind: 'resting', forMs: MAX_IDLE_MS });
        await this.#bell.wait(MAX_IDLE_MS, signal);
        continue;
      }
      const beganMs = clock.nowMs();
      const result = await this.#readOnce(from);
      if (result === null) continue;
      if (result === 'lost') {
        from = { kind: 'start' };
        continue;
      }
      from = result.next;
      const isIdle = result.records.length === 0;
      const hasWaited = clock.nowMs() - beganMs >= FIRST_IDLE_MS;
      const pauseMs = Math.max(result.restMs, isIdle && !hasWaited && !result.isEnd ? idleMs : 0);
      idleMs = isIdle ? Math.min(idleMs * 2, MAX_IDLE_MS) : FIRST_IDLE_MS;
      if (pauseMs === 0) continue;
      this.#does({ kind: 'resting', forMs: pauseMs });
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    this.#does({ kind: 'resting', forMs: Number.POSITIVE_INFINITY }); // lanes may go on for long
    this.#saver.note(); // that it is at its end
  }

  /** null = the source did not answer; it was waited for. `lost` = what was to be read is gone. */
  async #readOnce(from: Position): Promise<ReadResult | 'lost' | null> {
    const { clock, shard, whenRoom, observer } = this.#deps;
    const { signal } = this.#stopping;
    try {
      this.#does({ kind: 'resting', forMs: Number.POSITIVE_INFINITY });
      await whenRoom(signal);
      this.#does({ kind: 'receiving', waitMs: WAIT_MS });
      const beganMs = clock.now();
      const max = Math.min(this.#mapping.batch.maxRecords * AHEAD_BATCHES, MAX_READ);
      const result = await this.#stream.read({ shard, from, max, waitMs: WAIT_MS, signal });
      this.#failures = 0;
      observer.problem(null);
      this.#take(result, beganMs);
      return result;
    } catch (err) {
      if (signal.aborted) return null;
      const problem = toSourceProblem(err);
      if (problem.reason !== 'PositionLost' || from.kind === 'start') {
        await this.#rest(problem);
        return null;
      }
      observer.problem(problem);
      this.#trials.clear();
      return 'lost';
    }
  }

  #take({ records, isEnd, behindMs, behindRecords }: ReadResult, beganMs: number): void {
    const { observer, clock } = this.#deps;
    this.#emptyReadMs = records.length === 0 ? beganMs : null;
    this.#isEnd = isEnd;
    observer.polled(records.length);
    const last = records.at(-1);
    observer.behind(behindMs ?? (last === undefined ? 0 : Math.max(0, clock.now() - last.arrivedMs)), behindRecords);
    let unwanted = 0;
    let hasMoved = false;
    for (const record of records) {
      const place = this.#watermark.read(record.id);
      if (this.#filter(record)) {
        this.#places.set(record, place);
        this.#lanes[laneOf(record.key, this.#lanes.length)]?.push(record);
      } else {
        unwanted += 1;
        this.#trials.take(record.id);
        hasMoved = this.#watermark.end(place) || hasMoved;
      }
    }
    if (unwanted > 0) observer.filteredOut(unwanted);
    if (hasMoved) this.#saver.note();
    this.#hold();
    for (const lane of this.#lanes) lane.wake();
  }

  #ended(records: readonly SourceRecord[]): void {
    for (const record of records) {
      const place = this.#places.get(record);
      this.#places.delete(record);
      if (place !== undefined) this.#watermark.end(place);
    }
    this.#hold();
    this.#saver.note();
    this.#bell.ring();
  }

  /** The slowest lane does not hold up the others before memory does. */
  #canRead(): boolean {
    if (!this.#state.ahead.mayGrow() || this.#watermark.size >= MAX_REMEMBERED) return false;
    return this.#lanes.some(({ size }) => size < this.#mapping.batch.maxRecords * AHEAD_BATCHES);
  }

  #hold(): void {
    const bytes = this.#lanes.reduce((sum, lane) => sum + lane.bytes, 0);
    this.#state.ahead.set(this.#over.signal.aborted ? 0 : bytes);
  }

  #position(): Position {
    const { mark } = this.#watermark;
    return mark === null ? this.#first : { kind: 'after', id: mark };
  }

  #checkpoint(): { readonly text: string; readonly isEnd: boolean } {
    const window = this.#lanes[0]?.window ?? null;
    const isEnd = this.#isEnd && this.#watermark.openCount === 0 && window === null;
    const trials = [...this.#lanes.flatMap((lane) => lane.trials), ...this.#trials.all];
    return { text: checkpointText({ position: this.#position(), isEnd, trials, window }), isEnd };
  }

  async #rest(err: unknown): Promise<void> {
    const problem = toSourceProblem(err);
    this.#deps.observer.problem(problem);
    const pauseMs = pauseAfterProblem(problem.reason, this.#failures, this.#deps.random());
    this.#failures += 1;
    this.#does({ kind: 'resting', forMs: pauseMs });
    await this.#deps.clock.sleep(pauseMs, this.#stopping.signal).catch(() => undefined);
  }

  #does(activity: Activity): void {
    this.#activity = activity;
    this.#sinceMs = this.#deps.clock.nowMs();
  }
}
