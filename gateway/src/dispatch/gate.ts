import { TooManyRequests } from '../errors.ts';
import type { Census } from './census.ts';
import type { DispatchLimits } from './limits.ts';
import { NoIdleSlot, NotOwner } from './ownership.ts';
import { planAdmission } from './plan.ts';
import type { CoreRules } from './rules.ts';
import type { CorePod, CoreRequest } from './slot.ts';
import type { FunctionState, VersionState } from './version-state.ts';

/** What may come in, and what may run at this moment: limits of this gateway and rules among gateways. Changes nothing. */
export class Gate<P extends CorePod, R extends CoreRequest> {
  readonly #limits: DispatchLimits;
  readonly #rules: CoreRules;
  readonly #census: Census<P, R>;

  constructor(limits: DispatchLimits, rules: CoreRules, census: Census<P, R>) {
    this.#limits = limits;
    this.#rules = rules;
    this.#census = census;
  }

  /** @throws TooManyRequests, NoIdleSlot, NotOwner */
  admit(version: VersionState<P, R>, request: R, onlyIdle: boolean): void {
    const { owner } = version;
    if (this.isUnowned(owner)) throw new NotOwner(owner.key);
    if (onlyIdle && (version.idle.wellCount === 0 || !this.hasRoom(version))) throw new NoIdleSlot(owner.key);
    const seen = {
      cap: owner.cap,
      functionOutstanding: owner.outstanding,
      accountOutstanding:
        owner.account.outstanding + (owner.cap === null ? this.#rules.outstandingElsewhere(owner.account.id) : 0),
      accountReserved: owner.account.reserved,
    };
    const reason = planAdmission(seen, this.#limits);
    if (reason !== null) throw new TooManyRequests(reason);
    if (version.idle.length === 0) this.#admitToQueue(version, request);
  }

  /** One more slot of the function may run. */
  hasRoom({ owner }: VersionState<P, R>): boolean {
    return owner.cap === null || (owner.running < owner.cap && this.#rules.mayRun(owner.key));
  }

  /** The function may be dispatched at all. */
  mayRun({ cap, key }: FunctionState<P, R>): boolean {
    return cap === null || this.#rules.mayRun(key);
  }

  /** Another gateway may be the one to ask. A cap of 0 throttles wherever it is asked. */
  isUnowned({ cap, key }: FunctionState<P, R>): boolean {
    return cap !== null && cap > 0 && !this.#rules.hasTerm(key);
  }

  /** One of several owners of the function, under no cap. */
  isShared({ owner, target }: VersionState<P, R>): boolean {
    return owner.cap === null && this.#rules.isShared(target);
  }

  /** Slots that must exist even without demand; 0 for a version that is not current, or is another gateway's to provide. */
  provisioned({ isCurrent, target }: VersionState<P, R>): number {
    if (!isCurrent || target.provisionedConcurrency === 0 || !this.#rules.isProvisioner(target)) return 0;
    return target.provisionedConcurrency;
  }

  #admitToQueue(version: VersionState<P, R>, request: R): void {
    const { maxQueued, maxQueuedBytes, maxTotalQueuedBytes } = this.#limits;
    const { queuedCount, queuedBytes } = this.#census;
    const isQueueFull =
      version.queue.length > 0 &&
      (version.queue.length >= maxQueued || version.queuedBytes + request.bytes > maxQueuedBytes);
    const isMemoryFull = queuedCount > 0 && queuedBytes + request.bytes > maxTotalQueuedBytes;
    if (isQueueFull || isMemoryFull)
      throw new TooManyRequests(
        'ConcurrentInvocationLimitExceeded',
        'Rate Exceeded. Too many requests wait for a pod.',
      );
  }
}
