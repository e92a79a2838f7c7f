import { functionKeyOf, NoIdleSlot, NotOwner } from '../dispatch/ownership.ts';
import type { Invocation, Outcome, Target } from '../dispatch/types.ts';
import { LambdaError } from '../errors.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { RingCore } from './core.ts';
import type { ForwardResult } from './forward.ts';
import { Elsewhere, type ForwardHead } from './forward-messages.ts';
import { HotFunctions } from './hot.ts';
import { defaultRingLimits, type RingLimits } from './limits.ts';
import { Owners } from './owners.ts';
import { makePeerIdentity } from './peer-handshake.ts';
import { PeerListener } from './peer-listener.ts';
import { Peers } from './peers.ts';
import { nameOf } from './rendezvous.ts';
import type { Ring, RingOptions, RingStats } from './ring-options.ts';
import { type LocalDispatch, type RoutingRing, routedInvoke } from './router.ts';

export type { Ring, RingOptions, RingStats } from './ring-options.ts';

/** Joins the ring. The design is in docs/internals.md; decisions are in RingCore, sockets in Peers and PeerListener. */
export function startRing(options: RingOptions): Ring {
  return new SocketRing(options);
}

class SocketRing implements Ring, RoutingRing {
  readonly gatewayId: string;
  readonly name: string;
  readonly router: LocalDispatch;
  readonly whenListening: Promise<number>;
  readonly retryMs: number;
  readonly retryBudgetMs: number;
  readonly nowMs: () => number;
  readonly #options: RingOptions;
  readonly #limits: RingLimits;
  readonly #core: RingCore;
  readonly #hot: HotFunctions;
  readonly #owners: Owners;
  readonly #peers: Peers;
  readonly #listener: PeerListener;
  readonly #budget: BufferBudget;
  readonly #stopTicks: () => void;
  readonly #forwarded: Record<ForwardResult, number> = { answered: 0, refused: 0, elsewhere: 0, lost: 0 };
  /** `name function` → when it said that it has no idle pod. */
  readonly #busy = new Map<string, number>();
  #received = 0;
  #toldVersion = 0;
  #toldTerms = 0;
  #isTellDue = false;
  #isStopped = false;
  /** Reserved requests that wait for a change. */
  readonly #waiting = new Set<() => void>();

  constructor(options: RingOptions) {
    const { gatewayId, clock, listen, signingKey } = options;
    this.#options = options;
    this.#limits = { ...defaultRingLimits, ...options.limits };
    this.gatewayId = gatewayId;
    this.name = nameOf(gatewayId);
    this.nowMs = clock.nowMs;
    this.retryMs = this.#limits.retryMs;
    this.retryBudgetMs = this.#limits.retryBudgetMs;
    this.#core = new RingCore(gatewayId, this.#limits, clock.nowMs());
    this.#hot = new HotFunctions(this.#limits);
    this.#owners = new Owners(this.#core, this.#hot);
    this.#budget = new BufferBudget(this.#limits.maxForwardedBytes);
    this.router = routedInvoke(this, options.dispatcher);
    const identity = makePeerIdentity(gatewayId, signingKey);
    const heard = (id: string): void => this.#core.heard(id, clock.nowMs());
    const { after } = clock;
    this.#peers = new Peers({
      identity,
      limits: this.#limits,
      nowMs: clock.nowMs,
      after,
      heard,
      ring: (id, message) => {
        this.#core.received(id, message, clock.nowMs());
        this.#noticed();
      },
      opened: () => this.#say(),
      isQuiet: (name) => this.#core.isQuiet(name, clock.nowMs()),
      onProblem: (name, error) => options.onProblem(`peer ${name} ${error.code}`, error),
      onResult: (result) => {
        this.#forwarded[result] += 1;
      },
    });
    this.#listener = new PeerListener({
      ...listen,
      identity,
      budget: this.#budget,
      maxStreams: this.#limits.maxStreams,
      maxConnections: this.#limits.maxConnections,
      handshakeMs: this.#limits.handshakeMs,
      after,
      heard,
      ring: (id, message) => {
        this.#core.received(id, message, clock.nowMs());
        this.#noticed();
        return this.#core.say(message.seq, clock.nowMs());
      },
      receive: (head, event, isAbandoned) => this.#receive(head, event, isAbandoned),
      onProblem: (error) => options.onProblem(`peer ${error.code}`, error),
    });
    this.whenListening = this.#listener.whenListening;
    this.#stopTicks = clock.every(this.#limits.heartbeatMs, () => this.#tick());
    options.members((members) => {
      if (this.#isStopped) return;
      this.#core.setMembers(members, clock.nowMs());
      this.#peers.update(this.#core.others);
      this.#noticed();
    });
  }

  get zone(): string {
    return this.#core.zoneOf(this.name);
  }

  get isIntroduced(): boolean {
    return this.#core.isIntroduced;
  }

  isOwner(target: Target): boolean {
    return this.#core.isIntroduced && this.#owners.of(target).isHere;
  }

  isFirstOwner(target: Target): boolean {
    return this.#core.isIntroduced && this.#owners.of(target).owners[0] === this.name;
  }

  mayHold(target: Target, gatewayId: string): boolean {
    const name = nameOf(gatewayId);
    if (name === this.name || this.#core.lifeOf(name) !== gatewayId) return false;
    return this.#owners.of(target).owners.includes(name);
  }

  isLive(gatewayId: string): boolean {
    return gatewayId === this.gatewayId || this.#core.lifeOf(nameOf(gatewayId)) === gatewayId;
  }

  term(functionKey: string): number | null {
    return this.#core.terms.number(functionKey, this.nowMs());
  }

  outstandingElsewhere(accountId: string): number {
    return this.#core.outstandingElsewhere(accountId);
  }

  place(): { index: number; count: number } {
    const names = [...this.#core.owners].sort();
    return { index: this.#core.isIntroduced ? names.indexOf(this.name) : -1, count: names.length };
  }

  route(target: Target): ReturnType<Owners['of']> {
    return this.#owners.next(target);
  }

  forward(name: string, target: Target, invocation: Invocation, onlyIdle: boolean): Promise<Outcome> {
    return this.#peers.forward(name, target, invocation, onlyIdle);
  }

  change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        cancel();
        resolve();
      };
      const cancel = this.#options.clock.after(timeoutMs, wake);
      this.#waiting.add(wake);
    });
  }

  isBusyElsewhere(name: string, target: Target): boolean {
    const sinceMs = this.#busy.get(`${name} ${functionKeyOf(target)}`);
    return sinceMs !== undefined && this.nowMs() - sinceMs < this.#limits.busyMemoMs;
  }

  noteBusy(name: string, target: Target): void {
    this.#busy.set(`${name} ${functionKeyOf(target)}`, this.nowMs());
  }

  stats(): RingStats {
    return {
      alive: this.#core.owners.size,
      members: this.#core.others.length + 1,
      linked: this.#peers.linked.length,
      terms: this.#core.terms.heldCount,
      hot: this.#hot.entries(),
      forwarded: { ...this.#forwarded },
      forwardsInFlight: this.#peers.inFlight,
      received: this.#received,
      receivedBytes: this.#budget.usedBytes,
      isLeaving: this.#core.isLeaving,
      isAdmitted: this.#core.isAdmitted,
    };
  }

  leave(): void {
    if (this.#core.isLeaving) return;
    this.#core.leave(this.nowMs()); // first it holds nothing, then it says so
    this.#say();
    this.#noticed();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopTicks();
    this.#peers.stop();
    await this.#listener.stop();
    this.#changed();
  }

  #say(): void {
    this.#peers.say(() => this.#core.say(0, this.nowMs()));
  }

  #tick(): void {
    const nowMs = this.nowMs();
    const load = this.#options.load();
    this.#core.tick(load, nowMs);
    if (this.#hot.tick({ running: load.running, elsewhere: this.#core.runningElsewhere() }, nowMs)) this.#hotChanged();
    this.#peers.tick((name) => this.#core.isSilent(name, nowMs));
    for (const [key, sinceMs] of this.#busy) if (nowMs - sinceMs >= this.#limits.busyMemoMs) this.#busy.delete(key);
    this.#say();
    this.#noticed();
  }

  #hotChanged(): void {
    this.#owners.hotChanged();
    this.#tell();
  }

  /** After anything that may have changed the ring. */
  #noticed(): void {
    const { version, terms } = this.#core;
    if (version === this.#toldVersion && terms.version === this.#toldTerms) return;
    if (version !== this.#toldVersion) this.#say(); // so that votes for the new ring come back at once
    this.#toldVersion = version;
    this.#toldTerms = terms.version;
    this.#tell();
  }

  #tell(): void {
    if (this.#isTellDue) return;
    this.#isTellDue = true;
    this.#options.clock.soon(() => {
      this.#isTellDue = false;
      if (this.#isStopped) return;
      this.#options.onChange();
      this.#changed();
    });
  }

  /** Those who wait for a change try again. */
  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async #receive(head: ForwardHead, event: Buffer, isAbandoned: () => boolean): Promise<Outcome> {
    if (this.#isStopped || (this.#core.isLeaving && !this.#core.owners.has(this.name))) {
      throw new Elsewhere('Unavailable', 'this gateway is leaving');
    }
    const target = this.#options.targetOf(head.versionUid);
    if (target === undefined) throw new Elsewhere('Unavailable', `version ${head.versionUid} is not known here`);
    this.#received += 1;
    const { requestId, invokedFunctionArn, traceId, clientContext, tail, onlyIdle } = head;
    const invocation: Invocation = {
      requestId,
      invokedFunctionArn,
      event,
      tail,
      isAbandoned,
      ...(traceId === undefined ? {} : { traceId }),
      ...(clientContext === undefined ? {} : { clientContext }),
    };
    try {
      return await this.#options.dispatcher.invoke(target, invocation, onlyIdle ? { onlyIdle } : undefined);
    } catch (error) {
      if (!isExpected(error)) this.#options.onProblem('a forwarded request failed by a bug', error);
      throw error;
    }
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof LambdaError || error instanceof NotOwner || error instanceof NoIdleSlot;
}
