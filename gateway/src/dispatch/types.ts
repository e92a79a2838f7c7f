import type { ThrottleReason } from '../errors.ts';
import type { StreamedBody } from './answer-stream.ts';
import type { DispatchStats } from './dispatch-stats.ts';
import type { LimitQueueRules } from './limits.ts';
import type { PodSize } from './plan-reclaim.ts';

/** One function version as dispatch needs it; made by the registry from the informers, frozen. */
export interface Target {
  /** metadata.uid of the FunctionVersion: what a claim is for. */
  readonly versionUid: string;
  /** metadata.name of the FunctionVersion. */
  readonly versionName: string;
  readonly namespace: string;
  /** Twelve digits. */
  readonly accountId: string;
  /** metadata.name of the Function. */
  readonly functionObjectName: string;
  /** Lambda's name of the function. */
  readonly functionName: string;
  /** `$LATEST` or digits. */
  readonly version: string;
  /** Name of the Pool that its pods come from. */
  readonly pool: string;
  /** Runtime identifier, or `image`. */
  readonly runtime: string;
  /** Of an image the first word of CMD; may be empty. */
  readonly handler: string;
  readonly memoryMiB: number;
  /** The function's own time limit, 1,000..900,000. */
  readonly timeoutMs: number;
  /** Invocations that one pod takes at the same time, 1..128. */
  readonly perInstance: number;
  /** Hard cap of the whole function (all its versions); null = only the account's limit; 0 = always throttled. */
  readonly reservedConcurrency: number | null;
  /** Pods of this version that are kept claimed and initialised, whether called or not. */
  readonly provisionedConcurrency: number;
  /** Calls above a limit wait. Absent = they are refused at once. */
  readonly limitQueue?: LimitQueueRules;
  /** A pod that was not called for so long is given up. */
  readonly idleTimeoutMs: number;
  /** Hex digest of the code zip in the blob store. */
  readonly codeSha256: string;
  readonly codeBytes: number;
  /** Zips in the blob store, in the order in which they are unpacked. */
  readonly layers: readonly LayerZip[];
  /** Absent = the code is a zip. */
  readonly image?: TargetImage;
  readonly logFormat: 'Text' | 'JSON';
  /** What a JSON log leaves out; absent = INFO. */
  readonly applicationLogLevel?: string;
  readonly systemLogLevel?: string;
  /** What its processes do between calls; absent = Frozen. */
  readonly idle?: 'Frozen' | 'Running';
  readonly region: string;
  /** Absent = the function has no role. */
  readonly role?: TargetRole;
  /** The user's variables, references resolved; cached by the registry. May reject with a LambdaError. */
  readonly environment: () => Promise<Readonly<Record<string, string>>>;
}

/** What a version from an image starts. */
export interface TargetImage {
  /** ENTRYPOINT and CMD, at least one word. */
  readonly process: readonly string[];
  /** Absent = the image's own. */
  readonly workingDirectory?: string;
}

/** A layer of a version. */
export interface LayerZip {
  /** Hex digest. */
  readonly sha256: string;
  readonly bytes: number;
}

/** The role of a function, and how its code gets credentials of it. */
export interface TargetRole {
  readonly arn: string;
  /** Where functions reach STS. */
  readonly stsUrl: string;
  /** What STS takes for the role: another text once the one before begins to get old. */
  readonly token: () => string;
}

/** One call of a function. */
export interface Invocation {
  readonly requestId: string;
  readonly invokedFunctionArn: string;
  /** JSON bytes, never parsed here. */
  readonly event: Buffer;
  readonly traceId?: string;
  /** JSON text of the client context. */
  readonly clientContext?: string;
  /** The last 4 KiB of the log are wanted in the report. */
  readonly tail: boolean;
  /**
   * Whether nobody waits for the answer any more. Asked when a request that had to wait is about to get a pod: it then
   * ends with RequestAbandoned instead. One that runs is never stopped. Absent = somebody does.
   */
  readonly isAbandoned?: () => boolean;
  /** The answer may come while the function writes it. Absent = it is wanted whole. */
  readonly stream?: StreamWish;
  /** An event of the queue: synchronous calls go before it (see CoreRequest). Absent = somebody waits for the answer. */
  readonly isAsync?: boolean;
}

/** How an answer may be streamed; body of the key `stream` of INVOKE. */
export interface StreamWish {
  /** STREAM_WINDOW_BYTES. */
  readonly windowBytes: number;
  /** Of the whole answer. */
  readonly maxBytes: number;
}

/** What the agent says when a pod is free again. @see runtime-images/link/frames.yaml, REPORT */
export interface Report {
  readonly status: 'success' | 'error' | 'timeout' | 'failure';
  readonly errorType?: string;
  readonly durationMs: number;
  readonly billedDurationMs: number;
  readonly initDurationMs?: number;
  readonly memorySizeMiB: number;
  readonly maxMemoryMiB: number;
  /** base64, at most 4,096 bytes of log, when the invocation asked for its tail. */
  readonly logTail?: string;
}

/** `cold` = the invocation claimed its pod, so it waited for the function's init. */
export type Start = 'warm' | 'cold';

/** The function's answer, good or bad. */
export interface Outcome {
  readonly kind: 'response' | 'error';
  /** Empty when the answer is streamed. */
  readonly payload: Buffer;
  readonly contentType: string | undefined;
  readonly errorType: string | undefined;
  /** The answer while it is written; null or absent = it is in `payload`, also when a stream was asked for: the function decides. */
  readonly body?: StreamedBody | null;
  readonly start: Start;
  /** From arrival until a pod was given the request, init not included. */
  readonly waitMs: number;
  /** Settles after the answer, when the pod is free again. Never rejects: null when the pod was lost before. */
  readonly report: Promise<Report | null>;
}

/** A pod of a pool as the informer shows it. */
export interface PoolPod {
  readonly name: string;
  readonly uid: string;
  /** Empty while it has none. */
  readonly ip: string;
  /** Empty when unknown. */
  readonly zone: string;
  readonly pool: string;
  readonly ready: boolean;
  /** It is going away, or has ended. */
  readonly terminating: boolean;
  /** Its processes have ended (phase Succeeded or Failed). Absent = not known apart from `terminating`. */
  readonly isOver?: boolean;
  readonly state: 'generic' | 'claimed';
  /** From the annotation; null when generic. */
  readonly versionUid: string | null;
  /** It fits on no node for want of CPU, memory or number of pods. Absent = it does, or nobody has said so yet. */
  readonly isShort?: boolean;
  /** Where it runs; absent or empty = unknown, or nowhere. */
  readonly node?: string;
  /** What it asks its node for; absent = unknown. */
  readonly size?: PodSize;
  /** The gateway whose claim waits for it while it has no room; absent or empty = none said so. */
  readonly awaitedBy?: string;
  /** Uid of the pod for which it was given up; absent or empty = it was not. */
  readonly reclaimedFor?: string;
  /** Why its init has failed; absent or empty = it did not, or nobody has said so. */
  readonly initError?: string;
}

/** Runs invocations on pods: who waits, where each one runs, which pod is claimed, which one is given up. */
export interface Dispatcher {
  /**
   * Runs one invocation; waits for capacity within its own budget. A function error is an Outcome of kind `error`.
   * @throws LambdaError 429 TooManyRequests (with reason), 500 ServiceException (platform), 502 InvalidZipFile
   * @throws NotOwner for a function with reserved concurrency that this gateway has no term of (also when it was lost while the
   *   request waited); NoIdleSlot with `onlyIdle`. In both cases it provably did not run.
   */
  invoke(target: Target, invocation: Invocation, options?: InvokeOptions): Promise<Outcome>;
  /** One pool pod as it is now, null = deleted. Called on every change; `key` is namespace/name. */
  onPod(key: string, pod: PoolPod | null): void;
  /**
   * Versions that may still get calls, by versionUid; pods of all others are drained. Call it only with a complete
   * map (after every informer has synced): the first call allows dispatch to drain.
   */
  onVersions(current: ReadonlyMap<string, Target>): void;
  /** The ring has changed, so may have what this gateway owns and which terms it holds. Cheap when nothing did. */
  onRing(): void;
  /** What the other gateways should know of this one. */
  load(): DispatchLoad;
  /** Graceful end: waits until nothing is in flight, at most until `signal` aborts, then lets go of every link. */
  drain(signal: AbortSignal): Promise<void>;
  /** Numbers of this moment, for gauges. */
  stats(): DispatchStats;
}

/** How one request is dispatched. */
export interface InvokeOptions {
  /** Run it on an idle pod or not at all: no claim, no waiting. */
  readonly onlyIdle?: boolean;
  /** With `onlyIdle`: another gateway asks, for a caller of its own. */
  readonly isForwarded?: boolean;
}

/** What one gateway has on its hands. */
export interface DispatchLoad {
  /** Unanswered requests of functions without reserved concurrency by account; only those that have some. */
  readonly accounts: ReadonlyMap<string, number>;
  /** Calls of functions without reserved concurrency that were let in, by account, since the start; only ever grows. */
  readonly calls: ReadonlyMap<string, number>;
  /** Running slots by function (namespace/name); only those that have some. */
  readonly running: ReadonlyMap<string, number>;
}

/** What dispatch wants from the cluster. Never awaited by a request; retries are the implementation's. */
export interface ClusterDoor {
  /**
   * `pod` now runs `target` for ever: labels and size should follow. May be called again for the same pod.
   * @param initError why init has failed there, so that it ends again; absent = it did not, or that is not known yet
   */
  claimed(pod: PoolPod, target: Target, initError?: string): void;
  /**
   * `count` claims of this pool wait for a generic pod right now, on top of those that exist; 0 = none any more.
   * A level: said when it rises (at most once per turn of the event loop) and again each second, falls included.
   */
  wantPods(pool: string, count: number): void;
  /** A claim of that gateway waits for `pod`, which has no room; empty = not any more. Every gateway should see it. */
  awaited(pod: PoolPod, gatewayId: string): void;
  /** The idle `pod` was given up so that the pod with that uid finds room: every gateway should see it. */
  reclaimed(pod: PoolPod, forUid: string): void;
}

/** Told what happens, for counters and histograms. Called on the hot path: must be cheap, must not throw. */
export interface DispatchObserver {
  /** A pod was given the invocation after `waitMs`. */
  started(target: Target, start: Start, waitMs: number): void;
  /** The pod is free again; null = it was lost before its report. */
  reported(target: Target, start: Start, report: Report | null): void;
  /** The invocation was refused with 429. */
  throttled(target: Target, reason: ThrottleReason): void;
  /** The invocation ended with a platform error; `code` is LambdaError.code. */
  failed(target: Target, code: string): void;
  /** A generic pod was claimed (`lost` = the claim was refused, or the pod lost, before it was confirmed). */
  claimed(pool: string, result: 'claimed' | 'lost'): void;
  /** A pod ended without one good invocation; claims of this version pause for `pauseMs`. */
  initFailed(target: Target, pauseMs: number): void;
  /** The idle `pod` of that version was given up so that another one finds room on the nodes. */
  reclaimed(target: Target, pod: PoolPod): void;
}
