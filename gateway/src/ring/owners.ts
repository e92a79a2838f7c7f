import { functionKeyOf } from '../dispatch/ownership.ts';
import type { Target } from '../dispatch/types.ts';
import type { RingCore } from './core.ts';
import type { HotFunctions } from './hot.ts';
import { takeOwners } from './rendezvous.ts';
import type { Route } from './router.ts';
import type { SteadyFunctions } from './steady.ts';

interface Entry {
  version: number;
  /** The same route with the other owners in turn, so that they share the load. */
  routes: readonly [Route, ...Route[]];
  /** Of this gateway's own callers since `takeCalls`. */
  calls: number;
}

/** Functions whose owners are remembered. */
const MAX_ENTRIES = 20_000;

/** Owners of functions by the present ring; remembered until it changes, so that asking again costs a look-up. */
export class Owners {
  readonly #core: RingCore;
  readonly #hot: HotFunctions;
  readonly #steady: SteadyFunctions;
  readonly #shared = new Map<string, Entry>();
  readonly #single = new Map<string, Entry>();
  /** Entries of `#shared` that have calls. */
  #called = new Map<string, Entry>();
  #countsVersion = 0;
  #turn = 0;

  constructor(core: RingCore, hot: HotFunctions, steady: SteadyFunctions) {
    this.#core = core;
    this.#hot = hot;
    this.#steady = steady;
  }

  /** Numbers of owners have changed. */
  changed(): void {
    this.#countsVersion += 1;
  }

  of(target: Target): Route {
    return this.#entry(functionKeyOf(target), isSingle(target)).routes[0];
  }

  /** The same for a request of an own caller. */
  next(target: Target): Route {
    const key = functionKeyOf(target);
    const single = isSingle(target);
    const entry = this.#entry(key, single);
    if (!single) this.#count(key, entry);
    const { routes } = entry;
    if (routes.length === 1) return routes[0];
    this.#turn = (this.#turn + 1) % 1_000_000;
    return routes[this.#turn % routes.length] ?? routes[0];
  }

  /** What was counted last for this function has come to nothing: no error makes it a steady one. */
  discount(target: Target): void {
    const entry = isSingle(target) ? undefined : this.#shared.get(functionKeyOf(target));
    if (entry !== undefined && entry.calls > 0) entry.calls -= 1;
  }

  /** Calls of own callers by function since this was asked last. Functions that always have one owner are not counted. */
  takeCalls(): ReadonlyMap<string, number> {
    const calls = new Map<string, number>();
    for (const [key, entry] of this.#called) {
      calls.set(key, entry.calls);
      entry.calls = 0;
    }
    this.#called = new Map();
    return calls;
  }

  #count(key: string, entry: Entry): void {
    if (entry.calls === 0) this.#called.set(key, entry);
    entry.calls += 1;
  }

  #entry(key: string, single: boolean): Entry {
    const entries = single ? this.#single : this.#shared;
    const version = this.#core.version + this.#countsVersion; // both only rise
    const known = entries.get(key);
    if (known?.version === version) return known;
    const routes = this.#turns(this.#make(key, single));
    if (known !== undefined) {
      known.version = version;
      known.routes = routes;
      return known;
    }
    if (entries.size >= MAX_ENTRIES) entries.clear();
    const entry = { version, routes, calls: 0 };
    entries.set(key, entry);
    return entry;
  }

  #make(key: string, single: boolean): Route {
    const { owners: alive, name: self, ranking } = this.#core;
    const ranked = ranking.of(key).filter((name) => alive.has(name));
    const k = single ? 1 : Math.max(this.#hot.ownersOf(key), this.#steady.isSteady(key) ? this.#zonesOf(ranked) : 1);
    const owners = takeOwners(ranked, k, (name) => this.#zoneOf(name));
    const others = owners.filter((name) => name !== self);
    const follower = ranked.find((name) => !owners.includes(name));
    const next = follower === undefined || follower === self ? null : follower;
    return { owners, isHere: owners.includes(self), others, next };
  }

  /** Owners of the own zone stay before all others. */
  #turns(route: Route): readonly [Route, ...Route[]] {
    const zone = this.#zoneOf(this.#core.name);
    const near = zone === '' ? [] : route.others.filter((name) => this.#zoneOf(name) === zone);
    const far = route.others.filter((name) => !near.includes(name));
    const turn = (by: number): Route => ({ ...route, others: [...turned(near, by), ...turned(far, by)] });
    return [turn(0), ...Array.from({ length: Math.max(near.length, far.length) - 1 }, (_, at) => turn(at + 1))];
  }

  #zonesOf(names: readonly string[]): number {
    return new Set(names.map((name) => this.#zoneOf(name))).size;
  }

  #zoneOf(name: string): string {
    return this.#core.zoneOf(name);
  }
}

/** A limit that holds over all pods of a function is kept by one gateway. */
function isSingle({ reservedConcurrency, provisionedConcurrency }: Target): boolean {
  return reservedConcurrency !== null || provisionedConcurrency > 0;
}

function turned(names: readonly string[], by: number): readonly string[] {
  const at = names.length === 0 ? 0 : by % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}
