import type { Call } from './call.ts';
import type { DispatchCore } from './core.ts';
import { idlePods } from './idle-pods.ts';
import type { Ownership } from './ownership.ts';
import { allocatedIn } from './plan.ts';
import { planReclaim, reclaimLimits, type Spare } from './plan-reclaim.ts';
import type { PodLink } from './pod-link.ts';
import { Shortages } from './shortages.ts';
import type { Slot } from './slot.ts';
import type { ClusterDoor, DispatchObserver } from './types.ts';
import type { VersionState } from './version-state.ts';

type PodSlot = Slot<PodLink, Call>;

/** What a {@link Reclaimer} works with. */
export interface ReclaimerDeps {
  readonly core: DispatchCore<PodLink, Call>;
  readonly ownership: Pick<Ownership, 'place' | 'gatewayId' | 'isLive'>;
  readonly cluster: Pick<ClusterDoor, 'awaited' | 'reclaimed'>;
  readonly observer: Pick<DispatchObserver, 'reclaimed'>;
  nowMs(): number;
  /** Every pod that the informer shows. */
  pods(): Iterable<PodLink>;
}

/** Gives idle pods back when new ones find no room on the nodes. Who gives when and which one is decided in plan-reclaim.ts. */
export class Reclaimer {
  readonly #deps: ReclaimerDeps;
  readonly #shortages: Shortages;
  /** When pods were given up here, within the last second. */
  #recent: readonly number[] = [];

  constructor(deps: ReclaimerDeps) {
    this.#deps = deps;
    this.#shortages = new Shortages({ ...deps, claims: deps.core.claims, pauses: deps.core.pauses });
  }

  /** To be called at each tick. */
  tick(): void {
    const nowMs = this.#deps.nowMs();
    this.#shortages.look([...this.#deps.pods()], nowMs);
    const shortages = this.#shortages.list();
    if (shortages.length === 0) return;
    this.#recent = this.#recent.filter((atMs) => nowMs - atMs < 1_000);
    const budget = reclaimLimits.perSecond - this.#recent.length;
    const need = {
      shortages,
      spares: () => this.#spares(),
      node: this.#shortages.node(),
      place: this.#deps.ownership.place(),
      budget,
    };
    for (const { slot, podUid } of planReclaim(need, reclaimLimits, nowMs)) this.#giveUp(slot, podUid, nowMs);
  }

  #giveUp(slot: PodSlot, forUid: string, nowMs: number): void {
    const { pod } = slot.pod;
    this.#recent = [...this.#recent, nowMs];
    this.#shortages.given(forUid, slot.pod, nowMs);
    this.#deps.core.retire(slot, 'its room is needed for another pod');
    this.#deps.cluster.reclaimed(pod, forUid);
    this.#deps.observer.reclaimed(slot.version.target, pod);
  }

  #spares(): readonly Spare<PodSlot>[] {
    const spares: Spare<PodSlot>[] = [];
    for (const version of this.#deps.core.census.versions()) {
      for (const { slot, sinceMs } of idlePods(version).slice(0, spareCount(version))) {
        const { pod } = slot.pod;
        spares.push({ slot, idleSinceMs: sinceMs, size: pod.size ?? null, node: pod.node ?? '' });
      }
    }
    return spares.sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }
}

/** What the version can do without: nobody waits for its function, and what is provisioned stays, whoever has to keep it. */
function spareCount({ owner, target, counts, isCurrent }: VersionState<PodLink, Call>): number {
  for (const { queue } of owner.versions) if (queue.length > 0) return 0;
  return Math.max(0, allocatedIn(counts) - (isCurrent ? target.provisionedConcurrency : 0));
}
