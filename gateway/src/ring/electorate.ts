/** Names of the gateways whose majority decides, sorted. */
export type Electorate = readonly string[];

/** What another gateway was heard to say of its electorates. */
export interface HeardElectorates {
  /** Its list, or null while it was not heard, or not of late. */
  readonly lists: readonly Electorate[] | null;
  /** Kubernetes does not show it any more, and it is silent: it has ended. */
  readonly isGone: boolean;
}

interface Former {
  readonly names: Electorate;
  /** Since when its majority is known to have moved to the present target; null = it has not. */
  movedSinceMs: number | null;
}

/**
 * Whose majority counts, while members come and go and every gateway learns of it at a time of its own. Pure.
 *
 * Two holders of one term are impossible as long as their majorities meet in a voter. With different member sets they might
 * not: {b, c} of {a, b, c} and {d, e} of {c, d, e}. So a gateway that learns of new members lists **both** sets, and a holder needs a
 * majority in every set that it, or a voter that it counts, lists (joint consensus). A former set is dropped when a majority of its members
 * has been heard to list the present target, plus `waitMs` (votes from before that have run out): from then on whoever still asks a majority
 * of the former set meets one who makes it ask the new set's majority, too.
 *
 *   event                                  | target | former
 *   set(names)                             | names  | + the old target, - names; none has moved to this target yet
 *   tick: majority of a former one moved   |        | it starts to run out
 *   ... still so after waitMs              |        | - it
 *
 * A new life knows no former sets, so it takes over all that a gateway lists which has been there before (`inherit`): what binds the one
 * binds the other.
 *
 * A member that has ended (`isGone`) counts as moved: it never votes again. That is Kubernetes' word; deleting a pod by force while its process
 * still runs breaks it, as it does for StatefulSets.
 */
export class Electorates {
  readonly #self: string;
  readonly #waitMs: number;
  #target: Electorate = [];
  #former: Former[] = [];
  #listing: readonly Electorate[] = [[]];

  constructor(self: string, waitMs: number) {
    this.#self = self;
    this.#waitMs = waitMs;
  }

  get target(): Electorate {
    return this.#target;
  }

  /** All that bind; the target is the last. */
  list(): readonly Electorate[] {
    return this.#listing;
  }

  /** Members from now on, sorted. Returns whether anything changed. */
  set(names: Electorate): boolean {
    const text = textOf(names);
    if (text === textOf(this.#target)) return false;
    const kept = this.#former.map((former) => former.names).filter((former) => textOf(former) !== text);
    if (this.#target.length > 0) kept.push(this.#target); // nobody has a majority of nobody
    this.#former = kept.map((former) => ({ names: former, movedSinceMs: null }));
    this.#target = names;
    this.#listing = [...kept, names];
    return true;
  }

  /** Takes over what another gateway lists. */
  inherit(lists: readonly Electorate[]): void {
    const known = new Set(this.#listing.map(textOf));
    const foreign = lists.filter((names) => names.length > 0 && !known.has(textOf(names)));
    this.#former.push(...foreign.map((names) => ({ names, movedSinceMs: null })));
    this.#listing = [...this.#former.map(({ names }) => names), this.#target];
  }

  /** Drops what may be dropped. Returns whether anything changed. */
  tick(heardOf: (name: string) => HeardElectorates, nowMs: number): boolean {
    if (this.#former.length === 0) return false;
    const text = textOf(this.#target);
    const hasMoved = (name: string): boolean => {
      if (name === this.#self) return true;
      const { lists, isGone } = heardOf(name);
      return isGone || (lists?.some((each) => textOf(each) === text) ?? false);
    };
    for (const former of this.#former) {
      const isMoved = former.names.filter(hasMoved).length > former.names.length / 2;
      former.movedSinceMs = isMoved ? (former.movedSinceMs ?? nowMs) : null;
    }
    const kept = this.#former.filter(
      ({ movedSinceMs }) => movedSinceMs === null || nowMs - movedSinceMs < this.#waitMs,
    );
    if (kept.length === this.#former.length) return false;
    this.#former = kept;
    this.#listing = [...kept.map(({ names }) => names), this.#target];
    return true;
  }
}

/** Whether `voters` has more than half of the electorate. */
export function hasMajority(electorate: Electorate, voters: ReadonlySet<string>): boolean {
  return electorate.filter((name) => voters.has(name)).length > electorate.length / 2;
}

function textOf(names: Electorate): string {
  return names.join();
}
