import type { CoreClock } from './claims.ts';
import type { DispatchLimits } from './limits.ts';

/** A pod whose first dial is under way. */
interface Arrival {
  /** The version that the cluster says it holds; null = it says none. */
  readonly versionUid: string | null;
  /** Whether it still counts as coming. */
  isComing: boolean;
  readonly cancel: () => void;
}

/**
 * Pods that are being dialled for the first time: after a start of the gateway most of them are claimed already, and until they have
 * answered nobody may claim others in their place.
 *
 *  - A pod that the cluster shows as claimed counts as a coming slot of its version, for `comingMs` at most.
 *  - Provisioned concurrency waits until every pod that was known at the first complete view has answered or failed, for
 *    `provisionHoldMs` at most: labels may lag behind, so that one without a version may turn out to be claimed.
 */
export class Arrivals<P extends object> {
  readonly #limits: Pick<DispatchLimits, 'comingMs' | 'provisionHoldMs'>;
  readonly #clock: Pick<CoreClock, 'after'>;
  readonly #onChange: (versionUid: string | null) => void;
  /** Pods whose first dial has begun. */
  readonly #seen = new WeakSet<P>();
  readonly #dialled = new Map<P, Arrival>();
  /** Coming slots by version uid. */
  readonly #coming = new Map<string, number>();
  /** Pods that provisioning waits for; null = the first complete view has not come. */
  #awaited: Set<P> | null = null;
  #isHolding = true;
  #cancelHold: () => void = () => {};

  /** @param onChange claims that were held may go on: of this version, of every one when null */
  constructor(
    limits: Pick<DispatchLimits, 'comingMs' | 'provisionHoldMs'>,
    clock: Pick<CoreClock, 'after'>,
    onChange: (versionUid: string | null) => void,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Whether provisioned concurrency has to wait. */
  get isHoldingProvisioning(): boolean {
    return this.#isHolding;
  }

  /** Pods that are likely to become slots of the version at any moment. */
  coming(versionUid: string): number {
    return this.#coming.get(versionUid) ?? 0;
  }

  /** The pod's first dial is under way. */
  isDialled(pod: P): boolean {
    return this.#dialled.has(pod);
  }

  /** A pod is dialled; only its first time counts. */
  began(pod: P, versionUid: string | null): void {
    if (this.#seen.has(pod)) return;
    this.#seen.add(pod);
    if (versionUid === null) {
      this.#dialled.set(pod, { versionUid, isComing: false, cancel: () => {} });
      return;
    }
    const cancel = this.#clock.after(this.#limits.comingMs, () => this.#endComing(arrival));
    const arrival: Arrival = { versionUid, isComing: true, cancel };
    this.#dialled.set(pod, arrival);
    this.#coming.set(versionUid, this.coming(versionUid) + 1);
  }

  /** The dial has an answer or has failed; what the pod turned out to be is known by now. */
  ended(pod: P): void {
    const arrival = this.#dialled.get(pod);
    if (arrival === undefined) return;
    this.#dialled.delete(pod);
    arrival.cancel();
    this.#endComing(arrival);
    if (this.#awaited?.delete(pod) && this.#awaited.size === 0) this.#release();
  }

  /** The first complete view is there: every pod that exists is known. Later calls change nothing. */
  synced(): void {
    if (this.#awaited !== null) return;
    this.#awaited = new Set(this.#dialled.keys());
    if (this.#awaited.size === 0) this.#isHolding = false;
    else this.#cancelHold = this.#clock.after(this.#limits.provisionHoldMs, () => this.#release());
  }

  /** Forgets every wait, without a word. */
  stop(): void {
    this.#cancelHold();
    for (const { cancel } of this.#dialled.values()) cancel();
    this.#dialled.clear();
    this.#coming.clear();
  }

  #release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#cancelHold();
    this.#awaited?.clear();
    this.#onChange(null);
  }

  #endComing(arrival: Arrival): void {
    const { versionUid } = arrival;
    if (versionUid === null || !arrival.isComing) return;
    arrival.isComing = false;
    const left = this.coming(versionUid) - 1;
    if (left > 0) this.#coming.set(versionUid, left);
    else this.#coming.delete(versionUid);
    this.#onChange(versionUid);
  }
}
