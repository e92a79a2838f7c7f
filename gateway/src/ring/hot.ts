import type { RingLimits } from './limits.ts';

interface HotFunction {
  owners: number;
  /** It keeps that many at least until then. */
  untilMs: number;
}

/** What it counts with. */
export interface HotSources {
  /** Invocations that run here, by `namespace/name`. */
  readonly running: ReadonlyMap<string, number>;
  /** The same at other gateways, as last heard; small numbers are left out. */
  readonly elsewhere: ReadonlyMap<string, number>;
}

/**
 * How many owners each function has: k = 1 + floor(running / runningPerOwner), where running is the sum over all gateways, so that
 * spreading a function does not make it look cold. Rises at once, falls after `hotHoldMs`. 70 running, 32 per owner: 3. Pure.
 *
 * Gateways hear of each other's figures up to 200 ms later, so they may disagree for a moment: every gateway may serve
 * such a function, so that costs a pod at most. Functions with reserved or provisioned concurrency always have one owner.
 */
export class HotFunctions {
  readonly #limits: Pick<RingLimits, 'runningPerOwner' | 'hotHoldMs'>;
  readonly #hot = new Map<string, HotFunction>();

  constructor(limits: Pick<RingLimits, 'runningPerOwner' | 'hotHoldMs'>) {
    this.#limits = limits;
  }

  /** Owners of a function, >= 1; not yet bounded by the gateways that there are. */
  ownersOf(key: string): number {
    return this.#hot.get(key)?.owners ?? 1;
  }

  /** Functions with more than one owner. */
  entries(): ReadonlyMap<string, number> {
    return new Map([...this.#hot].map(([key, { owners }]) => [key, owners]));
  }

  /** To be called often. Returns whether any number has changed. */
  tick({ running, elsewhere }: HotSources, nowMs: number): boolean {
    let isChanged = false;
    for (const key of new Set([...running.keys(), ...elsewhere.keys(), ...this.#hot.keys()])) {
      const sum = (running.get(key) ?? 0) + (elsewhere.get(key) ?? 0);
      isChanged = this.#set(key, 1 + Math.floor(sum / this.#limits.runningPerOwner), nowMs) || isChanged;
    }
    return isChanged;
  }

  #set(key: string, owners: number, nowMs: number): boolean {
    const known = this.#hot.get(key);
    if (owners >= (known?.owners ?? 2)) {
      this.#hot.set(key, { owners, untilMs: nowMs + this.#limits.hotHoldMs });
      return owners !== known?.owners;
    }
    if (known === undefined || nowMs < known.untilMs) return false;
    if (owners === 1) this.#hot.delete(key);
    else this.#hot.set(key, { owners, untilMs: nowMs + this.#limits.hotHoldMs });
    return true;
  }
}
