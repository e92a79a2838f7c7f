import type { KeyObject } from 'node:crypto';

import type { Ownership } from '../dispatch/ownership.ts';
import type { DispatchLoad, Target } from '../dispatch/types.ts';
import type { ForwardResult } from './forward.ts';
import type { RingLimits } from './limits.ts';
import type { MemberSource } from './members.ts';
import type { LocalDispatch } from './router.ts';

/** What a ring is made of. */
export interface RingOptions {
  /** `<pod name>.<8 hex>`, new in each life; the same as the link's Identity.gatewayId. */
  readonly gatewayId: string;
  /** Ed25519 private key of the install. */
  readonly signingKey: KeyObject;
  readonly listen: { readonly host: string; readonly port: number };
  readonly members: MemberSource;
  readonly clock: {
    /** Monotonic milliseconds. */
    readonly nowMs: () => number;
    readonly after: (delayMs: number, call: () => void) => () => void;
    readonly every: (periodMs: number, call: () => void) => () => void;
    readonly soon: (call: () => void) => void;
  };
  /** Runs requests here. */
  readonly dispatcher: LocalDispatch;
  /** The version of a forwarded request; undefined = not known here (yet). */
  readonly targetOf: (versionUid: string) => Target | undefined;
  readonly load: () => DispatchLoad;
  /** Answers what another gateway asks ({@link Ring.ask}). Absent = nothing is answered. */
  readonly answer?: (question: Buffer) => Promise<Buffer>;
  /** Owners or terms may have changed; at most once per turn of the event loop. */
  readonly onChange: () => void;
  /** A gateway that may not talk to this one, or a bug; `key` is the same for the same problem. */
  readonly onProblem: (key: string, error: unknown) => void;
  readonly limits?: Partial<RingLimits>;
}

/** Numbers of one moment, for metrics. */
export interface RingStats {
  /** Gateways in the ring, this one included. */
  readonly alive: number;
  readonly members: number;
  /** Members with an open connection for requests. */
  readonly linked: number;
  /** Reserved functions that this gateway may dispatch and was asked for. */
  readonly terms: number;
  /** Functions with more than one owner for what runs at once → how many. */
  readonly hot: ReadonlyMap<string, number>;
  /** Functions that are called steadily: they have an owner in every zone. */
  readonly steady: number;
  /** Since the start. */
  readonly forwarded: Readonly<Record<ForwardResult, number>>;
  /** Requests at other gateways now. */
  readonly forwardsInFlight: number;
  /** Requests of other gateways that were taken, since the start. */
  readonly received: number;
  /** Bytes of their events, now. */
  readonly receivedBytes: number;
  readonly isLeaving: boolean;
  /** Whether this life votes already. */
  readonly isAdmitted: boolean;
}

/** The gateways of an install as one of them sees them. */
export interface Ring extends Ownership {
  /** Where HTTP callers' requests go: here or to an owner. */
  readonly router: LocalDispatch;
  /** Own zone as Kubernetes shows it; empty while unknown. */
  readonly zone: string;
  /** False for at most two seconds after the start: it has not heard every member yet. Callers should not come before. */
  readonly isIntroduced: boolean;
  /** Port of the peer link; rejects when it cannot listen. */
  readonly whenListening: Promise<number>;
  stats(): RingStats;
  /** Asks every other gateway; the answers of those that give one within a second. Never rejects. */
  ask(question: Buffer): Promise<readonly Buffer[]>;
  /** Gives up all terms and what it owns, and says so; its own callers are served by the others from now on. */
  leave(): void;
  /** Ends all connections. Requests that are with others are lost. */
  stop(): Promise<void>;
}
