import type { DispatchLimits } from './limits.ts';
import { initLimitMs } from './provisioned.ts';
import type { CorePod, CoreRequest, Slot } from './slot.ts';
import type { Target } from './types.ts';
import type { VersionState } from './version-state.ts';

/** Makes slots and knows until when each may take. */
export class SlotMaker<P extends CorePod, R extends CoreRequest> {
  readonly #limits: Pick<DispatchLimits, 'initTimeoutMs' | 'overdueMarginMs'>;
  readonly #nowMs: () => number;

  constructor(limits: Pick<DispatchLimits, 'initTimeoutMs' | 'overdueMarginMs'>, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** A generic pod that is about to be claimed; Starting still needs its request. */
  claimed(pod: P, version: VersionState<P, R>, state: 'Claiming' | 'Starting'): Slot<P, R> {
    const { initTimeoutMs, overdueMarginMs } = this.#limits;
    const deadlineMs = this.#nowMs() + initLimitMs(state, version.target, initTimeoutMs) + overdueMarginMs;
    return this.#make(pod, version, { state, deadlineMs, isProven: false });
  }

  /** A pod that was claimed before. */
  adopted(pod: P, version: VersionState<P, R>, state: 'Idle' | 'Adopting' | 'Foreign' | 'Lost'): Slot<P, R> {
    const deadlineMs = state === 'Lost' ? this.latestEndMs(version.target) : Number.POSITIVE_INFINITY;
    return this.#make(pod, version, { state, deadlineMs, isProven: true });
  }

  /** Puts the request on the slot. */
  bind(slot: Slot<P, R>, request: R): void {
    request.attempts += 1;
    request.startedMs = this.#nowMs();
    slot.request = request;
    const initMs = slot.isProven ? 0 : this.#limits.initTimeoutMs;
    slot.deadlineMs = request.startedMs + slot.version.target.timeoutMs + initMs + this.#limits.overdueMarginMs;
  }

  /** An invocation that was started before now has ended by then, init and all: the agent sees to it. */
  latestEndMs(target: Target): number {
    return this.#nowMs() + target.timeoutMs + this.#limits.initTimeoutMs + this.#limits.overdueMarginMs;
  }

  #make(pod: P, version: VersionState<P, R>, what: Pick<Slot<P, R>, 'state' | 'deadlineMs' | 'isProven'>): Slot<P, R> {
    const nowMs = this.#nowMs();
    return {
      pod,
      version,
      state: what.state,
      request: null,
      idleSinceMs: nowMs,
      deadlineMs: what.deadlineMs,
      claimedMs: nowMs,
      isProven: what.isProven,
    };
  }
}
