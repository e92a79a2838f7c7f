import type { DispatchLimits } from './limits.ts';
import { initLimitMs } from './provisioned.ts';
import type { CorePod, CoreRequest, Slot, SlotState } from './slot.ts';
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

  /**
   * The other slots of the pod of `first`, and tells it of them; none when it is alone.
   * @param stateOf of the slot with that place, from 1
   */
  mates(first: Slot<P, R>, stateOf: (place: number) => SlotState): readonly Slot<P, R>[] {
    const { pod, version, deadlineMs, isProven } = first;
    if (version.target.perInstance === 1 || pod.takesSeveral !== true) return [];
    const all = [first];
    while (all.length < version.target.perInstance)
      all.push(this.#make(pod, version, { state: stateOf(all.length), deadlineMs, isProven }));
    for (const slot of all) slot.mates = all;
    return all.slice(1);
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
      mates: null,
      state: what.state,
      request: null,
      idleSinceMs: nowMs,
      deadlineMs: what.deadlineMs,
      claimedMs: nowMs,
      isProven: what.isProven,
    };
  }
}
