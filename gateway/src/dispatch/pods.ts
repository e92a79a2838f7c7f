import type { PoolStats } from './dispatch-stats.ts';
import { hashOf } from './plan-reclaim.ts';
import { PodLink } from './pod-link.ts';
import type { PodLinkOwner } from './pod-link-owner.ts';
import type { PoolPod } from './types.ts';

/** Up to so many pods may be lost at once, whatever the share. */
const MAX_EJECTED = 3;

/** Every pool pod that this gateway knows, and its link. */
export class Pods {
  readonly #owner: PodLinkOwner;
  /** Those that the informer shows, by its key. */
  readonly #present = new Map<string, PodLink>();
  /** Those whose object is gone while their link still is in use. */
  readonly #departed = new Set<PodLink>();
  readonly #isDark: (zone: string) => boolean;

  /** @param isDark the zone's pods are suspect, whatever their heartbeats say */
  constructor(owner: PodLinkOwner, isDark: (zone: string) => boolean) {
    this.#owner = owner;
    this.#isDark = isDark;
  }

  /** Those that the informer shows. */
  present(): IterableIterator<PodLink> {
    return this.#present.values();
  }

  /** Takes over what the informer says; null = deleted. A name may come back as another pod. */
  update(key: string, pod: PoolPod | null): void {
    const known = this.#present.get(key);
    if (known !== undefined && known.pod.uid === pod?.uid) {
      known.update(pod);
      return;
    }
    if (known !== undefined) {
      this.#present.delete(key);
      known.update(null);
      if (known.isLinked) this.#departed.add(known);
    }
    if (pod === null) return;
    // Each gateway prefers other pods.
    const link = new PodLink(pod, this.#owner, hashOf(`${this.#owner.identity.gatewayId}/${pod.uid}`));
    this.#present.set(key, link);
    link.update(pod);
  }

  /** Dials what is due and forgets what has gone; to be called at each tick. */
  tick(): void {
    for (const pod of this.#present.values()) pod.dialIfDue();
    for (const pod of this.#departed) if (!pod.isLinked) this.#departed.delete(pod);
  }

  /** Asks every pod that runs another one's invocation whether it is free. */
  askForeign(): void {
    for (const pod of this.#present.values()) pod.askAgain();
  }

  /**
   * One heartbeat of every link: a pod that did not answer the last one is suspect, one that did not answer two is lost. Fails open:
   * when that is more than half of all linked pods (and more than three), it is this gateway's own trouble, and none is lost now.
   */
  heartbeat(): void {
    const lost: PodLink[] = [];
    let linked = 0;
    let unwell = 0;
    for (const pod of this.#linked()) {
      const pulse = pod.beat();
      linked += 1;
      if (pulse !== 'well') unwell += 1;
      if (pulse === 'lost') lost.push(pod);
      pod.suspect(pulse !== 'well' || this.#isDark(pod.zone));
    }
    if (unwell > MAX_EJECTED && unwell > linked / 2) return;
    for (const pod of lost) pod.giveUp();
  }

  /** Zones may have gone dark: their pods are suspect at once, and until a heartbeat finds otherwise. */
  lookAtZones(): void {
    for (const pod of this.#linked()) if (this.#isDark(pod.zone)) pod.suspect(true);
  }

  /** Adds to what the core knows of each pool what its pods are. */
  stats(pools: readonly Pick<PoolStats, 'pool' | 'generic' | 'missing'>[]): PoolStats[] {
    const counts = new Map(pools.map((pool) => [pool.pool, { ...pool, claimed: 0, held: 0, suspect: 0 }]));
    for (const pod of this.#linked()) {
      const none = { pool: pod.pool, generic: 0, missing: 0, claimed: 0, held: 0, suspect: 0 };
      const count = counts.get(pod.pool) ?? none;
      counts.set(pod.pool, count);
      if (pod.use === 'slot') count.claimed += 1;
      if (pod.use === 'held') count.held += 1;
      if (pod.isSuspect) count.suspect += 1;
    }
    return [...counts.values()];
  }

  /** Closes every link without a word to the pods. */
  letGo(): void {
    for (const pod of [...this.#present.values(), ...this.#departed]) pod.letGo();
  }

  *#linked(): Generator<PodLink> {
    for (const pod of this.#present.values()) if (pod.isLinked) yield pod;
    for (const pod of this.#departed) if (pod.isLinked) yield pod;
  }
}
