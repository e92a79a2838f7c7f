import { chooseZone } from './plan.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** The generic pods of one pool, and who waits for more of them. */
export class PoolState<P extends CorePod, R extends CoreRequest> {
  readonly name: string;
  /** Linked generic pods by zone, those that answer their heartbeats; oldest first. */
  readonly #generic = new Map<string, Set<P>>();
  /** Those that did not answer the last heartbeat: taken only when there is no other. */
  readonly #suspect = new Set<P>();
  /** Versions that want a claim and found no pod, in the order in which they are served; a served one goes last. */
  readonly hungry = new Set<VersionState<P, R>>();
  /** What ClusterDoor.wantPods was told last. */
  announced = 0;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    let size = this.#suspect.size;
    for (const pods of this.#generic.values()) size += pods.size;
    return size;
  }

  /** It has no pods, and nobody waits for one. */
  get isIdle(): boolean {
    return this.size === 0 && this.hungry.size === 0;
  }

  add(pod: P): void {
    if (pod.isSuspect) {
      this.#suspect.add(pod);
      return;
    }
    let pods = this.#generic.get(pod.zone);
    if (pods === undefined) {
      pods = new Set();
      this.#generic.set(pod.zone, pods);
    }
    pods.add(pod);
  }

  /** Forgets a pod that is gone; one that is not here is ignored. */
  remove(pod: P): void {
    this.#suspect.delete(pod);
    const pods = this.#generic.get(pod.zone);
    pods?.delete(pod);
    if (pods?.size === 0) this.#generic.delete(pod.zone);
  }

  /** The heartbeat of a pod has changed its mind; one that is not here is ignored. */
  reconsider(pod: P): void {
    if (!this.#suspect.has(pod) && this.#generic.get(pod.zone)?.has(pod) !== true) return;
    this.remove(pod);
    this.add(pod);
  }

  /** Takes the generic pod that suits a function best; undefined when there is none. See {@link chooseZone}. */
  take(slotsByZone: ReadonlyMap<string, number>, ownZone: string, isShared: boolean): P | undefined {
    const zone = chooseZone(this.#generic, slotsByZone, ownZone, isShared);
    const pod = choosePod((zone === undefined ? undefined : this.#generic.get(zone)) ?? this.#suspect);
    if (pod !== undefined) this.remove(pod);
    return pod;
  }

  /** Takes a pod for calls to come: while nobody waits for one, and not the last one. */
  takeSpare(ownZone: string, isOtherZoneFine: boolean): P | undefined {
    if (this.hungry.size > 0 || this.size - this.#suspect.size < 2) return undefined;
    if (!isOtherZoneFine && !this.#generic.has(ownZone)) return undefined;
    return this.take(noSlotsYet, ownZone, true);
  }
}

const noSlotsYet: ReadonlyMap<string, number> = new Map();

/** The first one that this gateway prefers: gateways that claim at the same moment should not all want the same pod. */
function choosePod<P extends CorePod>(pods: ReadonlySet<P>): P | undefined {
  let best: P | undefined;
  for (const pod of pods) if (best === undefined || pod.preference < best.preference) best = pod;
  return best;
}
