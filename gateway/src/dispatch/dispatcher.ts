import { type LambdaError, ServiceException, TooManyRequests } from '../errors.ts';
import { Call, shuttingDown } from './call.ts';
import { Claimer } from './claimer.ts';
import { DispatchCore } from './core.ts';
import type { DispatchStats } from './dispatch-stats.ts';
import type { CoreEffects, Loss } from './effects.ts';
import { Epochs } from './epochs.ts';
import type { InitError } from './failures.ts';
import { Holdings } from './holdings.ts';
import { type DispatchLimits, defaultLimits } from './limits.ts';
import { Offers } from './offers.ts';
import type { DispatchOptions } from './options.ts';
import { NotOwner, type Ownership, soleOwner } from './ownership.ts';
import { PodEvents } from './pod-events.ts';
import type { PodLink } from './pod-link.ts';
import { Pods } from './pods.ts';
import { Reclaimer } from './reclaimer.ts';
import { noRules } from './rules.ts';
import type { Slot } from './slot.ts';
import { sweep } from './sweep.ts';
import { Terms } from './terms.ts';
import type {
  Dispatcher,
  DispatchLoad,
  DispatchObserver,
  Invocation,
  InvokeOptions,
  Outcome,
  PoolPod,
  Target,
} from './types.ts';
import type { VersionState } from './version-state.ts';

/**
 * Makes the dispatcher of this gateway and starts its clocks; `drain` stops them.
 * Wires the core (decisions) to pod links (sockets), the cluster door and the observer.
 */
export function startDispatcher(options: DispatchOptions): Dispatcher {
  return new LinkDispatcher(options);
}

type PodSlot = Slot<PodLink, Call>;

class LinkDispatcher implements Dispatcher, CoreEffects<PodLink, Call> {
  readonly core: DispatchCore<PodLink, Call>;
  readonly observer: DispatchObserver;
  readonly #options: DispatchOptions;
  readonly #limits: DispatchLimits;
  readonly #ownership: Ownership;
  readonly #pods: Pods;
  readonly #holdings: Holdings;
  readonly #claimer: Claimer;
  readonly #events: PodEvents;
  readonly #reclaimer: Reclaimer;
  readonly #offers: Offers<PodLink, Call>;
  #claimsTotal = 0;
  #coldStartsTotal = 0;
  readonly #timers: readonly (() => void)[];
  /** Ends the wait of `drain`; null while nobody drains. */
  #onQuiet: (() => void) | null = null;
  #isStopped = false;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.observer = options.observer;
    const { clock, zone, identity } = options;
    const ownership = options.ownership ?? soleOwner(identity.gatewayId);
    this.#ownership = ownership;
    const startMs = clock.nowMs();
    const epochs = new Epochs(identity.gatewayId, () => identity.epoch + clock.nowMs() - startMs);
    const rules = {
      hasTerm: (key: string) => ownership.term(key) !== null,
      mayRun: (key: string) => this.#holdings.terms.isOpen(key),
      isShared: (target: Target) => ownership.isShared?.(target) ?? false,
      isProvisioner: (target: Target) => ownership.isFirstOwner(target),
      outstandingElsewhere: (accountId: string) => ownership.outstandingElsewhere(accountId),
      callsElsewhere: (accountId: string) => ownership.callsElsewhere?.(accountId) ?? 0,
      gatewayCount: () => Math.max(1, ownership.place().count),
      ownerCount: (target: Target) => ownership.ownerCount?.(target) ?? 1,
      arePodsReplaced: options.arePodsReplaced ?? noRules.arePodsReplaced,
    };
    const place = { zone: typeof zone === 'string' ? () => zone : zone, rules };
    this.core = new DispatchCore(this.#limits, clock, this, place);
    const limits = this.#limits;
    const askIdle: NonNullable<Ownership['askIdle']> = async (target, invocation) =>
      (await ownership.askIdle?.(target, invocation)) ?? null;
    const ask = (call: Call): Promise<boolean> => call.offer(askIdle);
    this.#offers = new Offers(this.core, ask, clock.nowMs, limits.offerAfterMs);
    const shared = { ...options, core: this.core, ownership, epochs, limits };
    const seen = { ...shared, nowMs: clock.nowMs, pods: () => this.#pods.present() };
    this.#reclaimer = new Reclaimer(seen);
    this.#holdings = new Holdings(seen, (owner) => new Terms(ownership, epochs, clock, owner, limits.fenceMs));
    this.#events = new PodEvents({ ...shared, holdings: this.#holdings });
    this.#pods = new Pods(this.#events, (podZone) => ownership.isDark?.(podZone) ?? false);
    const lose = (slot: PodSlot, loss: Loss) => this.lose(slot, loss);
    const { terms } = this.#holdings;
    const { initTimeoutMs, maxUnpackedBytes } = limits;
    this.#claimer = new Claimer({ ...shared, terms, initTimeoutMs, maxUnpackedBytes, lose });
    const { every } = options.clock;
    this.#timers = [
      every(this.#limits.tickMs, () => this.#tick()),
      every(this.#limits.foreignPollMs, () => this.#poll()),
      every(this.#limits.heartbeatMs, () => this.#pods.heartbeat()),
    ];
  }

  invoke(target: Target, invocation: Invocation, options?: InvokeOptions): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) throw shuttingDown();
      const request = { target, invocation, arrivedMs: this.nowMs() };
      const call = new Call(this, request, resolve, reject);
      try {
        this.core.arrive(target, call, options?.onlyIdle, options?.isForwarded);
      } catch (error) {
        if (error instanceof TooManyRequests) this.observer.throttled(target, error.throttle);
        throw error;
      }
    });
  }

  onPod(key: string, pod: PoolPod | null): void {
    if (!this.#isStopped) this.#pods.update(key, pod);
  }

  onVersions(current: ReadonlyMap<string, Target>): void {
    this.#holdings.setVersions(current);
    this.core.setVersions(current, () => this.#holdings.reconsider());
  }

  onRing(): void {
    if (this.#isStopped) return;
    this.#holdings.terms.refresh();
    this.#pods.lookAtZones();
    this.#holdings.reconsider();
    for (const version of this.core.census.select(null)) {
      this.#handBack(version);
      this.core.advance(version);
    }
  }

  /** Pods of a function that is another gateway's now go there, and so must who waits for them: the router forwards them anew. */
  #handBack(version: VersionState<PodLink, Call>): void {
    const { owner, queue, target } = version;
    if ((queue.length === 0 && owner.line === null) || owner.cap !== null || this.#ownership.isOwner(target)) return;
    this.core.limitQueue.handBack(owner);
    this.core.answerWaiting(version, (call) => call.fail(new NotOwner(owner.key)));
  }

  load(): DispatchLoad {
    return this.core.census.load();
  }

  async drain(signal: AbortSignal): Promise<void> {
    if (!signal.aborted && this.core.census.outstanding > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onQuiet = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
    }
    this.#isStopped = true;
    this.#offers.stop();
    for (const cancel of this.#timers) cancel();
    this.core.arrivals.stop();
    this.#holdings.terms.prune(() => false);
    this.#failWaiting();
    this.#pods.letGo();
    this.#failWaiting(); // those whose claim had not been sent have come back
  }

  stats(): DispatchStats {
    const { census, gate } = this.core;
    const { totals, queuedCount, queuedBytes, linedCount, outstanding, versionCount } = census;
    return {
      pools: this.#pods.stats(this.core.claims.pools()),
      queued: queuedCount - linedCount,
      queuedAtLimit: linedCount,
      queuedBytes,
      inFlight: outstanding - queuedCount,
      slots: {
        claiming: totals.Claiming + totals.Starting,
        idle: totals.Idle,
        busy: totals.Busy,
        finishing: totals.Finishing,
        foreign: totals.Adopting + totals.Foreign,
        lost: totals.Lost,
      },
      claimsTotal: this.#claimsTotal,
      coldStartsTotal: this.#coldStartsTotal,
      activeVersions: versionCount,
      running: census.load().running,
      accounts: [...census.accounts()].map((account) => ({
        accountId: account.id,
        used: account.outstanding,
        left: gate.unreservedLeft(account),
      })),
    };
  }

  nowMs(): number {
    return this.#options.clock.nowMs();
  }

  run(slot: PodSlot): boolean {
    return slot.pod.run(slot);
  }

  claim(slot: PodSlot): void {
    const { target } = slot.version;
    this.#claimsTotal += 1;
    if (slot.request !== null) this.#coldStartsTotal += 1;
    slot.pod.hold(slot, false);
    this.#claimer.claim(slot, target);
  }

  release(pod: PodLink, reason: string): void {
    pod.condemn(reason);
  }

  fail(call: Call, error: LambdaError | NotOwner): void {
    call.fail(error);
  }

  answer(call: Call, error: InitError): void {
    call.answer(error);
  }

  wantPods(pool: string, count: number): void {
    this.#options.cluster.wantPods(pool, count);
  }

  initFailed(target: Target, pauseMs: number): void {
    this.observer.initFailed(target, pauseMs);
  }

  lose(slot: PodSlot, loss: Loss): void {
    this.#events.lose(slot, loss);
  }

  handOver(slot: PodSlot): void {
    this.#holdings.taken(slot);
  }

  #failWaiting(): void {
    const error = shuttingDown();
    this.core.limitQueue.end(error);
    for (const version of [...this.core.census.versions()]) {
      while (version.queue.length > 0) this.core.failOldest(version, error);
    }
  }

  #tick(): void {
    sweep(this.core, this.#limits, this.nowMs(), (slot) => this.#overdue(slot));
    this.#pods.tick();
    this.#holdings.tick();
    this.#reclaimer.tick();
    this.#offers.tick();
    if (this.core.census.outstanding === 0) this.#onQuiet?.();
  }

  #poll(): void {
    this.#pods.askForeign();
    this.core.claims.remind();
    this.core.near.second();
    this.#holdings.terms.prune((key) => this.core.census.versionsOf(key).length > 0);
  }

  /** The agent enforces the function's timeout; one that is this late is not to be trusted any more. */
  #overdue(slot: PodSlot): void {
    const { pod, version } = slot;
    const error = new ServiceException(
      `The pod gave no answer within the function's timeout (${version.target.timeoutMs} ms) and a margin. The function may have run.`,
    );
    this.lose(slot, { mayRetry: false, error, isSuspicious: true });
    pod.condemn('overdue');
  }
}
