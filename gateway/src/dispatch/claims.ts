import { isImagePool } from '@kappa/crds/image-pool';
import type { Arrivals } from './arrivals.ts';
import type { Gate } from './gate.ts';
import type { DispatchLimits } from './limits.ts';
import type { Pauses } from './pauses.ts';
import {
  allocatedIn,
  assumedColdMs,
  type Pace,
  patienceMs,
  planClaims,
  podsWorthStarting,
  sparingMeanMs,
} from './plan.ts';
import { PoolState } from './pool-state.ts';
import { slowClaims } from './provisioned.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** Time, handed in. */
export interface CoreClock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Calls back once, later; the answer cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Calls back once, after this turn of the event loop has read its sockets. */
  readonly soon: (call: () => void) => void;
}

/** Who acts on what Claims finds out. */
export interface ClaimsOwner<P extends CorePod, R extends CoreRequest> {
  /** `pod` has left the pool: make it a slot of `version`. */
  claim(version: VersionState<P, R>, pod: P): void;
  /** Ends the requests at the head of the queue that nobody waits for. */
  dropAbandoned(version: VersionState<P, R>): void;
  /** What must be there without any demand, what may not be claimed now, what other gateways own, too. */
  readonly gate: Pick<Gate<P, R>, 'provisioned' | 'mayClaim' | 'isShared' | 'arePodsReplaced'>;
  /** What the first dials of claimed pods will bring. */
  readonly arrivals: Pick<Arrivals<P>, 'coming' | 'isHoldingProvisioning'>;
  /** Since when this process runs without a gap. */
  readonly pauses: Pick<Pauses, 'wokeMs'>;
  /** See ClusterDoor.wantPods. */
  wantPods(pool: string, count: number): void;
}

/**
 * Which generic pod goes to which version, and when. Demand claims at once, unless the slots that run will take it sooner than a cold
 * start could, and only as many at a time as the work is worth (plan.ts; looked at again at each tick). And:
 * while a slot of the version is between its answer and its REPORT, a request may wait for it up to the grace, so that
 * sequential calls never claim a second pod. (Pods that are being dialled for the first time: see Arrivals.) When a pool has no pod left, its versions take turns for those that come.
 */
export class Claims<P extends CorePod, R extends CoreRequest> {
  readonly #limits: DispatchLimits;
  readonly #clock: CoreClock;
  readonly #owner: ClaimsOwner<P, R>;
  /** Own zone at this moment; the second choice of a claim. Empty = unknown. */
  readonly #zone: () => string;
  readonly #pools = new Map<string, PoolState<P, R>>();
  /** An announcement for this turn of the event loop is due. */
  #isAnnouncing = false;
  /** Versions with a waiting request that counts on a finishing slot. */
  readonly #inGrace = new Set<VersionState<P, R>>();
  /** A grace timer runs. At most one does, for all versions. */
  #isGraceArmed = false;

  constructor(limits: DispatchLimits, clock: CoreClock, owner: ClaimsOwner<P, R>, zone: () => string) {
    this.#limits = limits;
    this.#clock = clock;
    this.#owner = owner;
    this.#zone = zone;
  }

  /** A generic pod may be claimed. */
  podReady(pod: P): void {
    const pool = this.#pool(pod.pool);
    pool.add(pod);
    this.#feed(pool);
  }

  /** A generic pod may not be claimed any more. */
  podGone(pod: P): void {
    this.#pools.get(pod.pool)?.remove(pod);
  }

  /** The heartbeat of a generic pod has changed its mind. */
  podSuspected(pod: P): void {
    this.#pools.get(pod.pool)?.reconsider(pod);
  }

  /** Claims what `version` needs now, as far as there are pods. */
  claimMissing(version: VersionState<P, R>): void {
    this.#updateGrace(version);
    this.#updateCrowd(version);
    const pool = this.#pool(version.target.pool);
    let missing = this.#missing(version);
    while (missing > 0) {
      const pod = pool.take(version.owner.slotsByZone, this.#zone(), this.#owner.gate.isShared(version));
      if (pod === undefined) break;
      this.#claim(version, pod);
      missing = this.#missing(version);
    }
    if (missing > 0) {
      pool.hungry.add(version);
      this.#announceSoon();
    } else if (pool.hungry.size > 0) pool.hungry.delete(version);
  }

  /** Takes a pod for calls to come, see NearPods: only what nobody waits for, and never the last one. */
  takeSpare(pool: string, zone: string, isOtherZoneFine: boolean): P | undefined {
    return this.#pool(pool).takeSpare(zone, isOtherZoneFine);
  }

  /** Says again how many claims every pool does not meet; to be called each second or so. Falls are only said here. */
  remind(): void {
    for (const pool of this.#pools.values()) {
      const count = this.#wantedIn(pool);
      if (count > 0 || pool.announced > 0) this.#owner.wantPods(pool.name, count);
      pool.announced = count;
      if (count === 0 && pool.isIdle && isImagePool(pool.name)) this.#pools.delete(pool.name); // images come and go
    }
  }

  /** Generic pods of a pool that can be claimed now. */
  genericIn(pool: string): number {
    return this.#pools.get(pool)?.size ?? 0;
  }

  /** Pods that this gateway's claims wait for, of those that the pool does not have. */
  wantedIn(pool: string): number {
    const known = this.#pools.get(pool);
    return known === undefined ? 0 : this.#wantedIn(known);
  }

  /** Generic pods and unmet claims by pool. */
  pools(): readonly { readonly pool: string; readonly generic: number; readonly missing: number }[] {
    const pools = [...this.#pools.values()];
    return pools.map((pool) => ({ pool: pool.name, generic: pool.size, missing: this.#missingIn(pool) }));
  }

  /** Generic pods go to the versions that wait, one each in turn. */
  #feed(pool: PoolState<P, R>): void {
    while (pool.size > 0) {
      const [version] = pool.hungry;
      if (version === undefined) return;
      pool.hungry.delete(version);
      if (this.#missing(version) === 0) continue;
      const pod = pool.take(version.owner.slotsByZone, this.#zone(), this.#owner.gate.isShared(version));
      if (pod !== undefined) this.#claim(version, pod);
      if (this.#missing(version) > 0) pool.hungry.add(version);
    }
  }

  #claim(version: VersionState<P, R>, pod: P): void {
    version.crowdClaims += 1;
    this.#owner.claim(version, pod);
  }

  #missing(version: VersionState<P, R>, pace?: Pace): number {
    const { queue, counts, owner } = version;
    const { arrivals } = this.#owner;
    const provisioned = arrivals.isHoldingProvisioning ? 0 : this.#owner.gate.provisioned(version);
    this.#owner.dropAbandoned(version);
    if ((queue.length === 0 && provisioned === 0) || !this.#owner.gate.mayClaim(owner)) return 0;
    const nowMs = this.#clock.nowMs();
    const need = {
      queued: queue.length,
      counts,
      cap: owner.cap,
      functionRunning: owner.running,
      provisioned,
      width: version.target.perInstance,
      coming:
        arrivals.coming(version.uid) * version.target.perInstance -
        slowClaims(version, nowMs, this.#limits.initTimeoutMs),
      pace: pace ?? this.#pace(version),
      graceUntilMs: version.graceUntilMs,
      failures: version.failures,
      pausedUntilMs: version.pausedUntilMs,
    };
    return planClaims(need, nowMs);
  }

  #missingIn(pool: PoolState<P, R>): number {
    let missing = 0;
    for (const version of pool.hungry) missing += this.#missing(version);
    return missing;
  }

  /** Pods that would be ready before the present ones have worked the queues off: what the pool is asked for. */
  #wantedIn(pool: PoolState<P, R>): number {
    let wanted = 0;
    for (const version of pool.hungry) {
      const pace = this.#pace(version);
      // Whatever no slot will serve: how much of it is worth a claim is about pods that are ready.
      const missing = this.#missing(version, { ...pace, meanMs: 0 });
      // What is provisioned is wanted whole: nobody's work says how many are enough.
      const promised = Math.max(0, this.#owner.gate.provisioned(version) - allocatedIn(version.counts));
      wanted += Math.min(missing, promised) + podsWorthStarting(Math.max(0, missing - promised), pace);
    }
    return wanted;
  }

  #pace(version: VersionState<P, R>): Pace {
    const { queue, unconfirmed, lateUntilMs, crowdClaims: claimed } = version;
    const meanMs = version.meanMs === 0 && !this.#owner.gate.arePodsReplaced() ? sparingMeanMs : version.meanMs;
    // Who only adopted warm pods has seen no first request.
    const coldMs = version.coldMs === 0 && meanMs > 0 ? assumedColdMs : version.coldMs;
    const oldest = queue.peek();
    if (oldest === undefined) return { meanMs, coldMs, waitedMs: 0, isStuck: false, claimed };
    const nowMs = this.#clock.nowMs();
    const { wokeMs } = this.#owner.pauses;
    const waitingFromMs = Math.min(oldest.arrivedMs, version.crowdedFromMs ?? oldest.arrivedMs);
    const waitedMs = nowMs - Math.max(waitingFromMs, wokeMs, lateUntilMs);
    const [claim] = unconfirmed;
    const isStuck = claim !== undefined && nowMs - Math.max(claim.claimedMs, wokeMs) > patienceMs(coldMs);
    return { meanMs, coldMs, waitedMs, isStuck, claimed };
  }

  #announceSoon(): void {
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    this.#clock.soon(() => this.#announceRises());
  }

  /** A rise is urgent; a fall is not, and under overload the number goes up and down in every turn. */
  #announceRises(): void {
    this.#isAnnouncing = false;
    for (const pool of this.#pools.values()) {
      const count = this.#wantedIn(pool);
      if (count <= pool.announced) continue;
      pool.announced = count;
      this.#owner.wantPods(pool.name, count);
    }
  }

  /** Requests that always wait for each other are too many for the pods, however short each one's wait is. */
  #updateCrowd(version: VersionState<P, R>): void {
    if (version.queue.length === 0) {
      if (version.crowdedFromMs !== null) version.calmFromMs ??= this.#clock.nowMs();
      return;
    }
    const nowMs = this.#clock.nowMs();
    const isOver = version.calmFromMs !== null && nowMs - version.calmFromMs > this.#limits.crowdBreakMs;
    if (version.crowdedFromMs === null || isOver) {
      version.crowdedFromMs = nowMs;
      version.crowdClaims = 0;
    }
    version.calmFromMs = null;
  }

  #updateGrace(version: VersionState<P, R>): void {
    if (version.queue.length === 0) {
      if (version.graceUntilMs !== 0) this.#inGrace.delete(version);
      version.graceUntilMs = 0;
      return;
    }
    if (version.graceUntilMs !== 0 || version.counts.Finishing === 0) return;
    version.graceUntilMs = this.#clock.nowMs() + this.#limits.finishGraceMs;
    this.#inGrace.add(version);
    this.#armGrace(this.#limits.finishGraceMs);
  }

  #armGrace(delayMs: number): void {
    if (this.#isGraceArmed) return;
    this.#isGraceArmed = true;
    // The timer may fire late, before sockets are read that hold the very REPORT it waits for: look after them.
    this.#clock.after(delayMs, () => this.#clock.soon(() => this.#endGraces()));
  }

  #endGraces(): void {
    this.#isGraceArmed = false;
    const nowMs = this.#clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const version of [...this.#inGrace]) {
      if (version.graceUntilMs > nowMs) {
        nextMs = Math.min(nextMs, version.graceUntilMs);
        continue;
      }
      this.#inGrace.delete(version);
      this.claimMissing(version);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#armGrace(Math.max(1, nextMs - nowMs));
  }

  #pool(name: string): PoolState<P, R> {
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      pool = new PoolState(name);
      this.#pools.set(name, pool);
    }
    return pool;
  }
}
