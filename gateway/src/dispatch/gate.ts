import { type ThrottleReason, TooManyRequests } from '../errors.ts';
import type { Census } from './census.ts';
import type { DispatchLimits } from './limits.ts';
import { NoIdleSlot, NotOwner } from './ownership.ts';
import { planAdmission } from './plan.ts';
import { RateLimit } from './rate-limit.ts';
import type { CoreRules } from './rules.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { AccountState, FunctionState, VersionState } from './version-state.ts';

/** One for all: of a busy function with several owners it ends every other ask, nobody sees it, and to make an error costs more than the ask. */
const noIdleSlot = new NoIdleSlot('the function');

/** What is not used of a rate of calls is saved up for so long. */
const CALLS_WINDOW_MS = 1_000;
/** Of an account's concurrency events of the queue take no more than this part: synchronous callers find some. */
const ASYNC_SHARE = 0.8;

/**
 * What may come in, and what may run at this moment: limits of this gateway and rules among gateways.
 *
 * Concurrency and calls in a second are limits of the function where it has reserved concurrency, else of the account. How fast a function
 * gets more pods is a limit of the function; it holds calls back only when no pod of it is idle.
 */
export class Gate<P extends CorePod, R extends CoreRequest> {
  readonly #limits: DispatchLimits;
  readonly #rules: CoreRules;
  readonly #census: Census<P, R>;
  readonly #nowMs: () => number;

  constructor(limits: DispatchLimits, rules: CoreRules, census: Census<P, R>, nowMs: () => number) {
    const minUnreservedConcurrency = Math.min(limits.minUnreservedConcurrency, limits.accountConcurrency);
    this.#limits = { ...limits, minUnreservedConcurrency };
    this.#rules = rules;
    this.#census = census;
    this.#nowMs = nowMs;
  }

  /** @throws TooManyRequests, NoIdleSlot, NotOwner; nothing is taken then */
  admit(version: VersionState<P, R>, request: R, onlyIdle: boolean): void {
    const { owner } = version;
    if (this.isUnowned(owner)) throw new NotOwner(owner.key);
    const { line } = owner; // who waits at a limit goes first
    if (onlyIdle && (line !== null || version.idle.wellCount === 0 || !this.hasRoom(version))) throw noIdleSlot;
    const isAsync = request.isAsync === true;
    const reason = line === null ? this.throttle(version, request.arrivedMs, isAsync) : line.reason;
    // Who asks for an idle pod does not wait, and was counted where it came in: it hears of the limit there.
    if (reason !== null) throw onlyIdle ? noIdleSlot : new TooManyRequests(reason);
    const { queuedCount, queuedBytes } = this.#census;
    const isMemoryFull = queuedCount > 0 && queuedBytes + request.bytes > this.#limits.maxTotalQueuedBytes;
    if (version.idle.length === 0 && (isMemoryFull || this.isQueueFull(version, request.bytes)))
      throw new TooManyRequests(
        'ConcurrentInvocationLimitExceeded',
        'Rate Exceeded. Too many requests wait for a pod.',
      );
    if (!isAsync) this.take(version, request.arrivedMs);
  }

  /** The limit that one more call is above; null = none. @param isAsync an event of the queue: the calls of a second do not matter to it */
  throttle(version: VersionState<P, R>, nowMs: number, isAsync = false): ThrottleReason | null {
    const { owner } = version;
    const isCapped = owner.cap !== null;
    const seen = {
      cap: owner.cap,
      functionOutstanding: owner.outstanding,
      accountOutstanding:
        owner.account.outstanding + (isCapped ? 0 : this.#rules.outstandingElsewhere(owner.account.id)),
      accountReserved: owner.account.reserved,
    };
    const reason = planAdmission(seen, this.#limits);
    if (reason !== null) return reason;
    if (isAsync && !isCapped && seen.accountOutstanding >= this.#asyncShare(owner.account))
      return 'ConcurrentInvocationLimitExceeded';
    if (!isAsync && this.#callsOf(owner).isSpent(nowMs))
      return isCapped ? 'ReservedFunctionInvocationRateLimitExceeded' : 'CallerRateLimitExceeded';
    const isHeldBack = version.idle.length === 0 && owner.scaleOut?.isSpent(nowMs) === true;
    return isHeldBack ? 'FunctionInvocationRateLimitExceeded' : null;
  }

  /** As many requests of the version wait for a pod as may. */
  isQueueFull({ queue, queuedBytes }: VersionState<P, R>, bytes: number): boolean {
    const { maxQueued, maxQueuedBytes } = this.#limits;
    return queue.length > 0 && (queue.length >= maxQueued || queuedBytes + bytes > maxQueuedBytes);
  }

  /** One call that `throttle` has nothing against comes in. */
  take({ owner }: VersionState<P, R>, nowMs: number): void {
    this.#callsOf(owner).take(nowMs);
  }

  /** One more slot of the function may run. */
  hasRoom({ owner }: VersionState<P, R>): boolean {
    return owner.cap === null || (owner.running < owner.cap && this.#rules.mayRun(owner.key));
  }

  /** One more pod may be claimed for the function, its cap apart. */
  mayClaim({ cap, key, scaleOut }: FunctionState<P, R>): boolean {
    return (cap === null || this.#rules.mayRun(key)) && scaleOut?.isSpent(this.#nowMs()) !== true;
  }

  /** A pod was claimed for it. */
  claimed({ owner, target }: VersionState<P, R>): void {
    const { scaleOutMs, scaleOutPods } = this.#limits;
    const perSecond = (1000 * scaleOutPods) / scaleOutMs / this.#rules.ownerCount(target);
    owner.scaleOut ??= new RateLimit(scaleOutMs, perSecond);
    owner.scaleOut.perSecond = perSecond;
    owner.scaleOut.take(this.#nowMs());
  }

  /** Another gateway may be the one to ask. A cap of 0 throttles wherever it is asked. */
  isUnowned({ cap, key }: FunctionState<P, R>): boolean {
    return cap !== null && cap > 0 && !this.#rules.hasTerm(key);
  }

  /** One of several owners of the function, under no cap. */
  isShared({ owner, target }: VersionState<P, R>): boolean {
    return owner.cap === null && this.#rules.isShared(target);
  }

  /** Pools get new pods for those that are claimed; else what they have must do. */
  arePodsReplaced(): boolean {
    return this.#rules.arePodsReplaced();
  }

  /** Slots that must exist even without demand; 0 for a version that is not current, or is another gateway's to provide. */
  provisioned({ isCurrent, target }: VersionState<P, R>): number {
    if (!isCurrent || target.provisionedConcurrency === 0 || !this.#rules.isProvisioner(target)) return 0;
    return target.provisionedConcurrency;
  }

  /** Concurrency that an account's functions without a reserve have together. */
  unreserved({ reserved }: AccountState): number {
    const { accountConcurrency, minUnreservedConcurrency } = this.#limits;
    return Math.max(minUnreservedConcurrency, accountConcurrency - reserved);
  }

  /** Of that, what nobody uses. */
  unreservedLeft(account: AccountState): number {
    const used = account.outstanding + this.#rules.outstandingElsewhere(account.id);
    return Math.max(0, this.unreserved(account) - used);
  }

  /** To be called at each tick: what this gateway may have of the calls of each account follows what the others let in. */
  share(): void {
    for (const account of this.#census.accounts())
      if (account.calls !== null) account.calls.perSecond = this.#accountCalls(account);
  }

  #asyncShare(account: AccountState): number {
    return Math.max(1, Math.floor(ASYNC_SHARE * this.unreserved(account)));
  }

  #callsOf(owner: FunctionState<P, R>): RateLimit {
    const { cap, account } = owner;
    if (cap === null) {
      account.calls ??= new RateLimit(CALLS_WINDOW_MS, this.#accountCalls(account));
      return account.calls;
    }
    owner.calls ??= new RateLimit(CALLS_WINDOW_MS, this.#perSecond(cap));
    return owner.calls;
  }

  /**
   * Calls in a second of an account at this gateway: what the others leave, and never less than an equal part.
   *
   * Worked: 900 for the account, three gateways; the others take 100 and 300: 500. They take 400 each: 300.
   */
  #accountCalls(account: AccountState): number {
    const all = this.#perSecond(this.unreserved(account));
    if (all === Number.POSITIVE_INFINITY) return all;
    return Math.max(all / this.#rules.gatewayCount(), all - this.#rules.callsElsewhere(account.id));
  }

  #perSecond(concurrency: number): number {
    const { callsPerConcurrency } = this.#limits;
    return callsPerConcurrency === 0 ? Number.POSITIVE_INFINITY : concurrency * callsPerConcurrency;
  }
}
