import { unpackedMaxBytes } from '@kappa/crds/limits';

/** Bounds and waits of dispatch. Every one is an option, so that tests need not wait. */
export interface DispatchLimits {
  /** Unanswered requests of one account, functions with reserved concurrency not counted. AWS's default is 1,000. */
  readonly accountConcurrency: number;
  /** Of the account's limit this much is always left to functions without reserved concurrency, as on AWS. */
  readonly minUnreservedConcurrency: number;
  /** Calls in a second for each unit of concurrency: of the account's, or of what a function has reserved. 0 = no limit. */
  readonly callsPerConcurrency: number;
  /** Pods that may be claimed for one function in `scaleOutMs`; one comes back each `scaleOutMs` / `scaleOutPods`. */
  readonly scaleOutPods: number;
  readonly scaleOutMs: number;
  /** Requests of one function version that may wait for a pod. */
  readonly maxQueued: number;
  /** Bytes of their events, and of those of one function that wait at a limit. One request may always wait, whatever its size. */
  readonly maxQueuedBytes: number;
  /** Bytes of all waiting events of this gateway. */
  readonly maxTotalQueuedBytes: number;
  /** Of those the ones that wait at a limit, and of these the ones of one account: the rest is for those who wait for pods, and for other accounts. */
  readonly maxLinedBytes: number;
  readonly maxAccountLinedBytes: number;
  /** A request waits so long for a pod before it is offered to the function's other owners. */
  readonly offerAfterMs: number;
  /** A request waits so long for a pod, then it is the platform's error. Not part of the function's timeout. */
  readonly capacityBudgetMs: number;
  /** A request waits so long for a pod that has answered but not reported, before another pod is claimed. */
  readonly finishGraceMs: number;
  /** When for no longer than this nobody waits, a version's requests count as waiting all the time. */
  readonly crowdBreakMs: number;
  /** A pod that the cluster shows as claimed is waited for so long when it is dialled first, before another one is claimed. */
  readonly comingMs: number;
  /** After the start provisioned concurrency waits at most so long for the first dials of all known pods. */
  readonly provisionHoldMs: number;
  /** One of several owners claims a pod of its zone for calls to come no more often than this. */
  readonly nearPauseMs: number;
  /** Time limit of a function's init, milliseconds. */
  readonly initTimeoutMs: number;
  /** Code and layers of one function together, unpacked, bytes. */
  readonly maxUnpackedBytes: number;
  /** On top of the function's timeout (and of the init's) before the gateway gives a silent pod up. */
  readonly overdueMarginMs: number;
  /** A request that provably did not run is tried so many times in all. */
  readonly maxAttempts: number;
  /** Claims pause after the second pod in a row that ended without one good invocation, then twice as long each time. */
  readonly minInitPauseMs: number;
  readonly maxInitPauseMs: number;
  /** A pod of a version that nobody knows is drained after that time: another gateway may know a newer version. */
  readonly orphanGraceMs: number;
  /** A pod that runs another one's invocation is asked again so often whether it is free, in case nobody has told. */
  readonly foreignPollMs: number;
  /** Pause before a pod that could not be reached is dialled again. */
  readonly redialMs: number;
  /** How often deadlines are looked at; the error of every wait above 100 ms. */
  readonly tickMs: number;
  /** Period of the heartbeats; a dead pod is lost after four of them. */
  readonly heartbeatMs: number;
  /** A new term of a function with reserved concurrency waits at most so long for its pods' answers. */
  readonly fenceMs: number;
  /** A pod that was refused, or lost to another gateway, is not adopted again before that time. */
  readonly readoptMs: number;
}

/** How calls wait that are above a limit, of one function at one gateway. */
export interface LimitQueueRules {
  /** Then the call is refused as if it had not waited. */
  readonly maxWaitMs: number;
  /** Calls that wait at the same time. */
  readonly maxCount: number;
}

/** What holds unless the install or a test says otherwise. */
export const defaultLimits: DispatchLimits = Object.freeze({
  accountConcurrency: 1000,
  minUnreservedConcurrency: 100,
  callsPerConcurrency: 10,
  scaleOutPods: 1000,
  scaleOutMs: 10_000,
  maxQueued: 1000,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxTotalQueuedBytes: 256 * 1024 * 1024,
  maxLinedBytes: 128 * 1024 * 1024,
  maxAccountLinedBytes: 64 * 1024 * 1024,
  offerAfterMs: 100,
  capacityBudgetMs: 30_000,
  finishGraceMs: 20,
  crowdBreakMs: 50,
  comingMs: 250,
  provisionHoldMs: 3_000,
  nearPauseMs: 10_000,
  initTimeoutMs: 10_000,
  maxUnpackedBytes: unpackedMaxBytes,
  overdueMarginMs: 5_000,
  maxAttempts: 5,
  minInitPauseMs: 250,
  maxInitPauseMs: 10_000,
  orphanGraceMs: 10_000,
  foreignPollMs: 1_000,
  redialMs: 1_000,
  tickMs: 100,
  heartbeatMs: 750,
  fenceMs: 500,
  readoptMs: 1_000,
});
