import { functionKeyOf } from '../dispatch/ownership.ts';
import type { Target } from '../dispatch/types.ts';
import type { RingCore } from './core.ts';
import type { HotFunctions } from './hot.ts';
import { takeOwners } from './rendezvous.ts';
import type { Route } from './router.ts';

interface Entry {
  readonly version: number;
  readonly route: Route;
}

/** Functions whose owners are remembered. */
const MAX_ENTRIES = 20_000;

/** Owners of functions by the present ring; remembered until it changes, so that asking again costs a look-up. */
export class Owners {
  readonly #core: RingCore;
  readonly #hot: HotFunctions;
  readonly #shared = new Map<string, Entry>();
  readonly #single = new Map<string, Entry>();
  #hotVersion = 0;
  #turn = 0;

  constructor(core: RingCore, hot: HotFunctions) {
    this.#core = core;
    this.#hot = hot;
  }

  /** Numbers of owners have changed. */
  hotChanged(): void {
    this.#hotVersion += 1;
  }

  of(target: Target): Route {
    // A limit that holds over all pods of a function is kept by one gateway.
    const isSingle = target.reservedConcurrency !== null || target.provisionedConcurrency > 0;
    const entries = isSingle ? this.#single : this.#shared;
    const key = functionKeyOf(target);
    const version = this.#core.version + this.#hotVersion; // both only rise
    const known = entries.get(key);
    if (known?.version === version) return known.route;
    const route = this.#make(key, isSingle ? 1 : this.#hot.ownersOf(key));
    if (entries.size >= MAX_ENTRIES) entries.clear();
    entries.set(key, { version, route });
    return route;
  }

  /** The same, with the other owners in turn so that they share the load. */
  next(target: Target): Route {
    const route = this.of(target);
    if (route.isHere || route.owners.length === 1) return route;
    this.#turn = (this.#turn + 1) % 1_000_000;
    const zone = this.#zoneOf(this.#core.name);
    const near = zone === '' ? [] : route.owners.filter((name) => this.#zoneOf(name) === zone);
    const far = route.owners.filter((name) => !near.includes(name));
    return { ...route, others: [...turned(near, this.#turn), ...turned(far, this.#turn)] };
  }

  #make(key: string, k: number): Route {
    const { owners: alive, name: self, ranking } = this.#core;
    const ranked = ranking.of(key).filter((name) => alive.has(name));
    const owners = takeOwners(ranked, k, (name) => this.#zoneOf(name));
    const follower = ranked.find((name) => !owners.includes(name));
    const others = owners.filter((name) => name !== self);
    if (follower !== undefined && follower !== self) others.push(follower);
    return { owners, isHere: owners.includes(self), others };
  }

  #zoneOf(name: string): string {
    return this.#core.zoneOf(name);
  }
}

function turned(names: readonly string[], by: number): readonly string[] {
  const at = names.length === 0 ? 0 : by % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}
