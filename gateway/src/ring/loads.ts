import type { DispatchLoad } from '../dispatch/types.ts';
import { type Heard, sumCounts } from './heard.ts';
import type { RingMessage } from './messages.ts';

/** Functions that run fewer invocations here are not told of. */
const HOT_MIN = 8;
/** Functions whose calls are told of; memory of the others stays bounded. */
const MAX_CALLED = 4096;

type Words = Pick<RingMessage, 'accounts' | 'hot'>;

/** What gateways tell each other of their work, on top of RINGs: figures that nobody relies on for more than a moment. */
export class Loads {
  readonly #speaking: () => readonly Heard[];
  #own: Words = { accounts: {}, hot: {} };
  /** Calls let in by account since the start, as last set, and as they were when a second was told of. */
  #letIn: ReadonlyMap<string, number> = new Map();
  #told: ReadonlyMap<string, number> = new Map();
  #second: Pick<RingMessage, 'second'> = {};
  /** Sums over the others; null = something new was heard. */
  #accounts: ReadonlyMap<string, number> | null = null;
  #accountCalls: ReadonlyMap<string, number> | null = null;
  #steady: ReadonlySet<string> | null = null;

  /** @param speaking gateways that are not silent */
  constructor(speaking: () => readonly Heard[]) {
    this.#speaking = speaking;
  }

  /** What this gateway tells from now on. */
  set({ accounts, calls, running }: DispatchLoad): void {
    this.#letIn = calls;
    this.#own = {
      accounts: Object.fromEntries(accounts),
      hot: Object.fromEntries([...running].filter(([, count]) => count >= HOT_MIN)),
    };
  }

  /**
   * Runs `say`, in which RINGs also tell of the last second. Not all do: the table may be long.
   *
   * @param elapsedMs since it was told of one before
   */
  withSecond(
    calls: ReadonlyMap<string, number>,
    steady: ReadonlySet<string>,
    elapsedMs: number,
    say: () => void,
  ): void {
    this.#second = {
      second: {
        calls: Object.fromEntries([...calls].slice(0, MAX_CALLED)),
        steady: [...steady].slice(0, MAX_CALLED),
        accountCalls: Object.fromEntries(this.#accountCallsIn(elapsedMs).slice(0, MAX_CALLED)),
      },
    };
    say();
    this.#second = {};
  }

  /** Its part of the next RING. */
  words(): Words & Pick<RingMessage, 'second'> {
    return { ...this.#own, ...this.#second };
  }

  /** Something new was heard, or somebody is not heard any more. @param isSecond ... of the last second, too */
  changed(isSecond = true): void {
    this.#accounts = null;
    if (!isSecond) return;
    this.#steady = null;
    this.#accountCalls = null;
  }

  /** Unanswered requests of an account at the other gateways, as last heard. */
  outstandingElsewhere(accountId: string): number {
    this.#accounts ??= sumCounts(this.#speaking().map(({ message }) => message?.accounts));
    return this.#accounts.get(accountId) ?? 0;
  }

  /** Calls of an account that the other gateways let in, in the second that each told of last. */
  accountCallsElsewhere(accountId: string): number {
    this.#accountCalls ??= sumCounts(this.#speaking().map(({ second }) => second?.accountCalls));
    return this.#accountCalls.get(accountId) ?? 0;
  }

  /** Invocations that run at other gateways, by function; small numbers are not told of. */
  runningElsewhere(): ReadonlyMap<string, number> {
    return sumCounts(this.#speaking().map(({ message }) => message?.hot));
  }

  /** Calls of the other gateways' callers in a second, by function. */
  callsElsewhere(): ReadonlyMap<string, number> {
    return sumCounts(this.#speaking().map(({ second }) => second?.calls));
  }

  /** Functions that another gateway finds to be called steadily; the same set until something new was heard. */
  steadyElsewhere(): ReadonlySet<string> {
    this.#steady ??= new Set(this.#speaking().flatMap(({ second }) => second?.steady ?? []));
    return this.#steady;
  }

  /** Of this gateway, in a second, by account; those without any are left out. */
  #accountCallsIn(elapsedMs: number): [accountId: string, calls: number][] {
    const before = this.#told;
    this.#told = this.#letIn;
    return [...this.#letIn]
      .map(([id, count]): [string, number] => [id, Math.round(((count - (before.get(id) ?? 0)) * 1000) / elapsedMs)])
      .filter(([, calls]) => calls > 0);
  }
}
