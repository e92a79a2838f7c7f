import { chooseZone } from './plan.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** The generic pods of one pool, and who waits for more of them. */
export class PoolState<P extends CorePod, R extends CoreRequest> {
  readonly name: string;
  /** Linked generic pods by zone, oldest first. */
  readonly #generic = new Map<string, Set<P>>();
  /** Versions that want a claim and found no pod, in the order in which they are served; a served one goes last. */
  readonly hungry = new Set<VersionState<P, R>>();
  /** What ClusterDoor.wantPods was told last. */
  announced = 0;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    let size = 0;
    for (const pods of this.#generic.values()) size += pods.size;
    return size;
  }

  add(pod: P): void {
    let pods = this.#generic.get(pod.zone);
    if (pods === undefined) {
      pods = new Set();
      this.#generic.set(pod.zone, pods);
    }
    pods.add(pod);
  }

  /** Forgets a pod that is gone; one that is not here is ignored. */
  remove(pod: P): void {
    const pods = this.#generic.get(pod.zone);
    pods?.delete(pod);
    if (pods?.size === 0) this.#generic.delete(pod.zone);
  }

  /** Takes the generic pod that suits a function best; undefined when there is none. */
  take(slotsByZone: ReadonlyMap<string, number>, ownZone: string): P | undefined {
    const zone = chooseZone(this.#generic, slotsByZone, ownZone);
    if (zone === undefined) return undefined;
    const [pod] = this.#generic.get(zone) ?? [];
    if (pod !== undefined) this.remove(pod);
    return pod;
  }
}
