import { type LambdaError, RequestAbandoned, type ThrottleReason, TooManyRequests } from '../errors.ts';
import type { Census } from './census.ts';
import type { CoreEffects } from './effects.ts';
import { Fifo } from './fifo.ts';
import type { Gate } from './gate.ts';
import type { DispatchLimits } from './limits.ts';
import { NotOwner } from './ownership.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { AccountState, FunctionState, VersionState } from './version-state.ts';

interface Waiter<P extends CorePod, R extends CoreRequest> {
  readonly version: VersionState<P, R>;
  readonly request: R;
  readonly sinceMs: number;
}

/** Who waits at a limit, of one function; never empty. */
export interface Line<P extends CorePod, R extends CoreRequest> {
  /** All its versions, in the order of arrival. */
  readonly waiters: Fifo<Waiter<P, R>>;
  /** Of their events. */
  bytes: number;
  /** The limit that the first one was above when it was looked at last. */
  reason: ThrottleReason;
}

/** What became of the first one of a line: `waits` says nothing about other functions. */
type Outcome = 'let in' | 'waits' | 'account is full';

/** What {@link LimitQueue} works with. */
export interface LimitQueueParts<P extends CorePod, R extends CoreRequest> {
  readonly census: Census<P, R>;
  readonly gate: Pick<Gate<P, R>, 'throttle' | 'isQueueFull' | 'take' | 'isUnowned'>;
  readonly effects: Pick<CoreEffects<P, R>, 'fail'>;
  readonly limits: Pick<
    DispatchLimits,
    'maxQueuedBytes' | 'maxTotalQueuedBytes' | 'maxLinedBytes' | 'maxAccountLinedBytes'
  >;
  readonly nowMs: () => number;
}

/**
 * Requests above a limit, of functions that say `onLimit: Queue`. They wait before the gate, not behind it: who waits here takes no
 * concurrency of the function or the account, whatever the limit is that it waits for. What always holds:
 *
 *  1. Requests of a function are let in in the order of their arrival; functions of one account, which wait for the same, take turns. A turn costs
 *     the same however many wait: what is full for one of them is full for all, and who waits for something of its own is left out until the tick.
 *  2. While one waits, no later one of its function gets past it.
 *  3. Nobody waits for longer than the function says (and a tick), and no more at a time, nor more bytes of a function, of an account or of all.
 *     Then it is what it would have been without a queue: a 429 with the reason of the limit.
 *  4. A function with no concurrency at all (0 reserved) has no queue: there is nothing to wait for.
 *
 * Whoever settles a request makes room for the next one at once; what time or other gateways make is seen at the next tick.
 */
export class LimitQueue<P extends CorePod, R extends CoreRequest> {
  readonly #parts: LimitQueueParts<P, R>;
  readonly #letIn: (version: VersionState<P, R>, request: R) => void;
  /** Functions with a line. */
  readonly #owners = new Set<FunctionState<P, R>>();
  /** Of those the ones that wait for their account, in turn. Without a cap each is here, or is again from the next tick on; others may be. */
  readonly #turns = new Map<AccountState, Set<FunctionState<P, R>>>();

  /** @param letIn a request that no limit is against any more goes on as if it had just arrived */
  constructor(parts: LimitQueueParts<P, R>, letIn: (version: VersionState<P, R>, request: R) => void) {
    this.#parts = parts;
    this.#letIn = letIn;
  }

  /** Whether a request that the gate has refused with `error` waits from now on. */
  takes(version: VersionState<P, R>, request: R, error: unknown): boolean {
    const { owner, target } = version;
    const { limitQueue } = target;
    if (limitQueue === undefined || owner.cap === 0 || !(error instanceof TooManyRequests)) return false;
    if (request.isAsync === true) return false;
    const { census } = this.#parts;
    if (!this.#hasMemory(owner.account, request.bytes)) return false;
    const line = owner.line ?? this.#open(owner, error.throttle);
    const isFull =
      line.waiters.length >= limitQueue.maxCount ||
      (line.waiters.length > 0 && line.bytes + request.bytes > this.#parts.limits.maxQueuedBytes);
    if (isFull) return false;
    line.waiters.push({ version, request, sinceMs: this.#parts.nowMs() });
    line.bytes += request.bytes;
    census.lined(version, request);
    return true;
  }

  /** A request of that function was settled; to be called when its account has a line. */
  settled(owner: FunctionState<P, R>): void {
    if (owner.cap !== null) this.#letInAll(owner);
    else {
      if (owner.line !== null) this.#takesTurns(owner);
      this.#takeTurns(owner.account);
    }
  }

  /** To be called at each tick. */
  tick(): void {
    for (const owner of [...this.#owners]) {
      if (this.#parts.gate.isUnowned(owner)) this.#endLine(owner, new NotOwner(owner.key));
      else this.#endOld(owner);
      if (owner.line === null) continue;
      if (owner.cap === null) this.#takesTurns(owner);
      else this.#letInAll(owner);
    }
    for (const account of [...this.#turns.keys()]) this.#takeTurns(account);
  }

  /** The function belongs to other gateways now: those who wait go there. */
  handBack(owner: FunctionState<P, R>): void {
    this.#endLine(owner, new NotOwner(owner.key));
  }

  /** Nobody waits any more. */
  end(error: LambdaError): void {
    for (const owner of [...this.#owners]) this.#endLine(owner, error);
  }

  /** One request more does not make events that wait at limits too many. */
  #hasMemory({ linedBytes }: AccountState, bytes: number): boolean {
    const { census, limits } = this.#parts;
    return (
      (linedBytes === 0 || linedBytes + bytes <= limits.maxAccountLinedBytes) &&
      (census.linedBytes === 0 || census.linedBytes + bytes <= limits.maxLinedBytes) &&
      (census.queuedCount === 0 || census.queuedBytes + bytes <= limits.maxTotalQueuedBytes)
    );
  }

  /** One of each function, again and again, until the account lets no other one in. */
  #takeTurns(account: AccountState): void {
    const owners = this.#turns.get(account);
    if (owners === undefined) return;
    for (const owner of owners) {
      const outcome = owner.cap === null ? this.#letInNext(owner) : 'waits';
      if (outcome === 'account is full') return;
      owners.delete(owner);
      if (outcome === 'let in' && owner.line !== null) owners.add(owner); // its turn comes again after the others'
    }
    if (owners.size === 0 && this.#turns.get(account) === owners) this.#turns.delete(account);
  }

  #takesTurns(owner: FunctionState<P, R>): void {
    const owners = this.#turns.get(owner.account);
    if (owners === undefined) this.#turns.set(owner.account, new Set([owner]));
    else owners.add(owner);
  }

  #letInAll(owner: FunctionState<P, R>): void {
    while (this.#letInNext(owner) === 'let in');
  }

  #letInNext(owner: FunctionState<P, R>): Outcome {
    const { gate, nowMs } = this.#parts;
    const { line } = owner;
    const first = line?.waiters.peek();
    if (line === null || first === undefined || gate.isUnowned(owner)) return 'waits';
    const { version, request } = first;
    if (version.idle.length === 0 && gate.isQueueFull(version, request.bytes)) return 'waits';
    const now = nowMs();
    const isAbandoned = request.isAbandoned();
    const reason = isAbandoned ? null : gate.throttle(version, now);
    if (reason !== null) {
      line.reason = reason;
      return owner.cap === null && reason !== 'FunctionInvocationRateLimitExceeded' ? 'account is full' : 'waits';
    }
    line.waiters.shift();
    this.#left(line, first);
    if (isAbandoned) this.#parts.effects.fail(request, new RequestAbandoned());
    else {
      request.arrivedMs = now;
      gate.take(version, now);
      this.#letIn(version, request);
    }
    this.#closeIfEmpty(owner, line);
    return 'let in';
  }

  /** Ends those who have waited for too long, and those that nobody waits for. */
  #endOld(owner: FunctionState<P, R>): void {
    const { line } = owner;
    if (line === null) return;
    const now = this.#parts.nowMs();
    for (let left = line.waiters.length; left > 0; left -= 1) {
      const waiter = line.waiters.shift();
      if (waiter === undefined) break;
      const error = this.#endOf(waiter, line.reason, now);
      if (error === null) {
        line.waiters.push(waiter);
        continue;
      }
      this.#left(line, waiter);
      this.#parts.effects.fail(waiter.request, error);
    }
    this.#closeIfEmpty(owner, line);
  }

  #endOf({ request, version, sinceMs }: Waiter<P, R>, reason: ThrottleReason, nowMs: number): LambdaError | null {
    if (request.isAbandoned()) return new RequestAbandoned();
    if (version.owner.cap === 0) return new TooManyRequests('ReservedFunctionConcurrentInvocationLimitExceeded'); // switched off
    const maxWaitMs = version.target.limitQueue?.maxWaitMs ?? 0; // calls may have ceased to wait meanwhile
    return nowMs - sinceMs >= maxWaitMs ? new TooManyRequests(reason) : null;
  }

  #endLine(owner: FunctionState<P, R>, error: LambdaError | NotOwner): void {
    const { line } = owner;
    if (line === null) return;
    for (let waiter = line.waiters.shift(); waiter !== undefined; waiter = line.waiters.shift()) {
      this.#left(line, waiter);
      this.#parts.effects.fail(waiter.request, error);
    }
    this.#closeIfEmpty(owner, line);
  }

  #left(line: Line<P, R>, { version, request }: Waiter<P, R>): void {
    line.bytes -= request.bytes;
    this.#parts.census.unlined(version, request);
  }

  #open(owner: FunctionState<P, R>, reason: ThrottleReason): Line<P, R> {
    const line: Line<P, R> = { waiters: new Fifo(), bytes: 0, reason };
    owner.line = line;
    owner.account.lines += 1;
    this.#owners.add(owner);
    if (owner.cap === null) this.#takesTurns(owner);
    return line;
  }

  #closeIfEmpty(owner: FunctionState<P, R>, line: Line<P, R>): void {
    if (line.waiters.length > 0) return;
    owner.line = null;
    const { account } = owner;
    account.lines -= 1;
    this.#owners.delete(owner);
    const owners = this.#turns.get(account);
    owners?.delete(owner);
    if (owners?.size === 0) this.#turns.delete(account);
    for (const version of [...owner.versions]) this.#parts.census.forgetIfUnused(version);
  }
}
