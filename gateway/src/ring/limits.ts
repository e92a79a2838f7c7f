/** Times and bounds of the ring. Every one is an option, so that tests need not wait. All milliseconds are monotonic. */
export interface RingLimits {
  /** A RING goes to every peer so often, and sooner when something changed. */
  readonly heartbeatMs: number;
  /** A peer that was not heard for so long, and for QUIET_TICKS own heartbeats, gets no new requests that another one can take. It stays an owner. */
  readonly quietMs: number;
  /** A peer that was not heard for so long is not asked for an idle pod: two heartbeats. */
  readonly askMs: number;
  /** So long after the gateways of a zone were heard its pods are judged by their own heartbeats alone. */
  readonly darkMs: number;
  /** A peer that was not heard for so long is not alive. */
  readonly silenceMs: number;
  /** A vote counts so long, from when the RING that it answers was sent. Less than `waitMs` by more than clocks may drift. */
  readonly grantMs: number;
  /** What a voter has said binds it for so long. */
  readonly waitMs: number;
  /** A gap between two ticks above this is a pause of this process: others get another `silenceMs`. */
  readonly pauseMs: number;
  /** A new life waits at most so long for members that it has never heard before it takes anything over. */
  readonly introductionMs: number;
  /** ... and, when it has met none that voted before, before it votes. */
  readonly admissionMs: number;
  /** A former member that Kubernetes no longer shows and that is silent for so long is taken for ended. */
  readonly goneMs: number;
  /** Running invocations of one function per owner, from which it gets one more. */
  readonly runningPerOwner: number;
  /** The number of owners falls no sooner than this. */
  readonly hotHoldMs: number;
  /** A function that was called steadily has an owner in every zone until no second has been busy for so long. */
  readonly steadyHoldMs: number;
  /** A request for a reserved function without a holder is tried again so often, unless the ring changes before. */
  readonly retryMs: number;
  /** ... and for so long in all. */
  readonly retryBudgetMs: number;
  /** Pause before a peer is dialled again. */
  readonly redialMs: number;
  /** A connection that is not authenticated by then is closed. */
  readonly handshakeMs: number;
  /** Bytes of events of forwarded requests that this gateway holds for others at one time. */
  readonly maxForwardedBytes: number;
  /** Connections from other gateways. */
  readonly maxConnections: number;
  /** Forwarded requests of one connection that are not answered yet. */
  readonly maxStreams: number;
  /** On top of the function's timeout before a forwarded request without an answer is given up: capacity, init, margin. */
  readonly forwardMarginMs: number;
  /** An owner that had no idle pod is not asked again for so long. */
  readonly busyMemoMs: number;
}

/** What holds unless a test says otherwise. */
export const defaultRingLimits: RingLimits = Object.freeze({
  heartbeatMs: 100,
  quietMs: 250,
  askMs: 200,
  darkMs: 4000,
  silenceMs: 1000,
  grantMs: 700,
  waitMs: 1000,
  pauseMs: 500,
  introductionMs: 2000,
  admissionMs: 10_000,
  goneMs: 10_000,
  runningPerOwner: 32,
  hotHoldMs: 10_000,
  steadyHoldMs: 30_000,
  retryMs: 50,
  retryBudgetMs: 5000,
  redialMs: 200,
  handshakeMs: 5000,
  maxForwardedBytes: 128 * 1024 * 1024,
  maxConnections: 128,
  maxStreams: 2048,
  forwardMarginMs: 30_000 + 10_000 + 10_000,
  busyMemoMs: 50,
});
