import { PodLink, type PodLinkOwner } from './pod-link.ts';
import type { PoolPod } from './types.ts';

/** Every pool pod that this gateway knows, and its link. */
export class Pods {
  readonly #owner: PodLinkOwner;
  /** Those that the informer shows, by its key. */
  readonly #present = new Map<string, PodLink>();
  /** Those whose object is gone while their link still is in use. */
  readonly #departed = new Set<PodLink>();

  constructor(owner: PodLinkOwner) {
    this.#owner = owner;
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
    const link = new PodLink(pod, this.#owner);
    this.#present.set(key, link);
    link.update(pod);
  }

  /** Dials what is due and forgets what has gone; to be called at each tick. */
  tick(): void {
    for (const pod of this.#present.values()) pod.dialIfDue();
    for (const pod of this.#departed) if (!pod.isLinked) this.#departed.delete(pod);
  }

  /** Asks every pod that runs a former life's invocation whether it is free. */
  askForeign(): void {
    for (const pod of this.#present.values()) if (pod.slot?.state === 'Foreign') pod.askAgain();
  }

  heartbeat(): void {
    for (const pod of this.#present.values()) pod.heartbeat();
    for (const pod of this.#departed) pod.heartbeat();
  }

  /** Closes every link without a word to the pods. */
  letGo(): void {
    for (const pod of [...this.#present.values(), ...this.#departed]) pod.letGo();
  }
}
