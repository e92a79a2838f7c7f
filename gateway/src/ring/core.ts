import type { DispatchLoad } from '../dispatch/types.ts';
import { Electorates, type HeardElectorates } from './electorate.ts';
import type { Heard } from './heard.ts';
import type { RingLimits } from './limits.ts';
import { Loads } from './loads.ts';
import type { Member } from './members.ts';
import type { RingMessage } from './messages.ts';
import { nameOf, Ranking } from './rendezvous.ts';
import { Terms } from './terms.ts';
import { Views } from './views.ts';

const SENT_KEPT = 1024;
const NEVER = { ms: Number.POSITIVE_INFINITY, ticks: Number.POSITIVE_INFINITY };

/**
 * The ring's decisions without sockets and clocks: who is alive, who votes for whom, who holds what. Pure: time is handed in, monotonic
 * milliseconds of this gateway.
 *
 * **Alive** = a member that is not terminating, has been heard within `silenceMs`, and does not leave. This gateway itself always
 * is unless it leaves; one that leaves and sees nobody else still counts as an owner, so that its last requests are served.
 *
 * **Own pauses.** A gap between two calls above `pauseMs` means that this process did not run: nobody could be heard, so silence counts from the
 * wake-up. What it holds is judged by the time that really went by (Terms.settle).
 *
 * **Admission.** A new life votes (and so counts for anybody, itself too) when `waitMs` have gone by since its start and it knows which
 * electorates bind: it has met a gateway that voted before, and taken over what that one lists; or it has met every other gateway and none
 * had voted before (the first start of an install); or `admissionMs` have gone by. Otherwise new gateways that are a majority
 * of the new set by themselves could outvote old ones that have not heard of them.
 */
export class RingCore {
  readonly gatewayId: string;
  readonly name: string;
  readonly ranking = new Ranking();
  readonly terms: Terms;
  /** What gateways tell each other of their work. */
  readonly loads = new Loads(() => this.#speaking());
  readonly #limits: RingLimits;
  readonly #startMs: number;
  readonly #views: Views;
  readonly #electorates: Electorates;
  /** By name. */
  readonly #heard = new Map<string, Heard>();
  #members: ReadonlyMap<string, Member> | null = null;
  /** `seq` of RINGs that ask for votes → when it was sent; of the newest SENT_KEPT. */
  readonly #sent = new Map<number, number>();
  #seq = 0;
  #isLeaving = false;
  #isAdmitted = false;
  #isIntroduced = false;
  /** When this process was seen to run the last time. */
  #lastSeenMs: number;
  #wokeMs = Number.NEGATIVE_INFINITY;
  #version = 0;
  /** Names of those that may own: alive ones, or this one alone. */
  #owners: ReadonlySet<string>;

  constructor(gatewayId: string, limits: RingLimits, nowMs: number) {
    this.gatewayId = gatewayId;
    this.name = nameOf(gatewayId);
    this.#limits = limits;
    this.#startMs = nowMs;
    this.#lastSeenMs = nowMs;
    this.terms = new Terms(gatewayId, this.ranking);
    this.#views = new Views(limits.waitMs);
    this.#electorates = new Electorates(this.name, limits.waitMs);
    this.#owners = new Set([this.name]);
    this.ranking.add([this.name]);
    this.#views.set([gatewayId], nowMs);
  }

  /** Changes whenever owners may have changed. */
  get version(): number {
    return this.#version;
  }

  /**
   * Whether this gateway has had the time to hear the others: before that it takes nothing over, however alone it seems. True at the
   * latest `introductionMs` after the start.
   */
  get isIntroduced(): boolean {
    return this.#isIntroduced;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get isAdmitted(): boolean {
    return this.#isAdmitted;
  }

  /** Names of the gateways that may own functions. Never empty. */
  get owners(): ReadonlySet<string> {
    return this.#owners;
  }

  /** Members that are to be linked with, this gateway left out; terminating ones too, they still serve. */
  get others(): readonly Member[] {
    return [...(this.#members?.values() ?? [])].filter(({ name }) => name !== this.name);
  }

  /** Own zone as Kubernetes shows it; empty while unknown. */
  zoneOf(name: string): string {
    return this.#members?.get(name)?.zone ?? '';
  }

  /** The present life of a gateway that is alive, or null. */
  lifeOf(name: string): string | null {
    const heard = this.#heard.get(name);
    return heard !== undefined && this.#owners.has(name) ? heard.id : null;
  }

  /** A complete list of members. */
  setMembers(members: readonly Member[], nowMs: number): void {
    this.#members = new Map(members.map((member) => [member.name, member]));
    this.ranking.reset([this.name, ...this.#members.keys(), ...this.#heard.keys(), ...this.terms.namesInUse()]);
    this.#version += 1;
    this.#electorates.set(
      members
        .filter(({ terminating }) => !terminating)
        .map(({ name }) => name)
        .sort(),
    );
    this.#refresh(nowMs);
  }

  /** Something came in from an authenticated peer. */
  heard(id: string, nowMs: number): void {
    this.#seen(nowMs);
    const heard = this.#heardOf(id, nowMs);
    heard.heardMs = nowMs;
    heard.ticks = 0;
  }

  /** A RING came in. */
  received(id: string, message: RingMessage, nowMs: number): void {
    this.#seen(nowMs);
    const heard = this.#heardOf(id, nowMs);
    const isNews = heard.message === null || heard.isLeaving !== message.leaving;
    heard.heardMs = nowMs;
    heard.ticks = 0;
    heard.isLeaving ||= message.leaving;
    heard.second = message.second ?? heard.second;
    // Two connections carry a peer's RINGs: an older one may come later.
    if (heard.message === null || message.seq > heard.message.seq) heard.message = message;
    this.loads.changed(message.second !== undefined);
    const sentMs = this.#sent.get(message.ackSeq);
    if (sentMs !== undefined) this.terms.vote(nameOf(id), message, sentMs + this.#limits.grantMs, nowMs);
    if (isNews || !this.#isAdmitted) this.#refresh(nowMs);
  }

  /** The next RING of this gateway. With `ackSeq` it is an answer, and so a vote. */
  say(ackSeq: number, nowMs: number): RingMessage {
    this.#refresh(nowMs);
    this.#seq += 1;
    if (ackSeq === 0) this.#sent.set(this.#seq, nowMs);
    this.#sent.delete(this.#seq - SENT_KEPT);
    return {
      seq: this.#seq,
      ackSeq,
      views: this.#views.list(nowMs),
      electorates: this.#electorates.list(),
      admitted: this.#isAdmitted,
      leaving: this.#isLeaving,
      ...this.loads.words(),
    };
  }

  /** To be called every `heartbeatMs`. */
  tick(load: DispatchLoad, nowMs: number): void {
    this.loads.set(load);
    this.terms.settle(nowMs);
    this.#refresh(nowMs);
    for (const [name, heard] of this.#heard) {
      heard.ticks += 1;
      if (this.#members?.has(name) !== true && this.#silenceOf(heard, nowMs) >= this.#limits.goneMs * 2)
        this.#heard.delete(name);
    }
  }

  /** Gives all terms up and says so from now on. */
  leave(nowMs: number): void {
    this.#isLeaving = true;
    this.#refresh(nowMs);
  }

  /** How long ago a gateway was heard, in milliseconds and own ticks; infinite = never. */
  heardAgo(name: string, nowMs: number): { readonly ms: number; readonly ticks: number } {
    const heard = this.#heard.get(name);
    return heard === undefined ? NEVER : { ms: nowMs - heard.heardMs, ticks: heard.ticks };
  }

  /** All that are not silent; leaving ones still answer requests, so their figures count. */
  #speaking(): readonly Heard[] {
    return [...this.#heard.values()].filter(
      (heard) => this.#silenceOf(heard, this.#lastSeenMs) < this.#limits.silenceMs,
    );
  }

  #heardOf(id: string, nowMs: number): Heard {
    const name = nameOf(id);
    const known = this.#heard.get(name);
    if (known?.id === id) return known;
    // A new life. The former one stays in the past views, so nobody gets its functions from this voter before it must have noticed.
    const heard: Heard = { id, heardMs: nowMs, ticks: 0, message: null, second: null, isLeaving: false };
    this.#heard.set(name, heard);
    this.ranking.add([name]);
    this.loads.changed();
    return heard;
  }

  #silenceOf({ heardMs }: Heard, nowMs: number): number {
    return nowMs - Math.max(heardMs, this.#wokeMs);
  }

  #isAlive(name: string, nowMs: number): boolean {
    const heard = this.#heard.get(name);
    if (heard === undefined || heard.message === null || heard.isLeaving) return false;
    return this.#members?.get(name)?.terminating === false && this.#silenceOf(heard, nowMs) < this.#limits.silenceMs;
  }

  /** Every call comes by here first: a long gap means that this process was paused. */
  #seen(nowMs: number): void {
    if (nowMs - this.#lastSeenMs > this.#limits.pauseMs) this.#wokeMs = nowMs;
    this.#lastSeenMs = nowMs;
  }

  #refresh(nowMs: number): void {
    this.#seen(nowMs);
    if (!this.#isAdmitted) this.#tryAdmission(nowMs);
    this.#refreshViews(nowMs);
    if (!this.#isIntroduced && this.#hasMet(nowMs)) {
      this.#isIntroduced = true;
      this.#version += 1;
    }
    this.#electorates.tick((name) => this.#electoratesOf(name, nowMs), nowMs);
    this.terms.setOwn(
      this.#isLeaving ? null : { views: this.#views.list(nowMs), electorates: this.#electorates.list() },
      nowMs,
    );
  }

  #refreshViews(nowMs: number): void {
    const alive: string[] = this.#isLeaving ? [] : [this.gatewayId];
    for (const [name, heard] of this.#heard) {
      if (this.#isAlive(name, nowMs)) alive.push(heard.id);
      else if (heard.isLeaving || this.#silenceOf(heard, nowMs) >= this.#limits.waitMs) this.#views.forget(heard.id);
    }
    if (this.#isLeaving) this.#views.forget(this.gatewayId);
    this.#views.set(alive, nowMs);
    const owners = new Set(alive.length === 0 ? [this.name] : alive.map(nameOf));
    if (owners.size === this.#owners.size && owners.isSubsetOf(this.#owners)) return;
    this.#owners = owners;
    this.loads.changed();
    this.#version += 1;
  }

  #electoratesOf(name: string, nowMs: number): HeardElectorates {
    const heard = this.#heard.get(name);
    const silentMs = heard === undefined ? nowMs - this.#startMs : this.#silenceOf(heard, nowMs);
    const isGone = this.#members !== null && !this.#members.has(name) && silentMs >= this.#limits.goneMs;
    return { lists: heard?.message?.electorates ?? null, isGone };
  }

  #hasMet(nowMs: number): boolean {
    if (nowMs - this.#startMs >= this.#limits.introductionMs) return true;
    return (
      this.#members !== null && this.others.every(({ name, terminating }) => terminating || this.#owners.has(name))
    );
  }

  #tryAdmission(nowMs: number): void {
    const ageMs = nowMs - this.#startMs;
    if (this.#members === null || ageMs < this.#limits.waitMs) return;
    const met = this.others.map(({ name }) => this.#heard.get(name)).filter((heard) => this.#isFresh(heard, nowMs));
    const elders = met.filter((heard) => heard?.message?.admitted === true);
    if (elders.length === 0 && met.length < this.others.length && ageMs < this.#limits.admissionMs) return;
    for (const elder of elders) this.#electorates.inherit(elder?.message?.electorates ?? []);
    this.#isAdmitted = true;
    this.#views.admit(nowMs);
  }

  #isFresh(heard: Heard | undefined, nowMs: number): boolean {
    return heard !== undefined && heard.message !== null && this.#silenceOf(heard, nowMs) < this.#limits.silenceMs;
  }
}
