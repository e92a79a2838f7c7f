import type { Call } from './call.ts';
import type { DispatchCore } from './core.ts';
import type { Ownership } from './ownership.ts';
import { allocatedIn } from './plan.ts';
import { planReclaim, reclaimLimits, type Shortage, type Spare } from './plan-reclaim.ts';
import type { PodLink } from './pod-link.ts';
import type { Slot } from './slot.ts';
import type { ClusterDoor, DispatchObserver } from './types.ts';
import type { VersionState } from './version-state.ts';

type PodSlot = Slot<PodLink, Call>;

/** What a {@link Reclaimer} works with. */
export interface ReclaimerDeps {
  readonly core: DispatchCore<PodLink, Call>;
  readonly ownership: Pick<Ownership, 'place'>;
  readonly cluster: Pick<ClusterDoor, 'reclaimed'>;
  readonly observer: Pick<DispatchObserver, 'reclaimed'>;
  nowMs(): number;
  /** Every pod that the informer shows. */
  pods(): Iterable<PodLink>;
}

/** What is remembered of a pod without room. */
interface Known {
  sinceMs: number;
  /** Uids of the pods that were given up for it. */
  readonly given: Set<string>;
  givenMs: number;
}

/** Ticks that are further apart mean that this process did not run: what it knows of pods is old. */
const PAUSE_MS = 1_000;

/** Gives idle pods back when new ones find no room on the nodes. Who, when and which one is decided in plan-reclaim.ts. */
export class Reclaimer {
  readonly #deps: ReclaimerDeps;
  /** By uid of the pod; those that still lack room. */
  readonly #short = new Map<string, Known>();
  /** When pods were given up here, within the last second. */
  #recent: readonly number[] = [];
  #tickMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ReclaimerDeps) {
    this.#deps = deps;
  }

  /** To be called at each tick. */
  tick(): void {
    const nowMs = this.#deps.nowMs();
    const wasPaused = nowMs - this.#tickMs > PAUSE_MS;
    this.#tickMs = nowMs;
    const shortages = this.#observe(nowMs, wasPaused);
    if (shortages.length === 0) return;
    this.#recent = this.#recent.filter((atMs) => nowMs - atMs < 1_000);
    const budget = reclaimLimits.perSecond - this.#recent.length;
    const need = { shortages, spares: this.#spares(), place: this.#deps.ownership.place(), budget };
    for (const { slot, podUid } of planReclaim(need, reclaimLimits, nowMs)) this.#giveUp(slot, podUid, nowMs);
  }

  #giveUp(slot: PodSlot, forUid: string, nowMs: number): void {
    const { pod } = slot.pod;
    this.#recent = [...this.#recent, nowMs];
    this.#noteGiven(forUid, pod.uid, nowMs);
    this.#deps.core.retire(slot, 'its room is needed for another pod');
    this.#deps.cluster.reclaimed(pod, forUid);
    this.#deps.observer.reclaimed(slot.version.target, pod);
  }

  #observe(nowMs: number, wasPaused: boolean): readonly Shortage[] {
    const short = [...this.#deps.pods()].filter(({ pod }) => pod.isShort === true && !pod.terminating);
    const uids = new Set(short.map(({ pod }) => pod.uid));
    for (const uid of this.#short.keys()) if (!uids.has(uid)) this.#short.delete(uid);
    for (const uid of uids) {
      const known = this.#short.get(uid);
      if (known === undefined) this.#short.set(uid, { sinceMs: nowMs, given: new Set(), givenMs: 0 });
      else if (wasPaused) known.sinceMs = nowMs;
    }
    if (short.length === 0) return [];
    for (const { pod } of this.#deps.pods()) this.#noteGiven(pod.reclaimedFor ?? '', pod.uid, nowMs);
    return short.flatMap(({ pod }) => {
      const known = this.#short.get(pod.uid);
      if (known === undefined) return [];
      const { sinceMs, given, givenMs } = known;
      const isUrgent = this.#deps.core.claims.genericIn(pod.pool) === 0;
      return [{ podUid: pod.uid, asks: pod.size ?? null, sinceMs, isUrgent, givenCount: given.size, givenMs }];
    });
  }

  #noteGiven(forUid: string, podUid: string, nowMs: number): void {
    const known = this.#short.get(forUid);
    if (known === undefined || known.given.has(podUid)) return;
    known.given.add(podUid);
    known.givenMs = nowMs;
  }

  #spares(): readonly Spare<PodSlot>[] {
    const spares: Spare<PodSlot>[] = [];
    for (const version of this.#deps.core.census.versions()) {
      for (const slot of version.idle.inOrder().slice(0, spareCount(version)))
        spares.push({ slot, idleSinceMs: slot.idleSinceMs, size: slot.pod.pod.size ?? null });
    }
    return spares.sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }
}

/** What the version can do without: nobody waits for its function, and what is provisioned stays, whoever has to keep it. */
function spareCount({ owner, target, counts, isCurrent }: VersionState<PodLink, Call>): number {
  for (const { queue } of owner.versions) if (queue.length > 0) return 0;
  return Math.max(0, allocatedIn(counts) - (isCurrent ? target.provisionedConcurrency : 0));
}
