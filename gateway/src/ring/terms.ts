import { type Electorate, hasMajority } from './electorate.ts';
import { nameOf, type Ranking } from './rendezvous.ts';

/** What a voter says in an answer to a RING. */
export interface Vote {
  /** Ids; see Views. */
  readonly views: readonly (readonly string[])[];
  readonly electorates: readonly Electorate[];
}

interface Grant extends Vote {
  /** Compares with another one's content. */
  readonly text: string;
  /** It counts until then. */
  untilMs: number;
}

interface Entry {
  /** null = not held when looked at last. */
  number: number | null;
  /** State of the votes that `number: null` was found with. */
  version: number;
}

/** Keys that are remembered; a forgotten one only begins a new term. */
const MAX_ENTRIES = 20_000;

/**
 * Which functions' terms this gateway holds. Pure: time is handed in.
 *
 * It holds f's term while voters that are a majority of every electorate in question have voted for it as f's first owner, each vote being
 * younger than `grantMs` by this gateway's own clock, counted from when it sent the RING that was answered. Its own vote is always fresh.
 *
 *   what happens                                   | held terms                      | others
 *   the same vote again, in time                   | go on; nothing is computed      |
 *   a vote with another content, own views change  | looked at again now: kept, or lost | looked at when asked
 *   a vote has run out (found by `settle`)         | looked at again now             |
 *   asked, and now held                            |                                 | a new number
 *
 * A held term is looked at again at every change, so one number means: held without a break. `settle` comes first in every call, so after a pause
 * of this process what has run out is gone before anything is answered.
 */
export class Terms {
  readonly #self: string;
  readonly #ranking: Ranking;
  /** By name of the voter. */
  readonly #grants = new Map<string, Grant>();
  readonly #entries = new Map<string, Entry>();
  /** This gateway's own vote; null = it may hold nothing. */
  #own: Vote | null = null;
  #version = 0;
  #numbers = 0;
  #heldCount = 0;
  /** The first grant runs out then. */
  #nextLapseMs = Number.POSITIVE_INFINITY;

  /** @param self own gatewayId */
  constructor(self: string, ranking: Ranking) {
    this.#self = self;
    this.#ranking = ranking;
  }

  /** Terms that were held when looked at last. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Changes whenever a term may have been lost or may be had. */
  get version(): number {
    return this.#version;
  }

  /** Names that votes speak of. */
  namesInUse(): readonly string[] {
    return [...this.#grants.values(), ...(this.#own === null ? [] : [this.#own])].flatMap(({ views }) =>
      views.flat().map(nameOf),
    );
  }

  /** The own vote from now on; null = hold nothing (leaving, not a member). Returns whether a term was lost. */
  setOwn(vote: Vote | null, nowMs: number): boolean {
    const wasLost = this.settle(nowMs);
    if (vote === this.#own || (vote !== null && this.#own !== null && textOf(vote) === textOf(this.#own)))
      return wasLost;
    this.#own = vote;
    return this.#changed() || wasLost;
  }

  /** A vote came in. Returns whether a term was lost. */
  vote(name: string, vote: Vote, untilMs: number, nowMs: number): boolean {
    const wasLost = this.settle(nowMs);
    if (nowMs >= untilMs) return wasLost;
    const text = textOf(vote);
    const known = this.#grants.get(name);
    if (known?.text === text) {
      known.untilMs = Math.max(known.untilMs, untilMs);
      this.#plan();
      return wasLost;
    }
    this.#ranking.add(vote.views.flat().map(nameOf));
    this.#grants.set(name, { ...vote, text, untilMs });
    this.#plan();
    return this.#changed() || wasLost;
  }

  /** Lets what has run out go. Returns whether a term was lost. */
  settle(nowMs: number): boolean {
    if (nowMs < this.#nextLapseMs) return false;
    for (const [name, { untilMs }] of this.#grants) if (nowMs >= untilMs) this.#grants.delete(name);
    this.#plan();
    return this.#changed();
  }

  /** Number of the present term of a function, or null. Cheap when asked before. */
  number(key: string, nowMs: number): number | null {
    if (nowMs >= this.#nextLapseMs) this.settle(nowMs);
    const entry = this.#entries.get(key);
    if (entry !== undefined && (entry.number !== null || entry.version === this.#version)) return entry.number;
    const number = this.#isHeld(key) ? this.#newNumber() : null;
    this.#remember(key, { number, version: this.#version });
    return number;
  }

  #newNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  #remember(key: string, entry: Entry): void {
    if (this.#entries.size >= MAX_ENTRIES && !this.#entries.has(key)) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#forget(oldest.value);
    }
    if (entry.number !== null) this.#heldCount += 1;
    this.#entries.set(key, entry);
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.number !== null) this.#heldCount -= 1;
    this.#entries.delete(key);
  }

  #changed(): boolean {
    this.#version += 1;
    let isLost = false;
    for (const [key, entry] of this.#entries) {
      if (entry.number === null || this.#isHeld(key)) continue;
      entry.number = null;
      entry.version = this.#version;
      this.#heldCount -= 1;
      isLost = true;
    }
    return isLost;
  }

  #plan(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#grants.values()) next = Math.min(next, untilMs);
    this.#nextLapseMs = next;
  }

  #isHeld(key: string): boolean {
    const own = this.#own;
    if (own === null) return false;
    const order = this.#ranking.of(key);
    const isForMe = ({ views }: Vote): boolean => views.every((view) => this.#isFirst(order, view));
    if (!isForMe(own)) return false;
    const votes = new Map([...this.#grants].filter(([, grant]) => isForMe(grant)));
    votes.delete(nameOf(this.#self));
    return this.#isEnough(own, votes);
  }

  /** Any of the votes may be left out: one that asks for majorities that are not there must not spoil those of the others. */
  #isEnough(own: Vote, votes: Map<string, Vote>): boolean {
    for (;;) {
      const voters = new Set([nameOf(this.#self), ...votes.keys()]);
      const lacks = ({ electorates }: Vote): boolean => !electorates.every((each) => hasMajority(each, voters));
      if (lacks(own)) return false;
      const spoilers = [...votes].filter(([, vote]) => lacks(vote));
      if (spoilers.length === 0) return true;
      for (const [name] of spoilers) votes.delete(name);
    }
  }

  /** Whether this life is the first of `view` in `order`. An empty view has no first. */
  #isFirst(order: readonly string[], view: readonly string[]): boolean {
    for (const name of order) {
      const id = view.find((each) => nameOf(each) === name);
      if (id !== undefined) return id === this.#self;
    }
    return false;
  }
}

function textOf({ views, electorates }: Vote): string {
  return JSON.stringify([views, electorates]);
}
