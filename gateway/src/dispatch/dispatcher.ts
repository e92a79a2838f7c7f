import { LambdaError, ServiceException, TooManyRequests } from '../errors.ts';
import type { Identity, LinkError } from '../link/link.ts';
import { Call, lossOf } from './call.ts';
import { DispatchCore } from './core.ts';
import type { CoreEffects, Loss } from './effects.ts';
import { type DispatchLimits, defaultLimits } from './limits.ts';
import type { DispatchOptions } from './options.ts';
import type { PodLink, PodLinkOwner } from './pod-link.ts';
import { Pods } from './pods.ts';
import type { Slot } from './slot.ts';
import { makeSpecialize } from './specialize.ts';
import { sweep } from './sweep.ts';
import type {
  Dispatcher,
  DispatchLoad,
  DispatchObserver,
  DispatchStats,
  Invocation,
  InvokeOptions,
  Outcome,
  PoolPod,
  Target,
} from './types.ts';

/**
 * Makes the dispatcher of this gateway and starts its clocks; `drain` stops them.
 * Wires the core (decisions) to pod links (sockets), the cluster door and the observer.
 */
export function startDispatcher(options: DispatchOptions): Dispatcher {
  return new LinkDispatcher(options);
}

type PodSlot = Slot<PodLink, Call>;

class LinkDispatcher implements Dispatcher, CoreEffects<PodLink, Call>, PodLinkOwner {
  readonly core: DispatchCore<PodLink, Call>;
  readonly observer: DispatchObserver;
  readonly identity: Identity;
  readonly linkPort: number;
  readonly redialMs: number;
  readonly #options: DispatchOptions;
  readonly #limits: DispatchLimits;
  readonly #pods = new Pods(this);
  /** What may get calls; null until it was said for the first time: before that nothing is drained. */
  #current: ReadonlyMap<string, Target> | null = null;
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
    this.identity = options.identity;
    this.linkPort = options.linkPort;
    this.redialMs = this.#limits.redialMs;
    this.core = new DispatchCore(this.#limits, options.clock, this, options.zone);
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
      const call = new Call(this, { target, invocation, arrivedMs: this.nowMs() }, resolve, reject);
      try {
        this.core.arrive(target, call, options?.onlyIdle);
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
    this.#current = current;
    for (const pod of this.#pods.present()) if (pod.use === 'orphan') this.#identify(pod, pod.versionUid, false);
    this.core.setVersions(current);
  }

  onRing(): void {
    for (const version of this.core.census.select(null)) this.core.advance(version);
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
    for (const cancel of this.#timers) cancel();
    this.core.arrivals.stop();
    this.#failWaiting();
    this.#pods.letGo();
    this.#failWaiting(); // those whose claim had not been sent have come back
  }

  stats(): DispatchStats {
    const { totals, queuedCount, queuedBytes, outstanding, versionCount } = this.core.census;
    const claimed = new Map<string, number>();
    for (const pod of this.#pods.present())
      if (pod.use === 'slot') claimed.set(pod.pool, (claimed.get(pod.pool) ?? 0) + 1);
    return {
      pools: this.core.claims.pools().map((pool) => ({ ...pool, claimed: claimed.get(pool.pool) ?? 0 })),
      queued: queuedCount,
      queuedBytes,
      inFlight: outstanding - queuedCount,
      slots: {
        claiming: totals.Claiming + totals.Starting,
        idle: totals.Idle,
        busy: totals.Busy,
        finishing: totals.Finishing,
        foreign: totals.Foreign,
      },
      claimsTotal: this.#claimsTotal,
      coldStartsTotal: this.#coldStartsTotal,
      activeVersions: versionCount,
    };
  }

  nowMs(): number {
    return this.#options.clock.nowMs();
  }

  after(delayMs: number, call: () => void): () => void {
    return this.#options.clock.after(delayMs, call);
  }

  run(slot: PodSlot): boolean {
    return slot.pod.run(slot);
  }

  claim(slot: PodSlot): void {
    const { target } = slot.version;
    this.#claimsTotal += 1;
    if (slot.request !== null) this.#coldStartsTotal += 1;
    slot.pod.hold(slot, false);
    this.#load(target).then(
      ([environment, code]) => this.#specialize(slot, target, environment, code),
      (error: unknown) => this.#cannotSpecialize(slot, target, error),
    );
  }

  release(pod: PodLink, reason: string): void {
    pod.condemn(reason);
  }

  fail(call: Call, error: LambdaError): void {
    call.fail(error);
  }

  wantPods(pool: string, count: number): void {
    this.#options.cluster.wantPods(pool, count);
  }

  initFailed(target: Target, pauseMs: number): void {
    this.observer.initFailed(target, pauseMs);
  }

  dialling(pod: PodLink): void {
    this.core.arrivals.began(pod, pod.pod.state === 'claimed' ? pod.pod.versionUid : null);
  }

  dialled(pod: PodLink): void {
    this.core.arrivals.ended(pod);
  }

  generic(pod: PodLink): void {
    if (!pod.isLeaving) this.core.claims.podReady(pod);
  }

  notGeneric(pod: PodLink): void {
    this.core.claims.podGone(pod);
  }

  claimed(pod: PodLink, versionUid: string, isBusy: boolean): void {
    this.#identify(pod, versionUid, isBusy);
  }

  freed(slot: PodSlot): void {
    this.core.freed(slot);
    if (slot.pod.isLeaving) this.leaving(slot);
  }

  slotLost(slot: PodSlot, error: ServiceException, mayRetry: boolean): void {
    this.lose(slot, { mayRetry, error, isSuspicious: !mayRetry });
  }

  lose(slot: PodSlot, loss: Loss): void {
    const isClaim = slot.state === 'Starting' || slot.state === 'Claiming';
    if (isClaim && !slot.pod.isConfirmed) this.observer.claimed(slot.pod.pool, 'lost');
    this.core.lost(slot, loss);
  }

  confirmed(slot: PodSlot): void {
    slot.pod.isConfirmed = true;
    this.observer.claimed(slot.pod.pool, 'claimed');
    this.#options.cluster.claimed(slot.pod.pod, slot.version.target);
    this.core.confirmed(slot);
    if (slot.pod.isLeaving) this.leaving(slot);
  }

  claimRefused(slot: PodSlot, error: LinkError): void {
    const { pod } = slot;
    this.lose(slot, lossOf(error));
    pod.refused(error);
  }

  leaving(slot: PodSlot): void {
    this.core.retire(slot, 'the pod is going away');
  }

  #failWaiting(): void {
    const error = shuttingDown();
    for (const version of [...this.core.census.versions()]) {
      while (version.queue.length > 0) this.core.failOldest(version, error);
    }
  }

  async #load(target: Target): Promise<[Readonly<Record<string, string>>, Buffer]> {
    return Promise.all([target.environment(), this.#options.code(target.codeSha256)]);
  }

  #specialize(slot: PodSlot, target: Target, environment: Readonly<Record<string, string>>, code: Buffer): void {
    if (slot.state === 'Gone') return;
    const rules = { initTimeoutMs: this.#limits.initTimeoutMs, epoch: this.identity.epoch };
    if (slot.pod.claim(slot, makeSpecialize(target, environment, rules), code)) return;
    const error = new ServiceException(
      'The link to the pod was lost before the claim was sent. The request did not run.',
    );
    this.lose(slot, { mayRetry: true, error, isSuspicious: false });
  }

  /** Environment or code is not to be had: the pod is as generic as before, the request has its error. */
  #cannotSpecialize(slot: PodSlot, target: Target, cause: unknown): void {
    if (slot.state === 'Gone') return;
    const message = `The code or the environment of ${target.functionName} could not be read. The request did not run.`;
    const error = cause instanceof LambdaError ? cause : new ServiceException(message, { cause });
    // Without a request nobody would hear of it and the claim would come again at once: let it pause.
    const isSuspicious = slot.request === null;
    const { pod } = slot;
    this.lose(slot, { mayRetry: false, error, isSuspicious });
    pod.giveBack();
  }

  /** A pod that holds a version already becomes a slot, or an orphan while nobody knows the version. */
  #identify(pod: PodLink, versionUid: string, isBusy: boolean): void {
    const target = this.#current?.get(versionUid);
    if (target === undefined) {
      if (pod.use !== 'orphan') pod.orphanSinceMs = this.nowMs();
      pod.use = 'orphan';
      pod.versionUid = versionUid;
      return;
    }
    pod.use = 'slot';
    const slot = this.core.adopt(pod, target, isBusy);
    if (slot.state !== 'Gone') pod.hold(slot, true);
    if (pod.pod.state === 'generic') this.#options.cluster.claimed(pod.pod, target);
  }

  #tick(): void {
    const nowMs = this.nowMs();
    sweep(this.core, this.#limits, nowMs, (slot) => this.#overdue(slot));
    this.#pods.tick();
    for (const pod of this.#pods.present()) {
      const isForgotten =
        this.#current !== null && pod.use === 'orphan' && nowMs - pod.orphanSinceMs > this.#limits.orphanGraceMs;
      if (isForgotten) pod.condemn('nothing calls its version any more');
    }
    if (this.core.census.outstanding === 0) this.#onQuiet?.();
  }

  #poll(): void {
    this.#pods.askForeign();
    this.core.claims.remind();
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

function shuttingDown(): ServiceException {
  return new ServiceException('This gateway is shutting down. The request did not run.', { retryAfterSeconds: 1 });
}
