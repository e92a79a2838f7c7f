import type { Invocation, Outcome, Target } from '../dispatch/types.ts';
import { LinkError } from '../link/link.ts';
import { Forward, type ForwardResult } from './forward.ts';
import { Elsewhere, makeForwardHead, questionUid } from './forward-messages.ts';
import type { RingLimits } from './limits.ts';
import type { Member } from './members.ts';
import type { RingMessage } from './messages.ts';
import { PeerConnection } from './peer-connection.ts';
import type { PeerIdentity } from './peer-handshake.ts';

/** What the links to other gateways need. */
export interface PeersOptions {
  readonly identity: PeerIdentity;
  readonly limits: RingLimits;
  readonly nowMs: () => number;
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Any bytes of an authenticated gateway. */
  readonly heard: (gatewayId: string) => void;
  /** An answer to a RING of this gateway. */
  readonly ring: (gatewayId: string, message: RingMessage) => void;
  /** The gateway was not heard for a moment; who else can serve a request, should. */
  readonly isQuiet: (name: string) => boolean;
  /** The link for RINGs has opened. */
  readonly opened: (name: string) => void;
  readonly onProblem: (name: string, error: LinkError) => void;
  readonly onResult: (result: ForwardResult) => void;
}

/**
 * Two connections to a member: one only for RINGs, so that large events do not delay votes, the other for requests.
 *
 *   lane          | dialled                          | after it has closed
 *   each of both  | when the member appears          | again after redialMs, until the member is gone or has another address
 */
type Lane = 'ring' | 'requests';

/** A gateway has so long to answer a question. */
const ASK_MS = 1000;

interface Peer {
  member: Member;
  readonly lanes: Map<Lane, PeerConnection>;
  readonly redials: Map<Lane, () => void>;
  isGone: boolean;
}

/** The connections that this gateway has dialled, to every other member; terminating ones included, they still answer. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #peers = new Map<string, Peer>();
  /** Connections to former members that still owe an answer. */
  readonly #departing = new Set<PeerConnection>();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Names with an open connection for requests. */
  get linked(): readonly string[] {
    return [...this.#peers].filter(([, peer]) => peer.lanes.get('requests')?.isOpen === true).map(([name]) => name);
  }

  /** Requests that other gateways have not answered or reported yet. */
  get inFlight(): number {
    let sum = 0;
    for (const { lanes } of this.#peers.values()) sum += lanes.get('requests')?.streamCount ?? 0;
    for (const { streamCount } of this.#departing) sum += streamCount;
    return sum;
  }

  /** All other members from now on. */
  update(members: readonly Member[]): void {
    const present = new Map(members.map((member) => [member.name, member]));
    for (const [name, peer] of this.#peers) {
      const member = present.get(name);
      if (member !== undefined && member.ip === peer.member.ip && member.port === peer.member.port)
        peer.member = member;
      else this.#let(name, peer);
    }
    for (const member of members) if (!this.#peers.has(member.name)) this.#meet(member);
  }

  /** A RING to everybody. */
  say(make: () => RingMessage): void {
    for (const { lanes } of this.#peers.values()) {
      const lane = lanes.get('ring');
      if (lane?.isOpen === true) lane.say(make());
    }
  }

  /**
   * To be called every heartbeat. A silent peer keeps the requests that it has: it may be slow, and what it was given may not run again
   * elsewhere. They are lost with their connection, which a sweep finds dead when nothing at all comes back.
   */
  tick(): void {
    const nowMs = this.#options.nowMs();
    for (const { lanes } of this.#peers.values()) for (const lane of lanes.values()) lane.sweep(nowMs);
    for (const connection of this.#departing) {
      connection.sweep(nowMs);
      if (connection.streamCount > 0 && connection.isOpen) continue;
      this.#departing.delete(connection);
      connection.close();
    }
  }

  /** Runs a request at another gateway. Rejects with Elsewhere when it did not run there, else with a LambdaError. */
  forward(name: string, target: Target, invocation: Invocation, onlyIdle: boolean): Promise<Outcome> {
    const connection = this.#peers.get(name)?.lanes.get('requests');
    const { nowMs, limits, onResult } = this.#options;
    if (connection?.isOpen !== true || (target.reservedConcurrency === null && this.#options.isQuiet(name))) {
      onResult('elsewhere');
      return Promise.reject(new Elsewhere('NotSent', `no link to gateway ${name}`));
    }
    const waitMs = target.limitQueue?.maxWaitMs ?? 0;
    const deadlineMs = nowMs() + target.timeoutMs + waitMs + limits.forwardMarginMs;
    const forward = new Forward(invocation, deadlineMs, onResult);
    connection.forward(makeForwardHead(target.versionUid, invocation, onlyIdle), invocation.event, forward);
    return forward.outcome;
  }

  /** @see Ring.ask */
  async ask(question: Buffer): Promise<readonly Buffer[]> {
    const invocation = { requestId: '', invokedFunctionArn: '', event: question, tail: false };
    const head = makeForwardHead(questionUid, invocation, false);
    const answers = [...this.#peers.values()].map(async ({ lanes }) => {
      const forward = new Forward(invocation, this.#options.nowMs() + ASK_MS, () => undefined);
      if (lanes.get('requests')?.forward(head, question, forward) !== true) return [];
      return forward.outcome.then(
        ({ kind, payload }) => (kind === 'response' ? [payload] : []),
        () => [], // it is leaving, knows no questions, or is too late
      );
    });
    return (await Promise.all(answers)).flat();
  }

  stop(): void {
    for (const [name, peer] of this.#peers) this.#let(name, peer);
    for (const connection of this.#departing) connection.close();
  }

  #meet(member: Member): void {
    const peer: Peer = { member, lanes: new Map(), redials: new Map(), isGone: false };
    this.#peers.set(member.name, peer);
    this.#dial(peer, 'ring');
    this.#dial(peer, 'requests');
  }

  #let(name: string, peer: Peer): void {
    peer.isGone = true;
    this.#peers.delete(name);
    for (const cancel of peer.redials.values()) cancel();
    for (const lane of peer.lanes.values()) {
      if (lane.isOpen && lane.streamCount > 0) this.#departing.add(lane);
      else lane.close();
    }
  }

  #dial(peer: Peer, lane: Lane): void {
    const { identity, limits, after, onProblem } = this.#options;
    const { name } = peer.member;
    peer.redials.delete(lane);
    let isOpen = false;
    const late = after(limits.silenceMs * 2, () =>
      connection.close(new LinkError('Unreachable', `no link to ${name}`)),
    );
    const connection: PeerConnection = new PeerConnection(peer.member, identity, {
      opened: () => {
        isOpen = true;
        late();
        if (lane === 'ring') this.#options.opened(name);
      },
      heard: this.#options.heard,
      ring: this.#options.ring,
      closed: (error) => {
        late();
        if (peer.isGone) return;
        peer.lanes.delete(lane);
        if (!isOpen && error.isFatal) onProblem(name, error);
        peer.redials.set(
          lane,
          after(limits.redialMs, () => this.#dial(peer, lane)),
        );
      },
    });
    peer.lanes.set(lane, connection);
  }
}
