import type { RingLimits } from './limits.ts';

interface Calls {
  /** Busy seconds more than others, of late; 0..BUSY_SECONDS. */
  score: number;
  /** Steady at least until then. */
  untilMs: number;
}

/** What it judges by. */
export interface SteadySources {
  /** Calls of this gateway's own callers in the last second, by `namespace/name`. */
  readonly calls: ReadonlyMap<string, number>;
  /** The same at all other gateways, as last heard. */
  readonly elsewhere: ReadonlyMap<string, number>;
}

/** Calls per second, over all gateways, that make a second a busy one. */
const BUSY_CALLS = 2;
const BUSY_SECONDS = 3;

/**
 * Which functions are called steadily: these have an owner in every zone, so that no call needs a hop, nor a pod of another zone.
 *
 * A second with two calls or more, over all gateways, counts up, any other one down; what has three more busy seconds than others becomes
 * steady, and stays so until no second was busy for `steadyHoldMs`. So a burst is not, however large (one second), nor is a call now and
 * then: those find the one warm pod with the one owner. At 10 a second a function is steady after 3 s; with one call in five seconds, at
 * random, once in thirty hours. What is steady does not cease to be by chance: with one call a second, once in nine hours.
 *
 * Every gateway judges by itself and tells the others, and what one finds steady is steady for all of them: sums differ by when each one's
 * second begins, and gateways that disagree about the owners take pods from each other. Pure.
 */
export class SteadyFunctions {
  readonly #holdMs: number;
  readonly #known = new Map<string, Calls>();
  #found: ReadonlySet<string> = new Set();
  #all: ReadonlySet<string> = new Set();
  /** What `#all` was made of. */
  #settled = { told: this.#all, found: this.#found };

  constructor(limits: Pick<RingLimits, 'steadyHoldMs'>) {
    this.#holdMs = limits.steadyHoldMs;
  }

  isSteady(key: string): boolean {
    return this.#all.has(key);
  }

  /** All of them. */
  get keys(): ReadonlySet<string> {
    return this.#all;
  }

  /** Those that this gateway finds steady by itself; to be told to the others. */
  get found(): ReadonlySet<string> {
    return this.#found;
  }

  /** To be called once a second. */
  second({ calls, elsewhere }: SteadySources, nowMs: number): void {
    for (const key of new Set([...calls.keys(), ...elsewhere.keys(), ...this.#known.keys()])) {
      const sum = (calls.get(key) ?? 0) + (elsewhere.get(key) ?? 0);
      const known = this.#known.get(key) ?? { score: 0, untilMs: nowMs };
      const isBusy = sum >= BUSY_CALLS;
      known.score = Math.min(BUSY_SECONDS, Math.max(0, known.score + (isBusy ? 1 : -1)));
      if (known.score === BUSY_SECONDS || (isBusy && known.untilMs > nowMs)) known.untilMs = nowMs + this.#holdMs;
      if (known.score === 0 && known.untilMs <= nowMs) this.#known.delete(key);
      else this.#known.set(key, known);
    }
    this.#found = new Set([...this.#known].filter(([, { untilMs }]) => untilMs > nowMs).map(([key]) => key));
  }

  /**
   * Takes over what others have found; the same set again costs nothing.
   * @returns whether any function has begun or ceased to be steady
   */
  settle(told: ReadonlySet<string>): boolean {
    const found = this.#found;
    if (told === this.#settled.told && found === this.#settled.found) return false;
    this.#settled = { told, found };
    const all = found.union(told);
    const isChanged = all.size !== this.#all.size || !all.isSubsetOf(this.#all);
    this.#all = all;
    return isChanged;
  }
}
