import type { LinkError } from '../link/link.ts';
import type { Epochs } from './epochs.ts';
import type { Ownership } from './ownership.ts';
import type { PodLink } from './pod-link.ts';

/** A round that is refused as too old is tried again with a higher epoch, so many times in all. */
const MAX_ROUNDS = 5;

/** One term of one function. */
interface Term {
  readonly number: number;
  /** Of this term's fences, adoptions and claims; rises only while they go out. */
  epoch: number;
  isOpen: boolean;
  rounds: number;
  /** Pods that have not answered. */
  readonly waiting: Set<PodLink>;
  /** Pods whose first dial is under way: an earlier owner may have claimed them without a word to the cluster so far. */
  readonly dialled: Set<PodLink>;
  cancelTimer: () => void;
}

/** What terms need of dispatch. */
export interface TermsOwner {
  /** Every pod that is known. */
  pods(): Iterable<PodLink>;
  /** A generic pod of that pool may be claimed for the function. */
  mayServe(pool: string, functionKey: string): boolean;
  /** The pod's claim is for that function. Null claims are for none. */
  isOf(pod: PodLink, functionKey: string): boolean;
  /** Adopts a linked pod of the function with the term's epoch. Whether an answer will come. */
  takeOver(pod: PodLink): boolean;
  /** The pod is dialled for the first time: nobody knows what it is. */
  isComing(pod: PodLink): boolean;
  /** The pod is of the function but out of reach: what may run there counts. */
  countLost(pod: PodLink): void;
  /** The function may be dispatched from now on, or not any more. */
  changed(functionKey: string): void;
}

/** Time, as terms need it. */
export interface TermsClock {
  after(delayMs: number, call: () => void): () => void;
  soon(call: () => void): void;
}

/*
 * The terms of functions with reserved concurrency, as far as this gateway uses them.
 *
 *   none     nothing was asked, or the ring gives no term     asked, and there is a term: -> fencing, after this turn
 *   fencing  FENCE to every linked pod that is generic and    all have answered, or fenceMs is over: -> open
 *            ADOPT to every pod of the function is out, or a   a higher epoch was seen: once more with a higher one
 *            pod is dialled for the first time; requests wait  the ring's number changes: -> none
 *   open     dispatches                                       the ring's number changes: -> none, at once
 *                                                             a higher epoch was seen: -> fencing
 *
 * Everything that is sent for the function in a term (fences, adoptions, claims) has the term's one epoch, and pods remember the
 * highest: so when the next owner's round is answered, whatever this one has still on its way is refused. What the round could not
 * reach counts as running while it may run.
 */
export class Terms {
  readonly #ownership: Ownership;
  readonly #epochs: Epochs;
  readonly #clock: TermsClock;
  readonly #owner: TermsOwner;
  readonly #fenceMs: number;
  readonly #terms = new Map<string, Term>();
  /** Functions whose term begins after this turn. */
  readonly #due = new Set<string>();

  constructor(ownership: Ownership, epochs: Epochs, clock: TermsClock, owner: TermsOwner, fenceMs: number) {
    this.#ownership = ownership;
    this.#epochs = epochs;
    this.#clock = clock;
    this.#owner = owner;
    this.#fenceMs = fenceMs;
  }

  hasTerm(functionKey: string): boolean {
    return this.#ownership.term(functionKey) !== null;
  }

  /** The function may be dispatched at this very moment. When a term has not begun here, it does soon. */
  isOpen(functionKey: string): boolean {
    const number = this.#ownership.term(functionKey);
    if (number === null) return false;
    const term = this.#terms.get(functionKey);
    if (term?.number === number) return term.isOpen;
    this.beginSoon(functionKey);
    return false;
  }

  /** Epoch of the present term; null = it has not begun here. */
  epochOf(functionKey: string): number | null {
    const term = this.#live(functionKey);
    return term === undefined ? null : term.epoch;
  }

  /** Begins the function's term after this turn, if there is one that has not begun. */
  beginSoon(functionKey: string): void {
    if (this.#due.has(functionKey)) return;
    this.#due.add(functionKey);
    this.#clock.soon(() => {
      this.#due.delete(functionKey);
      this.#begin(functionKey);
    });
  }

  /** The pod was asked to become this gateway's with the term's epoch. */
  await(functionKey: string, pod: PodLink): void {
    this.#live(functionKey)?.waiting.add(pod);
  }

  /** It has answered, or is lost. With StaleEpoch everybody is asked again. */
  answered(functionKey: string, pod: PodLink, refusal: LinkError | null): void {
    const term = this.#live(functionKey);
    if (term === undefined) return;
    term.waiting.delete(pod);
    if (refusal?.code === 'StaleEpoch' && term.rounds < MAX_ROUNDS) this.#round(functionKey, term);
    else this.#openIfAnswered(functionKey, term);
  }

  /** The first dial of a pod is over: what came of it was said before (`greet`, `await`), or it cannot be reached. */
  dialEnded(pod: PodLink): void {
    for (const [functionKey, term] of this.#terms) {
      if (term.dialled.delete(pod)) this.#openIfAnswered(functionKey, term);
    }
  }

  /** A generic pod was linked: no earlier owner may claim it for a function that is this gateway's now. */
  greet(pod: PodLink): void {
    for (const [functionKey, term] of this.#terms) {
      if (this.#ownership.term(functionKey) === term.number && this.#owner.mayServe(pod.pool, functionKey))
        this.#fence(functionKey, term, pod);
    }
  }

  /** The ring has changed: ends terms that are over; those that have been renewed begin again. Cheap when there is nothing. */
  refresh(): void {
    for (const [functionKey, term] of this.#terms) {
      if (this.#ownership.term(functionKey) === term.number) continue;
      this.#end(functionKey, term);
      this.beginSoon(functionKey);
      this.#owner.changed(functionKey);
    }
  }

  /** Forgets functions that are not in use; the next request begins their term anew. */
  prune(isInUse: (functionKey: string) => boolean): void {
    for (const [functionKey, term] of this.#terms) if (!isInUse(functionKey)) this.#end(functionKey, term);
  }

  #live(functionKey: string): Term | undefined {
    const term = this.#terms.get(functionKey);
    return term?.number === this.#ownership.term(functionKey) ? term : undefined;
  }

  #begin(functionKey: string): void {
    const number = this.#ownership.term(functionKey);
    const before = this.#terms.get(functionKey);
    if (number === null || before?.number === number) return;
    if (before !== undefined) this.#end(functionKey, before);
    const term: Term = {
      number,
      epoch: 0,
      isOpen: false,
      rounds: 0,
      waiting: new Set(),
      dialled: new Set(),
      cancelTimer: () => {},
    };
    this.#terms.set(functionKey, term);
    this.#round(functionKey, term);
  }

  #end(functionKey: string, term: Term): void {
    term.cancelTimer();
    this.#terms.delete(functionKey);
  }

  #round(functionKey: string, term: Term): void {
    term.epoch = this.#epochs.next();
    term.rounds += 1;
    term.isOpen = false;
    term.waiting.clear();
    term.cancelTimer();
    term.cancelTimer = this.#clock.after(this.#fenceMs, () => this.#open(functionKey, term));
    for (const pod of this.#owner.pods()) {
      const mayBeOf = pod.claim === null && this.#owner.mayServe(pod.pool, functionKey);
      if (mayBeOf && this.#owner.isComing(pod)) term.dialled.add(pod);
      if (this.#owner.isOf(pod, functionKey)) this.#takeOver(term, pod);
      else if (mayBeOf) this.#fence(functionKey, term, pod);
    }
    this.#openIfAnswered(functionKey, term);
  }

  #takeOver(term: Term, pod: PodLink): void {
    if (!pod.isLinked) this.#owner.countLost(pod);
    else if (this.#owner.takeOver(pod)) term.waiting.add(pod);
  }

  #fence(functionKey: string, term: Term, pod: PodLink): void {
    const { epoch } = term;
    const ended = (refusal: LinkError | null) => {
      if (this.#terms.get(functionKey) !== term || term.epoch !== epoch) return;
      term.waiting.delete(pod);
      // It was claimed before the fence, and nobody has told yet.
      if (this.#owner.isOf(pod, functionKey)) this.#takeOver(term, pod);
      if (refusal?.code === 'StaleEpoch' && term.rounds < MAX_ROUNDS) this.#round(functionKey, term);
      else this.#openIfAnswered(functionKey, term);
    };
    if (pod.fence(functionKey, epoch, ended)) term.waiting.add(pod);
  }

  #openIfAnswered(functionKey: string, term: Term): void {
    if (term.waiting.size === 0 && term.dialled.size === 0) this.#open(functionKey, term);
  }

  #open(functionKey: string, term: Term): void {
    if (term.isOpen || this.#terms.get(functionKey) !== term) return;
    term.isOpen = true;
    term.rounds = 0;
    term.cancelTimer();
    this.#owner.changed(functionKey);
  }
}
