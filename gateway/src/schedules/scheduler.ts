import { type Addressee, newEvent } from '../async/accept.ts';
import { eventIdOf } from '../push/event-id.ts';
import type { PushMapping } from '../push/push-mapping.ts';
import { QueueFull } from '../queue/event-queue.ts';
import type { ScheduleMarks } from '../queue/schedule-marks.ts';
import { isAhead, planFirings } from './plan-firings.ts';
import { parseStanding, readEntry, type ScheduleEntry, standingText } from './schedule-entry.ts';
import { scheduledEvent } from './scheduled-event.ts';

/** What a {@link Scheduler} works with. */
export interface SchedulerDeps {
  readonly store: ScheduleMarks;
  /** This gateway may fire now: it knows the mappings and the other gateways. */
  readonly isReady: () => boolean;
  /** What is not known does not exist, as far as is known at this moment. */
  readonly knowsAll: () => boolean;
  /** Of all gateways it is this one that fires the schedule. Two that both think so do no harm. */
  readonly isMine: (uid: string) => boolean;
  /** The cluster itself has no newer one. Rejects when it does not answer. */
  readonly isNewest: (mapping: PushMapping) => Promise<boolean>;
  readonly addresseeOf: (mapping: PushMapping) => Addressee;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Calls back once; returns what takes it back. */
  readonly after: (ms: number, then: () => void) => () => void;
  readonly onFired: (mapping: PushMapping, line: string) => void;
  /** A schedule cannot be as it is written, or is well again. */
  readonly onVerdict: (mapping: PushMapping, problem: string | null) => void;
  /** The store fails, or has no room. */
  readonly onProblem: (err: unknown) => void;
}

/** The clock is looked at so often: a clock that jumps is noticed. */
const LOOK_MS = 1_000;
/** What is new is looked at together with what else is new by then. */
const SOON_MS = 5;
/** Firings that are under way at a time. */
const MAX_AT_ONCE = 100;
/** What could not be fired is tried again after so long. */
const AGAIN_MS = 1_000;
/** The same when there is no room, or others know more. */
const LONG_AGAIN_MS = 5_000;
/** Marks that are read at once. */
const MARKS_AT_ONCE = 500;
/** Marks of schedules that are gone are looked for so often, and removed at the second sight. */
const SWEEP_MS = 600_000;

interface Kept extends ScheduleEntry {
  /** As the store has it, and the due time that it tells of; null = to be read first. */
  mark: { readonly text: string | undefined; readonly sinceMs: number } | null;
  /** When it is due next by the mark; null = never. */
  nextMs: number | null;
  isBusy: boolean;
  /** It is left alone until then, ms since 1970. */
  pausedUntilMs: number;
}

/**
 * Fires schedules. The ring says which gateway looks after one, so that usually one tries; that one firing becomes one event is the
 * store's work: an event goes in together with the mark, and only from the mark that its gateway has read. So a gateway that is killed, paused or
 * cut off between any two steps neither fires twice nor leaves out what is due: the next one reads the mark and goes on.
 *
 *   seen → mark is read → (no mark: it begins at the mapping's creation; other terms: at this moment) → due → fired → due …
 *
 * A mark says which generation of the mapping it is for: a gateway that has not heard of that one leaves the schedule alone until it has.
 * A schedule that is stopped has terms of its own: while it stands so, nothing is missed.
 */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  /** By uid. */
  readonly #kept = new Map<string, Kept>();
  readonly #uids = new Map<string, string>();
  #running = 0;
  #idle: (() => void)[] = [];
  #isStopped = false;
  #isReading = false;
  #cancel: () => void = () => undefined;
  /** When the next look is due, ms since 1970. */
  #lookMs = Number.POSITIVE_INFINITY;
  #sweepAtMs = 0;
  #orphans: ReadonlySet<string> = new Set();

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  /** @param key namespace/name; @param mapping null = it is gone, or no schedule */
  set(key: string, mapping: PushMapping | null): void {
    const before = this.#uids.get(key);
    if (before !== undefined && before !== mapping?.uid) this.#kept.delete(before);
    if (mapping === null || mapping.source.kind !== 'schedule') {
      this.#uids.delete(key);
      return;
    }
    this.#uids.set(key, mapping.uid);
    try {
      const entry = readEntry(mapping, mapping.source.schedule);
      const old = this.#kept.get(mapping.uid);
      // the mark is read anew: an old firing that is under way may move it meanwhile
      this.#kept.set(mapping.uid, {
        ...entry,
        mark: null,
        nextMs: null,
        isBusy: false,
        pausedUntilMs: old?.pausedUntilMs ?? 0,
      });
      this.#deps.onVerdict(mapping, null);
      this.#lookSoon();
    } catch (err) {
      this.#kept.delete(mapping.uid);
      this.#deps.onVerdict(mapping, err instanceof Error ? err.message : String(err));
    }
  }

  /** Schedules that can be fired, of all gateways. */
  get size(): number {
    return this.#kept.size;
  }

  start(): void {
    this.#look();
  }

  /** Fires nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Resolves when no firing is under way. */
  whenIdle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #look(): void {
    if (this.#isStopped) return;
    const nowMs = this.#deps.now();
    this.#lookAt(this.#deps.isReady() ? this.#work(nowMs) : nowMs + LOOK_MS, nowMs);
  }

  /** Something is new. */
  #lookSoon(): void {
    const nowMs = this.#deps.now();
    if (!this.#isStopped && this.#lookMs > nowMs + SOON_MS) this.#lookAt(nowMs + SOON_MS, nowMs);
  }

  #lookAt(thenMs: number, nowMs: number): void {
    this.#cancel();
    this.#lookMs = thenMs;
    this.#cancel = this.#deps.after(Math.max(1, thenMs - nowMs), () => this.#look());
  }

  /** Begins what is to be done now. @returns when to look again, ms since 1970 */
  #work(nowMs: number): number {
    let soonestMs = nowMs + LOOK_MS;
    const unread: Kept[] = [];
    for (const kept of this.#kept.values()) {
      if (kept.isBusy || isPaused(kept, nowMs)) continue;
      if (kept.mark === null) unread.push(kept);
      else if (isDue(kept, nowMs)) this.#begin(kept);
      else soonestMs = Math.min(soonestMs, kept.nextMs ?? soonestMs);
    }
    if (!this.#isReading) this.#read(unread);
    if (nowMs >= this.#sweepAtMs) this.#sweep(nowMs);
    return soonestMs;
  }

  /** Fires what is due, if it is this gateway's, and there is room. */
  #begin(kept: Kept): void {
    if (!this.#deps.isMine(kept.mapping.uid)) kept.mark = null;
    else if (this.#running < MAX_AT_ONCE) this.#run(kept, () => this.#fire(kept));
  }

  #read(all: readonly Kept[]): void {
    const unread = all.filter(({ mapping }) => this.#deps.isMine(mapping.uid)).slice(0, MARKS_AT_ONCE);
    if (unread.length === 0) return;
    this.#isReading = true;
    this.#count(this.#deps.store.marks(unread.map(({ mapping }) => mapping.uid))).then(
      (marks) => {
        this.#isReading = false;
        for (const kept of unread) {
          kept.mark = { text: marks.get(kept.mapping.uid), sinceMs: 0 };
          this.#run(kept, () => this.#resume(kept));
        }
        this.#lookSoon();
      },
      (err: unknown) => {
        this.#isReading = false;
        for (const kept of unread) kept.pausedUntilMs = this.#deps.now() + AGAIN_MS;
        this.#deps.onProblem(err);
      },
    );
  }

  /** Does something about a schedule, one thing at a time. */
  #run(kept: Kept, work: () => Promise<void>): void {
    kept.isBusy = true;
    this.#count(work()).then(
      () => {
        kept.isBusy = false;
        this.#lookSoon();
      },
      (err: unknown) => {
        kept.isBusy = false;
        kept.mark = null; // whether it happened is not known
        kept.pausedUntilMs = this.#deps.now() + (err instanceof QueueFull ? LONG_AGAIN_MS : AGAIN_MS);
        this.#deps.onProblem(err);
      },
    );
  }

  /** From where it goes on. A schedule that is new, or another one than before, has missed nothing yet. */
  async #resume(kept: Kept): Promise<void> {
    const { mapping, digest } = kept;
    const text = kept.mark?.text;
    const standing = text === undefined ? null : parseStanding(text);
    // a cluster that was restored has gone back
    if (standing !== null && standing.generation > mapping.generation && !(await this.#deps.isNewest(mapping))) {
      kept.mark = null;
      kept.pausedUntilMs = this.#deps.now() + LONG_AGAIN_MS;
      return;
    }
    const isSame = standing?.digest === digest;
    const beginsMs = standing === null && mapping.isEnabled ? mapping.createdMs : this.#deps.now();
    const sinceMs = isSame ? standing.sinceMs : beginsMs;
    if (isSame && standing.generation === mapping.generation) kept.mark = { text, sinceMs };
    else await this.#move(kept, sinceMs);
    kept.nextMs = mapping.isEnabled ? kept.schedule.next(sinceMs) : null;
  }

  async #fire(kept: Kept): Promise<void> {
    const { mapping, schedule, missed } = kept;
    const sinceMs = kept.mark?.sinceMs ?? 0;
    const plan = planFirings(schedule, missed, sinceMs, this.#deps.now());
    for (const dueMs of plan.due) {
      if (!this.#isCurrent(kept)) return;
      const to = this.#deps.addresseeOf(mapping);
      const id = eventIdOf(mapping.uid, new Date(dueMs).toISOString());
      const firing = { id, dueMs, accountId: to.accountId, region: to.invokedArn.split(':')[3] ?? '' };
      const event = kept.input ?? scheduledEvent(mapping, firing);
      const next = newEvent(to, { requestId: id, trace: undefined, event }, this.#deps.now());
      if (!(await this.#move(kept, dueMs, next))) return;
      this.#deps.onFired(mapping, to.line);
    }
    const lastMs = plan.due.at(-1) ?? sinceMs;
    if (plan.sinceMs !== lastMs && !(await this.#move(kept, plan.sinceMs))) return;
    kept.nextMs = plan.nextMs;
  }

  /** Moves the mark, with an event or without; false = another gateway has, and it is to be read again. */
  async #move(kept: Kept, sinceMs: number, event?: ReturnType<typeof newEvent>): Promise<boolean> {
    const after = standingText({ digest: kept.digest, sinceMs, generation: kept.mapping.generation });
    const change = { id: kept.mapping.uid, before: kept.mark?.text, after };
    const { store } = this.#deps;
    const isMoved = event === undefined ? await store.mark(change) : await store.fire(event, change);
    kept.mark = isMoved ? { text: after, sinceMs } : null;
    return isMoved;
  }

  /** It is this gateway's to fire still: news may have come while it waited. */
  #isCurrent(kept: Kept): boolean {
    const { uid } = kept.mapping;
    return !this.#isStopped && this.#kept.get(uid) === kept && kept.mapping.isEnabled && this.#deps.isMine(uid);
  }

  /** Marks of mappings that nobody has seen at two sweeps are removed. */
  #sweep(nowMs: number): void {
    this.#sweepAtMs = nowMs + SWEEP_MS;
    if (!this.#deps.isMine('schedules') || !this.#deps.knowsAll()) return;
    const known = new Set(this.#uids.values());
    this.#count(this.#deps.store.markedIds())
      .then(async (ids) => {
        const orphans = ids.filter((id) => !known.has(id));
        await this.#deps.store.unmark(orphans.filter((id) => this.#orphans.has(id)));
        this.#orphans = new Set(orphans);
      })
      .catch(this.#deps.onProblem);
  }

  #count<T>(work: Promise<T>): Promise<T> {
    this.#running += 1;
    return work.finally(() => {
      this.#running -= 1;
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }
}

/** A clock that went back does not make a pause longer. */
function isPaused({ pausedUntilMs }: Kept, nowMs: number): boolean {
  return nowMs < pausedUntilMs && pausedUntilMs <= nowMs + LONG_AGAIN_MS;
}

function isDue({ mapping, mark, nextMs }: Kept, nowMs: number): boolean {
  const isLeftBehind = mapping.isEnabled && mark !== null && isAhead(mark.sinceMs, nowMs);
  return isLeftBehind || (nextMs !== null && nextMs <= nowMs);
}
