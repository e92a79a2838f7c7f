import { type LambdaError, ServiceException } from '../errors.ts';
import { Arrivals } from './arrivals.ts';
import { Census } from './census.ts';
import { Claims, type CoreClock } from './claims.ts';
import type { CoreEffects, Loss } from './effects.ts';
import { Failures, type InitError } from './failures.ts';
import { Gate } from './gate.ts';
import { LimitQueue } from './limit-queue.ts';
import type { DispatchLimits } from './limits.ts';
import { confirmAll, dropAll, loseAll } from './mates.ts';
import { type NearOwner, NearPods } from './near-pods.ts';
import { Pauses } from './pauses.ts';
import { patienceMs } from './plan.ts';
import { isProvisioning } from './provisioned.ts';
import { type CoreRules, noRules } from './rules.ts';
import { type CorePod, type CoreRequest, runningIn, type Slot, slotsOfPod } from './slot.ts';
import { SlotMaker } from './slot-maker.ts';
import type { Target } from './types.ts';
import type { VersionState } from './version-state.ts';
import { Waiting } from './waiting.ts';

/**
 * Decides where every request runs. Knows nothing of sockets, the cluster or wall-clock time: what happened comes in as a method call,
 * what has to be done goes out through the effects.
 *
 * A request enters by `arrive` and then either runs at once on an idle slot, or is sent along with the claim of a generic pod, or waits
 * in its version's queue for the first of: a slot that becomes free, a generic pod, the end of its budget. What holds after each method:
 *
 *  1. No request waits while a slot of its version is idle (unless the function's cap, or want of a term, forbids one more to run).
 *  2. Running slots of a function never exceed its reserved concurrency, but for those that it finds already running. None is
 *     started without a term; one whose pod is out of reach counts on as long as it may run.
 *  3. Requests of one version start in the order of their arrival; versions of one pool take turns for generic pods.
 *  4. A waiting request that no slot is coming for has been claimed for, or its pool was asked for a pod.
 *  5. Each request is settled once: `answered`, or the effect `fail`.
 */
export class DispatchCore<P extends CorePod, R extends CoreRequest> {
  readonly census: Census<P, R>;
  readonly claims: Claims<P, R>;
  /** To be told of each second. */
  readonly near: NearPods<P, R>;
  /** To be told of every dial. */
  readonly arrivals: Arrivals<P>;
  readonly #clock: CoreClock;
  readonly #effects: CoreEffects<P, R>;
  /** When this process did not run; to be told of each tick. */
  readonly pauses = new Pauses();
  /** What may come in and run. */
  readonly gate: Gate<P, R>;
  readonly #make: SlotMaker<P, R>;
  readonly #failures: Failures<P, R>;
  readonly #waiting: Waiting<P, R>;
  /** To be told of each tick. */
  readonly limitQueue: LimitQueue<P, R>;

  constructor(
    limits: DispatchLimits,
    clock: CoreClock,
    effects: CoreEffects<P, R>,
    place: { readonly zone: () => string; readonly rules?: CoreRules },
  ) {
    this.census = new Census(place.zone);
    this.gate = new Gate(limits, place.rules ?? noRules, this.census, clock.nowMs);
    this.#make = new SlotMaker(limits, clock.nowMs);
    this.#waiting = new Waiting(this.census, this.gate, effects, limits.maxAttempts);
    this.#failures = new Failures(limits, clock, effects);
    const parts = { census: this.census, gate: this.gate, effects, limits, nowMs: clock.nowMs };
    this.limitQueue = new LimitQueue(parts, (version, request) => void this.#enter(version, request));
    this.#clock = clock;
    this.#effects = effects;
    this.arrivals = new Arrivals(limits, clock, (uid) => {
      for (const version of this.census.select(uid)) this.advance(version);
    });
    const owner = {
      arrivals: this.arrivals,
      pauses: this.pauses,
      gate: this.gate,
      claim: (version: VersionState<P, R>, pod: P) => this.#claim(version, pod),
      dropAbandoned: (version: VersionState<P, R>) => this.#waiting.dropAbandoned(version),
      wantPods: (pool: string, count: number) => effects.wantPods(pool, count),
    };
    this.claims = new Claims(limits, clock, owner, place.zone);
    const spare: NearOwner<P, R> = { ...owner, takeSpare: (...where) => this.claims.takeSpare(...where) };
    this.near = new NearPods(limits, clock.nowMs, spare, place.zone);
  }

  /**
   * One more request.
   * @param isForwarded with `onlyIdle`: another gateway asks
   * @throws TooManyRequests, NoIdleSlot, NotOwner; the request is then as if it had never come
   */
  arrive(target: Target, request: R, onlyIdle = false, isForwarded = false): void {
    this.pauses.saw(this.#clock.nowMs());
    const version = this.census.version(target);
    try {
      this.gate.admit(version, request, onlyIdle);
    } catch (error) {
      if (onlyIdle) this.near.asked(version, version.idle.wellCount > 0, isForwarded); // above a limit more pods would not help
      if (this.limitQueue.takes(version, request, error)) return;
      this.census.forgetIfUnused(version);
      throw error;
    }
    if (this.#enter(version, request) && onlyIdle) this.near.asked(version, true, isForwarded);
  }

  /** SPECIALIZED is in. */
  confirmed(slot: Slot<P, R>): void {
    const { state, version } = slot;
    if (state !== 'Claiming' && state !== 'Starting') return;
    const nowMs = this.#clock.nowMs();
    this.pauses.saw(nowMs);
    const isLate = nowMs - Math.max(slot.claimedMs, this.pauses.wokeMs) > patienceMs(version.coldMs);
    if (isLate && !isProvisioning(state, version.target)) version.lateUntilMs = nowMs; // which answers after init
    const idle = confirmAll(this.census, slot, nowMs);
    if (state === 'Claiming') version.coldMs ||= Math.max(1, nowMs - slot.claimedMs); // init not included: better than to know nothing
    if (idle !== undefined) this.#settleIdle(idle);
  }

  /** The request of `slot` has its answer. */
  answered(slot: Slot<P, R>): void {
    const { version, request } = slot;
    const nowMs = this.#clock.nowMs();
    this.pauses.saw(nowMs);
    if (request !== null && request.startedMs >= this.pauses.wokeMs)
      version.took(request, nowMs, slot.state !== 'Starting');
    this.census.move(slot, 'answered');
    slot.request = null;
    this.census.left(version);
    if (version.owner.account.lines > 0) this.limitQueue.settled(version.owner);
  }

  /**
   * REPORT is in: the pod is free, or ends by itself when it is not `isReusable`.
   * @param initError what the function's init has answered, when it was that which failed
   * @param hasRun false = a time-out or the end of the runtime cut it short: the pod has to init again
   */
  reported(slot: Slot<P, R>, isReusable: boolean, initError: InitError | null = null, hasRun = true): void {
    const { version } = slot;
    if (isReusable) {
      if (hasRun) this.#failures.forgive(slot);
      this.census.move(slot, 'reported');
      this.#settleIdle(slot);
      return;
    }
    dropAll(this.census, slot);
    this.#failures.ended(slot, initError);
    const answer = slot.isProven ? null : this.#failures.answerOf(version);
    if (answer !== null) this.answerWaiting(version, (request) => this.#effects.answer(request, answer));
    this.#advanceFunction(version);
  }

  /** The pod of `slot` is lost, refuses the slot's request, is overdue, or cannot be claimed. */
  lost(slot: Slot<P, R>, loss: Loss): void {
    if (slot.state === 'Gone') return;
    const { version, request } = slot;
    const isOut = loss.isOutOfReach === true && version.owner.cap !== null;
    if (isOut && runningIn(slot.state) > 0) this.census.vanished(slot, this.#make.latestEndMs(version.target));
    loseAll(this.census, slot, loss);
    // Many pods lost at once are one event (a node, a zone), not many: only one claimed since then counts again.
    if (loss.isSuspicious && !slot.isProven && slot.claimedMs > version.failedMs) this.#failures.note(slot, null);
    if (request !== null) this.#waiting.retryOrFail(version, request, loss);
    this.#advanceFunction(version);
  }

  /**
   * A pod that is claimed already, by an earlier life of the gateway or another one, becomes a slot.
   * @param state Idle: it is this gateway's and free; Adopting: it will be, when the agent agrees; Foreign: something runs that
   *   does not answer here; Lost: it is out of reach, so something may run
   * @param foreign where it has several slots: how many of them are Foreign, `state` is that of the others
   * @returns the first of its slots
   */
  adopt(pod: P, target: Target, state: 'Idle' | 'Adopting' | 'Foreign' | 'Lost', foreign = 0): Slot<P, R> {
    const stateOf = (place: number): typeof state => (place < foreign ? 'Foreign' : state);
    const slot = this.#make.adopted(pod, this.census.version(target), stateOf(0));
    this.census.add(slot);
    for (const mate of this.#make.mates(slot, stateOf)) this.census.add(mate);
    const idle = slotsOfPod(slot).find((each) => each.state === 'Idle');
    if (idle !== undefined) this.#settleIdle(idle);
    return slot;
  }

  /** An Adopting slot turned out to run something. */
  foundBusy(slot: Slot<P, R>): void {
    if (slot.state === 'Adopting') this.census.move(slot, 'foundBusy');
  }

  /** The slot is not this gateway's any more, or (Lost) its pod was seen again or has ended. No request is on it. */
  forget(slot: Slot<P, R>): void {
    if (slot.state === 'Gone') return;
    this.census.move(slot, 'dropped');
    this.#advanceFunction(slot.version);
  }

  /** The heartbeat of the slot's pod has changed its mind. */
  suspected(slot: Slot<P, R>): void {
    for (const each of slotsOfPod(slot)) if (each.state === 'Idle') each.version.idle.reconsider(each);
  }

  /** A Foreign slot has become free, or an Adopting one is this gateway's now. */
  freed(slot: Slot<P, R>): void {
    this.census.move(slot, 'freed');
    this.#settleIdle(slot);
  }

  /** An idle slot is given up and its pod released; in any other state nothing happens. */
  retire(slot: Slot<P, R>, reason: string): void {
    if (slot.state !== 'Idle') return;
    dropAll(this.census, slot);
    this.#effects.release(slot.pod, reason);
    this.advance(slot.version);
  }

  /**
   * Takes over which versions may get calls; idle pods of the others are released, provisioned ones are claimed.
   * @param adopt adopts pods whose version has become known, before anything is claimed in their place
   */
  setVersions(current: ReadonlyMap<string, Target>, adopt: () => void = () => {}): void {
    this.census.setVersions(current);
    adopt();
    this.arrivals.synced();
    for (const version of this.census.select(null)) {
      if (!version.isCurrent)
        for (const slot of version.idle.inOrder()) this.retire(slot, 'its version is not current');
      this.advance(version);
    }
  }

  /** Ends the oldest waiting request of a version. */
  failOldest(version: VersionState<P, R>, error: LambdaError): void {
    if (this.#waiting.end(version, (request) => this.#effects.fail(request, error))) this.advance(version);
  }

  /** Takes every waiting request of a version out of the queue, settled: `settle` must answer each one. */
  answerWaiting(version: VersionState<P, R>, settle: (request: R) => void): void {
    while (this.#waiting.end(version, settle));
    this.advance(version);
  }

  /** Brings waiting requests onto idle slots, then claims for the rest. Harmless at any time. */
  advance(version: VersionState<P, R>): void {
    this.#waiting.dropUnowned(version);
    this.#waiting.dropAbandoned(version);
    while (version.queue.length > 0 && this.gate.hasRoom(version)) {
      const slot = version.idle.take();
      if (slot === undefined) break;
      const request = this.census.dequeued(version);
      if (request !== undefined) this.#start(slot, request);
      this.#waiting.dropAbandoned(version);
    }
    this.claims.claimMissing(version);
    this.census.forgetIfUnused(version);
  }

  /** The same for all versions of a function: under a cap, one version's free slot is another one's room. */
  #advanceFunction(version: VersionState<P, R>): void {
    this.advance(version);
    const { cap, versions } = version.owner;
    if (cap === null || versions.size < 2) return;
    for (const sibling of [...versions]) if (sibling !== version) this.advance(sibling);
  }

  /** A request is in. True = an idle slot has it. */
  #enter(version: VersionState<P, R>, request: R): boolean {
    if (this.#failures.answer(version, request)) return false;
    this.census.entered(version);
    const slot = version.queue.length === 0 && this.gate.hasRoom(version) ? version.idle.take() : undefined;
    if (slot !== undefined) this.#start(slot, request);
    else {
      this.census.queued(version, request);
      this.advance(version);
    }
    return slot !== undefined;
  }

  /** Gives `request` to an idle slot that has left the stack. */
  #start(slot: Slot<P, R>, request: R): void {
    this.census.move(slot, 'taken');
    this.#make.bind(slot, request);
    if (this.#effects.run(slot)) return;
    const error = new ServiceException('The link to the pod was lost before the request was sent; it did not run.');
    this.lost(slot, { mayRetry: true, error, isSuspicious: false });
  }

  #claim(version: VersionState<P, R>, pod: P): void {
    const request = this.gate.hasRoom(version) ? this.census.dequeued(version) : undefined;
    const slot = this.#make.claimed(pod, version, request === undefined ? 'Claiming' : 'Starting');
    this.census.add(slot);
    this.gate.claimed(version);
    if (request !== undefined) this.#make.bind(slot, request);
    for (const mate of this.#make.mates(slot, () => 'Claiming')) this.census.add(mate);
    this.#effects.claim(slot);
  }

  /** A slot has just become idle: its pod goes when the version is over, else it serves who waits. */
  #settleIdle(slot: Slot<P, R>): void {
    const { version } = slot;
    slot.idleSinceMs = this.#clock.nowMs();
    if (version.queue.length === 0 && !version.isCurrent) this.retire(slot, 'its version is not current');
    this.#advanceFunction(version);
  }
}
