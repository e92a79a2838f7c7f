import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import { InvalidPattern } from '../filter/pattern.ts';
import { recordFilter } from '../filter/record-filter.ts';
import type { PollerObserver } from '../poll/poller.ts';
import type { RecordFilter } from '../record.ts';
import type { EventSource } from '../source.ts';
import type { FlowReports } from './ask-flows.ts';
import { Flow, type FlowObserver, type FlowReport, mergeReports } from './flow.ts';
import type { MappingController, MappingSetup } from './mapping-controller.ts';
import type { MappingView } from './mapping-view.ts';
import type { FlowProblem } from './plan-conditions.ts';
import { SETTLE_MS } from './plan-state.ts';
import type { StatusWriter } from './status-writer.ts';

/** A mapping as the watch brings it. */
export interface SeenMapping {
  readonly view: MappingView;
  /** null = nobody has written one. */
  readonly status: EventSourceMappingStatus | null;
}

/** What {@link Mappings} connects. */
export interface MappingsDeps {
  readonly sourceOf: (view: MappingView) => EventSource | null;
  readonly makeController: (setup: MappingSetup) => MappingController;
  readonly owner: {
    readonly add: (controller: MappingController) => void;
    readonly remove: (controller: MappingController) => void;
    readonly whenGivenUp: (controller: MappingController) => Promise<void>;
    readonly heldShards: (controller: MappingController) => readonly string[];
    /** Who reads what cannot be said: the store of checkpoints has not answered for a while. */
    readonly isStoreAway: boolean;
  };
  /** The install has a store of checkpoints; without one nothing is opened. */
  readonly hasStore: boolean;
  readonly writer: StatusWriter;
  /** For metrics and logs. @param shard empty = the mapping itself */
  readonly observerOf: (key: string, shard: string) => PollerObserver;
  /** Why the function gets nothing; null = it may get batches. */
  readonly functionProblem: (view: MappingView) => FlowProblem | null;
  /** Of all gateways it is this one that should do the work of that name. */
  readonly ranksFirst: (key: string) => boolean;
  /** What the other gateways say of these mappings; of those that answer. */
  readonly askOthers: (uids: readonly string[]) => Promise<readonly FlowReports[]>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

interface Entry {
  seen: SeenMapping;
  readonly flow: Flow;
  /** Since when this generation is known, by the monotonic clock. */
  sinceMs: number;
  /** What makes polling impossible until the object changes; null = nothing. */
  flaw: FlowProblem | null;
  controller: MappingController | null;
  /** Those before it, while they end what runs. */
  readonly leaving: Set<MappingController>;
}

const storeAway: FlowProblem = Object.freeze({
  reason: 'StoreUnavailable',
  message: 'the store of checkpoints (Redis) does not answer: nothing is lost, and nothing is begun until it does',
});
const noStore: FlowProblem = Object.freeze({
  reason: 'StoreUnavailable',
  message: 'this install has no store of checkpoints, so no event source is read: set KAPPA_REDIS_URL of the gateways',
});

/**
 * All mappings of the cluster: keeps a controller for each that is wanted and can be polled, and writes the status of those that are this
 * gateway's by the ring. Level-driven: `set` says what is, `writeStatuses` is called again and again.
 */
export class Mappings {
  readonly #deps: MappingsDeps;
  /** By namespace/name. */
  readonly #entries = new Map<string, Entry>();

  constructor(deps: MappingsDeps) {
    this.#deps = deps;
  }

  /** @param seen null = it is gone */
  set(key: string, seen: SeenMapping | null): void {
    const known = this.#entries.get(key);
    if (known !== undefined && known.seen.view.uid !== seen?.view.uid) this.#drop(key, known);
    if (seen === null) return;
    const entry = this.#entries.get(key) ?? this.#begin(key, seen);
    const { view } = seen;
    const before = entry.seen.view;
    entry.seen = seen;
    const isNew = entry !== known;
    if (!isNew && before.generation === view.generation && before.isDeleting === view.isDeleting) return; // its status has changed
    entry.sinceMs = this.#deps.nowMs();
    this.#arrange(key, entry);
  }

  /** How this gateway's part of them fares; of those that it knows. */
  reports(uids: readonly string[]): FlowReports {
    const wanted = new Set(uids);
    const entries = this.#entries.values().filter(({ seen }) => wanted.has(seen.view.uid));
    return Object.fromEntries(entries.map((entry) => [entry.seen.view.uid, this.#report(entry)]));
  }

  /** Brings the statuses about that are this gateway's to write. */
  async writeStatuses(): Promise<void> {
    const { ranksFirst, writer, askOthers } = this.#deps;
    const mine: Entry[] = [];
    for (const entry of this.#entries.values()) {
      const { uid } = entry.seen.view;
      if (ranksFirst(`esm/${uid}`)) mine.push(entry);
      else writer.forget(uid);
    }
    if (mine.length === 0) return;
    const others = await askOthers(mine.map(({ seen }) => seen.view.uid));
    for (const entry of mine) {
      const { uid } = entry.seen.view;
      const report = mergeReports(
        this.#report(entry),
        others.flatMap((reports) => reports[uid] ?? []),
      );
      await this.#writeStatus(entry, report); // one after the other: the API server has other work, too
    }
  }

  /** Lets go of all sources; for when no shard is held any more. */
  close(): void {
    for (const { controller, leaving } of this.#entries.values())
      for (const each of [controller, ...leaving]) each?.close();
  }

  #begin(key: string, seen: SeenMapping): Entry {
    const flow = new Flow({
      now: this.#deps.now,
      onPositionLost: (message) =>
        void this.#deps.writer.event(seen.view, { type: 'Warning', reason: 'PositionLost', message }),
    });
    const entry: Entry = { seen, flow, sinceMs: 0, flaw: null, controller: null, leaving: new Set() };
    this.#entries.set(key, entry);
    return entry;
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#deps.writer.forget(entry.seen.view.uid);
    this.#retire(entry);
  }

  /** Its controller is the one that it needs now. */
  #arrange(key: string, entry: Entry): void {
    const { view } = entry.seen;
    const source = this.#deps.sourceOf(view);
    const { flaw, filter } = inspect(view, source);
    entry.flaw = flaw;
    const { controller } = entry;
    const isWanted = this.#deps.hasStore && view.isEnabled && source !== null && filter !== null;
    // One that is not open is made anew: its pause may be long, and who changes the mapping may have mended what was in the way.
    if (isWanted && controller?.isOpen === true && isSameSource(controller.mapping, view)) {
      controller.update(view, filter);
      return;
    }
    this.#retire(entry);
    if (!isWanted) return;
    const made = this.#deps.makeController({
      mapping: view,
      source,
      filter,
      observerOf: (shard) => both(this.#deps.observerOf(key, shard), entry.flow.observer(shard)),
    });
    entry.controller = made;
    this.#deps.owner.add(made);
  }

  /** What runs ends first. */
  #retire(entry: Entry): void {
    const { controller } = entry;
    if (controller === null) return;
    const { owner } = this.#deps;
    entry.controller = null;
    entry.leaving.add(controller);
    owner.remove(controller);
    void owner.whenGivenUp(controller).then(() => {
      entry.leaving.delete(controller);
      controller.close();
    });
  }

  #report({ seen, controller, leaving, flow }: Entry): FlowReport {
    const { owner } = this.#deps;
    const held = controller === null ? [] : owner.heldShards(controller);
    flow.keep(controller === null ? [] : ['', ...held]);
    const isPolled = controller?.isOpen === true && held.length > 0;
    const leavingCount = [...leaving].reduce((sum, each) => sum + owner.heldShards(each).length, 0);
    return {
      polledGeneration: isPolled ? seen.view.generation : null,
      shards: controller?.isOpen === true ? controller.shards.length : null,
      heldShards: held.length + leavingCount,
      problem: flow.problem,
      lastBatch: flow.lastBatch,
    };
  }

  async #writeStatus(entry: Entry, report: FlowReport): Promise<void> {
    const { sourceOf, functionProblem, nowMs, writer } = this.#deps;
    const { view, status } = entry.seen;
    const problem = entry.flaw ?? this.#storeProblem() ?? functionProblem(view) ?? report.problem;
    const isHopeless = entry.flaw !== null || problem === noStore || problem?.reason === 'InvalidSource';
    const isStuck = isHopeless || nowMs() - entry.sinceMs > SETTLE_MS;
    const userAction = sourceOf(view)?.traits.userAction ?? 'USER_INITIATED';
    await writer.tell(view, status, { userAction, report: { ...report, problem }, isStuck });
  }

  #storeProblem(): FlowProblem | null {
    if (!this.#deps.hasStore) return noStore;
    return this.#deps.owner.isStoreAway ? storeAway : null;
  }
}

/** The flow hears what the others do. */
function both(observer: PollerObserver, flow: FlowObserver): PollerObserver {
  return {
    ...observer,
    ended: (result, failed) => {
      flow.ended(result, failed);
      observer.ended(result, failed);
    },
    problem: (found) => {
      flow.problem(found);
      observer.problem(found);
    },
  };
}

/** What can be said of a mapping without asking its source. */
function inspect(
  view: MappingView,
  source: EventSource | null,
): { readonly flaw: FlowProblem | null; readonly filter: RecordFilter | null } {
  if (source === null) {
    const { eventSourceArn, selfManaged } = view.source;
    const what = eventSourceArn ?? selfManaged?.bootstrapServers.join(',') ?? 'it';
    return {
      flaw: { reason: 'InvalidSource', message: `no event source here reads ${what}: see docs/event-sources.md` },
      filter: null,
    };
  }
  try {
    return { flaw: null, filter: recordFilter(view.filters, source.traits) };
  } catch (error) {
    if (!(error instanceof InvalidPattern)) throw error;
    return { flaw: { reason: 'InvalidFilter', message: error.message }, filter: null };
  }
}

/** Whether a change needs no new connection. */
function isSameSource(one: MappingView, other: MappingView): boolean {
  const fixed = ({ source, stream }: MappingView): string => JSON.stringify([source, stream.parallel, stream.windowMs]); // lanes keep order
  return fixed(one) === fixed(other);
}
