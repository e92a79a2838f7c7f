import type { CorePod, CoreRequest, Slot } from './slot.ts';

/**
 * The idle slots of one version. Taken first: those in the gateway's own zone, then the others; of each the one that was used
 * last, so that the rest can expire; at the very end those whose pod does not answer its heartbeat.
 */
export class IdleSlots<P extends CorePod, R extends CoreRequest> {
  /** The own zone at this moment; empty = unknown, then no zone is preferred. */
  readonly #zone: () => string;
  /** Each is in the order of becoming idle, longest idle first. */
  readonly #near: Slot<P, R>[] = [];
  readonly #far: Slot<P, R>[] = [];
  /** In no order; few. */
  readonly #suspect: Slot<P, R>[] = [];

  constructor(zone: () => string) {
    this.#zone = zone;
  }

  get length(): number {
    return this.#near.length + this.#far.length + this.#suspect.length;
  }

  /** Without those whose pod does not answer its heartbeat. */
  get wellCount(): number {
    return this.#near.length + this.#far.length;
  }

  push(slot: Slot<P, R>): void {
    const zone = this.#zone();
    if (slot.pod.isSuspect) this.#suspect.push(slot);
    else if (zone === '' || slot.pod.zone === zone) this.#near.push(slot);
    else this.#far.push(slot);
  }

  /** The best one, taken out; undefined = there is none. */
  take(): Slot<P, R> | undefined {
    return this.#near.pop() ?? this.#far.pop() ?? this.#suspect.pop();
  }

  remove(slot: Slot<P, R>): void {
    for (const list of [this.#near, this.#far, this.#suspect]) {
      const at = list.lastIndexOf(slot);
      if (at === -1) continue;
      list.splice(at, 1);
      return;
    }
  }

  /** The heartbeat of the slot's pod has changed its mind. One that is well again goes last: it has proved to live. */
  reconsider(slot: Slot<P, R>): void {
    this.remove(slot);
    this.push(slot);
  }

  /** Whether any is idle since before that time. Cheap. */
  isAnyOlder(sinceMs: number): boolean {
    const isOlder = (slot: Slot<P, R> | undefined): boolean => slot !== undefined && slot.idleSinceMs <= sinceMs;
    return isOlder(this.#near[0]) || isOlder(this.#far[0]) || this.#suspect.some(isOlder);
  }

  /** All of them, longest idle first. */
  inOrder(): Slot<P, R>[] {
    return [...this.#near, ...this.#far, ...this.#suspect].sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }
}
