import type { KubeObject } from './object.ts';

/** One change of one object. */
export interface Change {
  /** The resource version that the change made. */
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The object after the change; for DELETED its last state, with the deletion's own version. */
  readonly object: KubeObject;
  /** The object before the change; null for ADDED. */
  readonly before: KubeObject | null;
}

/**
 * The last changes of one resource, in order, in a ring: what a watch can resume from. Bounded: the oldest go first,
 * and whoever needs one that is gone hears 410.
 */
export class History {
  readonly #limit: number;
  readonly #ring: (Change | undefined)[] = [];
  /** Sequence number of the next change; change n lies at n % limit. */
  #next = 0;
  /** Every change after this version is still here. */
  #completeSince: number;

  /** @param limit changes kept, > 0. @param startVersion nothing before it is known */
  constructor(limit: number, startVersion: number) {
    this.#limit = limit;
    this.#completeSince = startVersion;
  }

  /** Lowest version that a watch may start from. */
  get completeSince(): number {
    return this.#completeSince;
  }

  /** Position after the newest change. */
  get end(): number {
    return this.#next;
  }

  /** Position of the oldest change that is kept. */
  get start(): number {
    return Math.max(0, this.#next - this.#limit);
  }

  append(change: Change): void {
    const slot = this.#next % this.#limit;
    const dropped = this.#ring[slot];
    if (dropped !== undefined) this.#completeSince = dropped.version;
    this.#ring[slot] = change;
    this.#next += 1;
  }

  /** The change at `position`, undefined when it is gone or yet to come. */
  at(position: number): Change | undefined {
    if (position < this.start || position >= this.#next) return undefined;
    return this.#ring[position % this.#limit];
  }

  /** Position of the first change after `version`; null when the history does not reach that far back. */
  positionAfter(version: number): number | null {
    if (version < this.#completeSince) return null;
    let low = this.start;
    let high = this.#next;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const change = this.at(middle);
      if (change !== undefined && change.version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets everything up to `version`. */
  forget(version: number): void {
    this.#ring.length = 0;
    this.#next = 0;
    this.#completeSince = version;
  }
}
