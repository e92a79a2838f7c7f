import { NoIdleSlot, NotOwner } from '../dispatch/ownership.ts';
import type { Invocation, Outcome, Target } from '../dispatch/types.ts';
import { LambdaError } from '../errors.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import type { ForwardResult } from './forward.ts';
import { Elsewhere, type ForwardHead, questionUid } from './forward-messages.ts';
import { defaultRingLimits } from './limits.ts';
import { MAX_ANSWER_BYTES } from './peer-connection.ts';
import { makePeerIdentity } from './peer-handshake.ts';
import { PeerListener } from './peer-listener.ts';
import { Peers } from './peers.ts';
import type { Ring, RingOptions, RingStats } from './ring-options.ts';
import { Roles } from './roles.ts';
import { askIdle, type LocalDispatch, type RoutingRing, routedInvoke } from './router.ts';

export type { Ring, RingOptions, RingStats } from './ring-options.ts';

/** Joins the ring. The design is in docs/internals.md; decisions are in RingCore, sockets in Peers and PeerListener. */
export function startRing(options: RingOptions): Ring {
  return new SocketRing(options);
}

/** Adds sockets and timers to the roles. */
class SocketRing extends Roles implements Ring, RoutingRing {
  readonly router: LocalDispatch;
  readonly whenListening: Promise<number>;
  readonly retryMs: number;
  readonly retryBudgetMs: number;
  readonly #options: RingOptions;
  readonly #peers: Peers;
  readonly #listener: PeerListener;
  readonly #budget: BufferBudget;
  readonly #stopTicks: () => void;
  readonly #forwarded: Record<ForwardResult, number> = { answered: 0, refused: 0, elsewhere: 0, lost: 0 };
  #received = 0;
  #toldVersion = 0;
  #toldTerms = 0;
  #isTellDue = false;
  #isStopped = false;
  /** Reserved requests that wait for a change. */
  readonly #waiting = new Set<() => void>();

  constructor(options: RingOptions) {
    const { gatewayId, clock, listen, signingKey } = options;
    super(gatewayId, { ...defaultRingLimits, ...options.limits }, clock.nowMs);
    this.#options = options;
    this.retryMs = this.limits.retryMs;
    this.retryBudgetMs = this.limits.retryBudgetMs;
    this.#budget = new BufferBudget(this.limits.maxForwardedBytes);
    this.router = routedInvoke(this, options.dispatcher);
    const identity = makePeerIdentity(gatewayId, signingKey);
    const heard = (id: string): void => this.core.heard(id, clock.nowMs());
    const { after } = clock;
    this.#peers = new Peers({
      identity,
      limits: this.limits,
      nowMs: clock.nowMs,
      after,
      heard,
      ring: (id, message) => {
        this.core.received(id, message, clock.nowMs());
        this.#noticed();
      },
      opened: () => this.#say(),
      isQuiet: (name) => this.isQuiet(name),
      onProblem: (name, error) => options.onProblem(`peer ${name} ${error.code}`, error),
      onResult: (result) => {
        this.#forwarded[result] += 1;
      },
    });
    this.#listener = new PeerListener({
      ...listen,
      identity,
      budget: this.#budget,
      maxStreams: this.limits.maxStreams,
      maxConnections: this.limits.maxConnections,
      handshakeMs: this.limits.handshakeMs,
      after,
      heard,
      ring: (id, message) => {
        this.core.received(id, message, clock.nowMs());
        this.#noticed();
        return this.core.say(message.seq, clock.nowMs());
      },
      receive: (head, event, isAbandoned) => this.#receive(head, event, isAbandoned),
      onProblem: (error) => options.onProblem(`peer ${error.code}`, error),
    });
    this.whenListening = this.#listener.whenListening;
    this.#stopTicks = clock.every(this.limits.heartbeatMs, () => this.#tick());
    options.members((members) => {
      if (this.#isStopped) return;
      this.core.setMembers(members, clock.nowMs());
      this.#peers.update(this.core.others);
      this.#noticed();
    });
  }

  get zone(): string {
    return this.core.zoneOf(this.name);
  }

  get isIntroduced(): boolean {
    return this.core.isIntroduced;
  }

  forward(name: string, target: Target, invocation: Invocation, onlyIdle: boolean): Promise<Outcome> {
    return this.#peers.forward(name, target, invocation, onlyIdle);
  }

  askIdle(target: Target, invocation: Invocation): Promise<Outcome | null> {
    return askIdle(this, this.others(target), target, invocation);
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

  stats(): RingStats {
    return {
      alive: this.core.owners.size,
      members: this.core.others.length + 1,
      linked: this.#peers.linked.length,
      terms: this.core.terms.heldCount,
      hot: this.hot,
      steady: this.steady.size,
      forwarded: { ...this.#forwarded },
      forwardsInFlight: this.#peers.inFlight,
      received: this.#received,
      receivedBytes: this.#budget.usedBytes,
      isLeaving: this.core.isLeaving,
      isAdmitted: this.core.isAdmitted,
    };
  }

  ask(question: Buffer): Promise<readonly Buffer[]> {
    return this.#peers.ask(question);
  }

  leave(): void {
    if (this.core.isLeaving) return;
    this.core.leave(this.nowMs()); // first it holds nothing, then it says so
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
    this.#peers.say(() => this.core.say(0, this.nowMs()));
  }

  #tick(): void {
    const isChanged = this.tick(this.#options.load(), () => this.#say());
    this.#peers.tick();
    if (isChanged) this.#tell();
    this.#noticed();
  }

  /** After anything that may have changed the ring. */
  #noticed(): void {
    const { version, terms } = this.core;
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

  async #answer({ versionUid }: ForwardHead, question: Buffer): Promise<Outcome> {
    const { answer } = this.#options;
    if (versionUid === questionUid && answer !== undefined) {
      const bytes = await answer(question);
      if (bytes.length <= MAX_ANSWER_BYTES) return answered(bytes);
      throw new Elsewhere('Unavailable', `an answer of ${bytes.length} bytes is too large`);
    }
    throw new Elsewhere('Unavailable', `version ${versionUid} is not known here`);
  }

  async #receive(head: ForwardHead, event: Buffer, isAbandoned: () => boolean): Promise<Outcome> {
    if (this.#isStopped || (this.core.isLeaving && !this.core.owners.has(this.name))) {
      throw new Elsewhere('Unavailable', 'this gateway is leaving');
    }
    const target = this.#options.targetOf(head.versionUid);
    if (target === undefined) return this.#answer(head, event);
    this.#received += 1;
    const { requestId, invokedFunctionArn, traceId, clientContext, tail, stream, onlyIdle, isAsync } = head;
    const invocation: Invocation = {
      requestId,
      invokedFunctionArn,
      event,
      tail,
      isAbandoned,
      ...(isAsync && { isAsync }),
      ...(traceId === undefined ? {} : { traceId }),
      ...(clientContext === undefined ? {} : { clientContext }),
      ...(stream === undefined ? {} : { stream: { ...stream, windowBytes: STREAM_WINDOW_BYTES } }),
    };
    try {
      return await this.#options.dispatcher.invoke(
        target,
        invocation,
        onlyIdle ? { onlyIdle, isForwarded: true } : undefined,
      );
    } catch (error) {
      if (!isExpected(error)) this.#options.onProblem('a forwarded request failed by a bug', error);
      throw error;
    }
  }
}

/** What was answered is no function's. */
function answered(payload: Buffer): Outcome {
  const none = { contentType: undefined, errorType: undefined };
  return { kind: 'response', payload, ...none, start: 'warm', waitMs: 0, report: Promise.resolve(null) };
}

function isExpected(error: unknown): boolean {
  return error instanceof LambdaError || error instanceof NotOwner || error instanceof NoIdleSlot;
}
