import type { Holding, OwnedMapping } from '../owner/owned-mapping.ts';
import type { InvokeBatch, Poller, PollerClock, PollerDeps, PollerObserver } from '../poll/poller.ts';
import { QueuePoller } from '../poll/queue-poller.ts';
import type { Rooms } from '../poll/rooms.ts';
import { StreamPoller } from '../poll/stream-poller.ts';
import type { TellFailure } from '../poll/tell-failure.ts';
import type { RecordFilter, Shard } from '../record.ts';
import type { EventSource, OpenDeps, OpenSource } from '../source.ts';
import { pauseAfterProblem, SourceProblem, toSourceProblem } from '../source-problem.ts';
import type { MappingView } from './mapping-view.ts';

/** A source that has not opened by then does not. */
const OPEN_LIMIT_MS = 15_000;
/** Shards of a stream are looked at so often: they split and merge. */
const SHARDS_EVERY_MS = 10_000;
/** Whether a function is there again is looked at so often. */
const LOOK_MS = 500;
/** A source that refuses what it allowed before is opened again, with credentials that may be new, but not more often. */
const REOPEN_AFTER_MS = 30_000;
/** A refusal that is over by then was a passing one, as when a partition gets another leader. */
const REFUSED_MS = 5_000;
/** A queue has one. */
const queueShards: readonly Shard[] = [{ id: 'queue', parents: [] }];

/** What every controller of a gateway works with. */
export interface ControllerDeps {
  readonly openDeps: (mapping: MappingView) => Omit<OpenDeps, 'signal' | 'onProblem'>;
  readonly rooms: Rooms;
  readonly invoke: InvokeBatch;
  readonly tell: TellFailure;
  /** The function is there, and may run. */
  readonly mayRun: (mapping: MappingView) => Promise<boolean>;
  readonly clock: PollerClock;
  readonly random: () => number;
  readonly newRequestId: () => string;
}

/** What one mapping is polled with. */
export interface MappingSetup {
  readonly mapping: MappingView;
  readonly source: EventSource;
  readonly filter: RecordFilter;
  /** Told of the poller of one shard; empty = of the source itself. */
  readonly observerOf: (shard: string) => PollerObserver;
}

/**
 * One mapping that is wanted: keeps its source open, knows its shards, and makes pollers for those that this gateway holds.
 *
 * A source that cannot be opened, or that hung, is opened again after a pause, for as long as the mapping is wanted.
 */
export class MappingController implements OwnedMapping {
  readonly uid: string;
  shards: readonly Shard[] = [];
  readonly #deps: ControllerDeps;
  readonly #setup: MappingSetup;
  readonly #over = new AbortController();
  /** By shard; those of streams that have not ended. */
  readonly #pollers = new Map<string, Poller>();
  #mapping: MappingView;
  #filter: RecordFilter;
  #open: OpenSource | null = null;
  /** Ends what uses the open source now. */
  #using = new AbortController();
  #failures = 0;
  #openedMs = 0;
  /** Since when the source refuses a shard, by the monotonic clock; empty = all of it. */
  readonly #refusedMs = new Map<string, number>();

  constructor(setup: MappingSetup, deps: ControllerDeps) {
    this.#setup = setup;
    this.#deps = deps;
    this.#mapping = setup.mapping;
    this.#filter = setup.filter;
    this.uid = setup.mapping.uid;
    void this.#keepOpen();
  }

  /** What is polled now. */
  get mapping(): MappingView {
    return this.#mapping;
  }

  /** The source is open: what it has is read, where a shard is held. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  get isDoubtful(): boolean {
    const nowMs = this.#deps.clock.nowMs();
    const isRefused = this.#refusedMs.values().some((sinceMs) => nowMs - sinceMs >= REFUSED_MS);
    return isRefused && nowMs - this.#openedMs >= REOPEN_AFTER_MS;
  }

  /** A change that needs no new connection. */
  update(mapping: MappingView, filter: RecordFilter): void {
    this.#mapping = mapping;
    this.#filter = filter;
    for (const poller of this.#pollers.values()) poller.update(mapping, filter);
  }

  begin(shard: Shard, { claim, checkpoint, mayBegin, save }: Holding): Poller | null {
    const open = this.#open;
    if (open === null) return null;
    const { tell, rooms } = this.#deps;
    const deps: PollerDeps = {
      ...this.#deps,
      mapping: this.#mapping,
      shard,
      claim,
      filter: this.#filter,
      observer: this.#observerOf(shard.id),
      whenRoom: (signal) => this.#whenRoom(mayBegin, signal),
      mayBegin,
      takeRoom: (bytes, signal) => rooms.take(this.uid, bytes, signal),
    };
    const onEnd = (): void => {
      if (this.#pollers.get(shard.id) === poller) this.#pollers.delete(shard.id);
    };
    const poller: Poller =
      open.kind === 'queue'
        ? new QueuePoller(deps, open)
        : new StreamPoller(deps, open, { checkpoint, save, tell, ahead: rooms.ahead(), onEnd });
    this.#pollers.set(shard.id, poller);
    return poller;
  }

  reopen(): void {
    if (this.#open === null) return; // it is being opened
    this.#letGo();
    this.#using.abort();
  }

  /** Lets go of the source; for when no shard is held any more. */
  close(): void {
    this.#over.abort();
    this.#using.abort();
  }

  /** Never rejects. */
  async #keepOpen(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.#using = new AbortController();
      let open: OpenSource | null = null;
      try {
        open = await this.#openInTime();
        this.#open = open;
        this.#openedMs = this.#deps.clock.nowMs();
        this.#refusedMs.clear();
        await this.#followShards(open, AbortSignal.any([signal, this.#using.signal]));
      } catch (err) {
        if (!signal.aborted) await this.#rest(err, signal);
      } finally {
        this.#letGo();
        await open?.close().catch(() => undefined);
      }
    }
  }

  /** @throws SourceProblem */
  async #openInTime(): Promise<OpenSource> {
    const { openDeps, clock } = this.#deps;
    const { source } = this.#setup;
    const { problem: onProblem } = this.#setup.observerOf(''); // what a source tells by itself keeps nobody from reading
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#over.signal]);
    const opening = source.open(this.#mapping, { ...openDeps(this.#mapping), signal, onProblem });
    const late = clock.sleep(OPEN_LIMIT_MS, signal).then(() => {
      throw new SourceProblem('Unreachable', `the source has not answered in ${OPEN_LIMIT_MS / 1_000} s`);
    });
    late.catch(() => undefined); // somebody else was faster
    try {
      return await Promise.race([opening, late]);
    } catch (err) {
      opening.then(
        (open) => open.close().catch(() => undefined), // too late
        () => undefined,
      );
      throw err;
    } finally {
      over.abort();
    }
  }

  /** Until the signal aborts. What cannot be listed for a while is as it was. */
  async #followShards(open: OpenSource, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const shards = open.kind === 'queue' ? queueShards : await open.shards();
        if (signal.aborted) return;
        this.shards = shards;
        this.#failures = 0;
        this.#observerOf('').problem(null);
        await this.#deps.clock.sleep(SHARDS_EVERY_MS, signal).catch(() => undefined);
      } catch (err) {
        if (!signal.aborted) await this.#rest(err, signal);
      }
    }
  }

  async #rest(err: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const problem = toSourceProblem(err);
    this.#observerOf('').problem(problem);
    const pauseMs = pauseAfterProblem(problem.reason, this.#failures, random());
    this.#failures += 1;
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }

  #observerOf(shard: string): PollerObserver {
    const observer = this.#setup.observerOf(shard);
    return {
      ...observer,
      problem: (problem) => {
        observer.problem(problem);
        if (problem === null) this.#refusedMs.delete(shard);
        else if (problem.reason === 'AccessDenied' || problem.reason === 'SourceNotFound') this.#noteRefusal(shard);
      },
    };
  }

  #noteRefusal(shard: string): void {
    if (!this.#refusedMs.has(shard)) this.#refusedMs.set(shard, this.#deps.clock.nowMs());
  }

  /** Nothing is read any more, and nobody begins. */
  #letGo(): void {
    this.#open = null;
    this.shards = [];
    for (const poller of this.#pollers.values()) poller.abandon();
    this.#pollers.clear();
  }

  async #whenRoom(mayBegin: () => boolean, signal: AbortSignal): Promise<void> {
    const { clock, rooms, mayRun } = this.#deps;
    while (!(mayBegin() && rooms.hasRoom && (await mayRun(this.#mapping)))) await clock.sleep(LOOK_MS, signal);
  }
}
