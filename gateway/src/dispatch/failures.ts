import type { CoreClock } from './claims.ts';
import type { CoreEffects } from './effects.ts';
import type { DispatchLimits } from './limits.ts';
import { initPauseMs } from './plan.ts';
import type { CorePod, CoreRequest, Slot } from './slot.ts';
import type { VersionState } from './version-state.ts';

/** What a function's init has answered. */
export interface InitError {
  readonly payload: Buffer;
  readonly contentType: string | undefined;
  readonly errorType: string | undefined;
  /** Of the call that got it; the payload may name it. */
  readonly requestId: string;
}

/*
 * Versions whose pods end before one good invocation. The next claim pauses, longer each time (initPauseMs): with 20 calls a second
 * they use up ten pods or so in the first minute, then six a minute, whatever the rate. From the second failure in a row on, when the init has
 * said what is wrong,
 *
 *   who waits      gets that error: the next pod would say the same
 *   who comes      gets it at once while claims pause and nothing of the version runs; when the pause is over one of them tries again
 *
 * as Lambda's callers get their init's error, but each with a try of its own. So an init whose cause has gone away (a database
 * that is back) is noticed one pause later, `maxInitPauseMs` at most; new code or configuration is another version and is tried at once.
 */
export class Failures<P extends CorePod, R extends CoreRequest> {
  readonly #limits: Pick<DispatchLimits, 'minInitPauseMs' | 'maxInitPauseMs' | 'initTimeoutMs'>;
  readonly #clock: Pick<CoreClock, 'nowMs'>;
  readonly #effects: Pick<CoreEffects<P, R>, 'initFailed' | 'answer'>;

  constructor(
    limits: Pick<DispatchLimits, 'minInitPauseMs' | 'maxInitPauseMs' | 'initTimeoutMs'>,
    clock: Pick<CoreClock, 'nowMs'>,
    effects: Pick<CoreEffects<P, R>, 'initFailed' | 'answer'>,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#effects = effects;
  }

  /**
   * The pod of `slot` has ended without one good invocation.
   * @param error what its init said; null = it said nothing, or it was not the init
   */
  note({ version, claimedMs }: Slot<P, R>, error: InitError | null): void {
    const nowMs = this.#clock.nowMs();
    version.failures += 1;
    version.failedMs = nowMs;
    // An init that took too long runs once more with its call: then it may be the call that failed, which says nothing of others.
    version.initError = nowMs - claimedMs < this.#limits.initTimeoutMs ? error : null;
    const pauseMs = initPauseMs(version.failures, this.#limits);
    version.pausedUntilMs = nowMs + pauseMs;
    this.#effects.initFailed(version.target, pauseMs);
  }

  /** The same, unless it has had one, or a mate that has ended before `slot` was counted. */
  ended(slot: Slot<P, R>, error: InitError | null): void {
    const isCounted = slot.mates !== null && slot.claimedMs <= slot.version.failedMs;
    if (!slot.isProven && !isCounted) this.note(slot, error);
  }

  /** The pod of `slot` has had a good invocation. */
  forgive(slot: Slot<P, R>): void {
    const { version } = slot;
    if (!slot.isProven) for (const mate of slot.mates ?? []) mate.isProven = true;
    slot.isProven = true;
    version.failures = 0;
    version.pausedUntilMs = 0;
    version.initError = null;
  }

  /** What everybody who waits for a pod of the version gets; null = they wait on. */
  answerOf({ failures, initError }: VersionState<P, R>): InitError | null {
    return failures < 2 ? null : initError;
  }

  /** Answers who comes now, where it would only wait for a pod that says the same. False = it is to have a pod. */
  answer(version: VersionState<P, R>, request: R): boolean {
    if (version.slots.size > 0 || this.#clock.nowMs() >= version.pausedUntilMs) return false;
    const error = this.answerOf(version);
    if (error !== null) this.#effects.answer(request, error);
    return error !== null;
  }
}
