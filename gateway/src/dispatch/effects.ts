import type { LambdaError } from '../errors.ts';
import type { InitError } from './failures.ts';
import type { NotOwner } from './ownership.ts';
import type { CorePod, CoreRequest, Slot } from './slot.ts';
import type { Target } from './types.ts';

/** What the core decides and others do. None may call back into the core before it returns. */
export interface CoreEffects<P extends CorePod, R extends CoreRequest> {
  /** Give `slot.request` to the claimed pod. False = provably nothing was sent; the pod is then given up. */
  run(slot: Slot<P, R>): boolean;
  /** Claim `slot.pod` for `slot.version`, with `slot.request` right behind when there is one. */
  claim(slot: Slot<P, R>): void;
  /** The pod is idle and not wanted any more. */
  release(pod: P, reason: string): void;
  /** The request ends with an error of the platform, or goes back to the router. */
  fail(request: R, error: LambdaError | NotOwner): void;
  /** The request is answered with the error of another one's init; it did not run. */
  answer(request: R, error: InitError): void;
  /** See ClusterDoor.wantPods. */
  wantPods(pool: string, count: number): void;
  /** Claims of the version pause for so long: one more pod ended without one good invocation. */
  initFailed(target: Target, pauseMs: number): void;
}

/** Why a slot is given up. */
export interface Loss {
  /** The slot's request provably did not run, so another pod may take it; else it fails with `error`. */
  readonly mayRetry: boolean;
  readonly error: LambdaError;
  /** The function's init may be the cause, so it counts against the version when the pod was not proven. */
  readonly isSuspicious: boolean;
  /** The pod may still run what it was given, unseen: it counts on under a cap. */
  readonly isOutOfReach?: boolean;
  /** The pod runs as many invocations as it may, or this one already. Of several slots only this one is taken from use, until the pod has said that it is free. */
  readonly isBusy?: boolean;
}
