import { functionKeyOf, type Ownership } from '../dispatch/ownership.ts';
import type { DispatchLoad, Target } from '../dispatch/types.ts';
import { RingCore } from './core.ts';
import { darkZones } from './dark-zones.ts';
import { HotFunctions } from './hot.ts';
import type { RingLimits } from './limits.ts';
import { Owners } from './owners.ts';
import { nameOf } from './rendezvous.ts';
import type { Route } from './router.ts';
import { SteadyFunctions } from './steady.ts';

/** Between two looks at how often functions are called. */
const SECOND_MS = 1000;
/** A pause of this process is one tick, however long. */
const QUIET_TICKS = 2;

/** Who does what among the gateways, as one of them sees it: all of the ring but its sockets and timers. */
export class Roles implements Ownership {
  readonly gatewayId: string;
  readonly name: string;
  readonly core: RingCore;
  readonly limits: RingLimits;
  readonly nowMs: () => number;
  readonly #hot: HotFunctions;
  readonly #steady: SteadyFunctions;
  readonly #owners: Owners;
  /** `name function` → when it said that it has no idle pod. */
  readonly #busy = new Map<string, number>();
  #secondMs: number;
  #dark: ReadonlySet<string> = new Set();

  /** @param nowMs monotonic milliseconds */
  constructor(gatewayId: string, limits: RingLimits, nowMs: () => number) {
    this.gatewayId = gatewayId;
    this.name = nameOf(gatewayId);
    this.limits = limits;
    this.nowMs = nowMs;
    this.#secondMs = nowMs();
    this.core = new RingCore(gatewayId, limits, this.#secondMs);
    this.#hot = new HotFunctions(limits);
    this.#steady = new SteadyFunctions(limits);
    this.#owners = new Owners(this.core, this.#hot, this.#steady);
  }

  /** Functions with more than one owner for what runs at once → how many. */
  get hot(): ReadonlyMap<string, number> {
    return this.#hot.entries();
  }

  /** Functions with an owner in every zone. */
  get steady(): ReadonlySet<string> {
    return this.#steady.keys;
  }

  isOwner(target: Target): boolean {
    return this.core.isIntroduced && this.#owners.of(target).isHere;
  }

  isShared(target: Target): boolean {
    return this.isOwner(target) && this.#owners.of(target).owners.length > 1;
  }

  isFirstOwner(target: Target): boolean {
    return this.core.isIntroduced && this.#owners.of(target).owners[0] === this.name;
  }

  mayHold(target: Target, gatewayId: string): boolean {
    const name = nameOf(gatewayId);
    if (name === this.name || this.core.lifeOf(name) !== gatewayId) return false;
    return this.#owners.of(target).owners.includes(name);
  }

  isLive(gatewayId: string): boolean {
    return gatewayId === this.gatewayId || this.core.lifeOf(nameOf(gatewayId)) === gatewayId;
  }

  term(functionKey: string): number | null {
    return this.core.terms.number(functionKey, this.nowMs());
  }

  outstandingElsewhere(accountId: string): number {
    return this.core.loads.outstandingElsewhere(accountId);
  }

  callsElsewhere(accountId: string): number {
    return this.core.loads.accountCallsElsewhere(accountId);
  }

  ownerCount(target: Target): number {
    return this.#owners.of(target).owners.length;
  }

  ranksFirst(key: string): boolean {
    const { core } = this;
    if (!core.isIntroduced || core.isLeaving) return false;
    return core.ranking.of(key).find((name) => core.owners.has(name)) === this.name;
  }

  place(): { readonly index: number; readonly count: number } {
    const names = [...this.core.owners].sort();
    return { index: this.core.isIntroduced ? names.indexOf(this.name) : -1, count: names.length };
  }

  isHeir(target: Target, zone: string): boolean {
    const { owners } = this.#owners.of(target);
    const heir = owners.find((name) => this.core.zoneOf(name) === zone) ?? owners[0];
    return this.core.isIntroduced && heir === this.name;
  }

  isDark(zone: string): boolean {
    return this.#dark.has(zone);
  }

  /** Something may be wrong with the gateway: better not to give it what another one can do. Not so for who was paused itself. */
  isQuiet(name: string): boolean {
    const { ms, ticks } = this.core.heardAgo(name, this.nowMs());
    return ms >= this.limits.quietMs && ticks >= QUIET_TICKS;
  }

  /** Who may run a request of an own caller; counts it. */
  route(target: Target): Route {
    return this.#owners.next(target);
  }

  /** The other owners of the function. */
  others(target: Target): readonly string[] {
    return this.#owners.of(target).others;
  }

  /** See {@link Owners.discount}. */
  discount(target: Target): void {
    this.#owners.discount(target);
  }

  /** What is asked of a gateway that has gone dark is lost, and not to ask costs little: so it must have been heard just now. */
  isWorthAsking(name: string, target: Target): boolean {
    const nowMs = this.nowMs();
    if (this.core.heardAgo(name, nowMs).ms >= this.limits.askMs) return false;
    const sinceMs = this.#busy.get(`${name} ${functionKeyOf(target)}`);
    return sinceMs === undefined || nowMs - sinceMs >= this.limits.busyMemoMs;
  }

  noteBusy(name: string, target: Target): void {
    this.#busy.set(`${name} ${functionKeyOf(target)}`, this.nowMs());
  }

  /**
   * To be called every `heartbeatMs`; says a RING to everybody.
   * @returns whether the number of some function's owners has changed, or a zone seems to have gone dark or come back
   */
  tick(load: DispatchLoad, say: () => void): boolean {
    const nowMs = this.nowMs();
    this.core.tick(load, nowMs);
    for (const [key, sinceMs] of this.#busy) if (nowMs - sinceMs >= this.limits.busyMemoMs) this.#busy.delete(key);
    if (nowMs - this.#secondMs >= SECOND_MS) this.#tellSecond(nowMs, say);
    else say();
    const { loads } = this.core;
    const isHotChanged = this.#hot.tick({ running: load.running, elsewhere: loads.runningElsewhere() }, nowMs);
    const isSteadyChanged = this.#steady.settle(loads.steadyElsewhere());
    if (isHotChanged || isSteadyChanged) this.#owners.changed();
    return this.#lookAtZones() || isHotChanged || isSteadyChanged;
  }

  #lookAtZones(): boolean {
    const { core, limits } = this;
    const before = this.#dark;
    const isMissed = (name: string): boolean =>
      this.isQuiet(name) && core.heardAgo(name, this.nowMs()).ms < limits.darkMs;
    this.#dark = darkZones(core.others, core.zoneOf(this.name), isMissed);
    return this.#dark.size !== before.size || !this.#dark.isSubsetOf(before);
  }

  #tellSecond(nowMs: number, say: () => void): void {
    const { loads } = this.core;
    const calls = this.#owners.takeCalls();
    const elapsedMs = nowMs - this.#secondMs;
    this.#secondMs = nowMs;
    this.#steady.second({ calls, elsewhere: loads.callsElsewhere() }, nowMs);
    loads.withSecond(calls, this.#steady.found, elapsedMs, say);
  }
}
