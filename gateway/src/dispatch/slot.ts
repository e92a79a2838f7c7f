import type { VersionState } from './version-state.ts';

/*
 * The life of a slot = the place for one invocation in a claimed pod, from the claim to its end. A pod has as many as its function takes
 * invocations at once: mates. They are claimed together, and the pod takes nothing more when one of them is lost: those that are Claiming
 * or Idle go with it, those that run something end by themselves. A pod that refuses because it is Busy is not lost: that slot is Foreign.
 *
 *   Claiming   SPECIALIZE alone is on its way (provisioned concurrency); runs the init, no request
 *   Starting   SPECIALIZE and INVOKE are on their way together: a cold start with its request
 *   Idle       on the version's stack
 *   Busy       runs a request of this gateway
 *   Finishing  has answered; REPORT is not in, so the pod is not free
 *   Adopting   ADOPT is on its way for a pod that another gateway (or an earlier life of this one) held, and that was idle
 *   Foreign    runs a request whose answer does not come here: another gateway's, or an earlier life's
 *   Lost       of a function with reserved concurrency: the pod is out of reach and may still run its request, so it counts on,
 *              until it is seen again, has ended, or its deadline is over
 *   Gone       given up: drained, lost, refused, overdue or another gateway's by now; never comes back
 *
 * What is not listed is a bug, not a case to handle.
 */
export type SlotState =
  | 'Claiming'
  | 'Starting'
  | 'Idle'
  | 'Busy'
  | 'Finishing'
  | 'Adopting'
  | 'Foreign'
  | 'Lost'
  | 'Gone';
/** What can happen to a slot; which state each one leads to stands in `transitions`. */
export type SlotEvent =
  | 'confirmed'
  | 'taken'
  | 'answered'
  | 'reported'
  | 'freed'
  | 'foundBusy'
  | 'vanished'
  | 'dropped';

const transitions: Readonly<Record<SlotState, Partial<Record<SlotEvent, SlotState>>>> = {
  Claiming: { confirmed: 'Idle', dropped: 'Gone' },
  Starting: { confirmed: 'Starting', answered: 'Finishing', reported: 'Idle', vanished: 'Lost', dropped: 'Gone' },
  Idle: { taken: 'Busy', dropped: 'Gone' },
  Busy: { answered: 'Finishing', reported: 'Idle', foundBusy: 'Foreign', vanished: 'Lost', dropped: 'Gone' },
  Finishing: { reported: 'Idle', vanished: 'Lost', dropped: 'Gone' },
  Adopting: { freed: 'Idle', foundBusy: 'Foreign', vanished: 'Lost', dropped: 'Gone' },
  Foreign: { freed: 'Idle', vanished: 'Lost', dropped: 'Gone' },
  Lost: { dropped: 'Gone' },
  Gone: {},
};

/** States in which user code may run for a request, as far as this gateway knows: what reserved concurrency caps. */
const running: Readonly<Record<SlotState, number>> = {
  Claiming: 0,
  Starting: 1,
  Idle: 0,
  Busy: 1,
  Finishing: 1,
  Adopting: 1,
  Foreign: 1,
  Lost: 1,
  Gone: 0,
};

/** 1 when a slot in `state` counts against the function's concurrency, else 0. */
export function runningIn(state: SlotState): number {
  return running[state];
}

/** @throws Error when `event` may not happen in `state` */
export function nextSlotState(state: SlotState, event: SlotEvent): SlotState {
  const next = transitions[state][event];
  if (next === undefined) throw new Error(`illegal slot transition: ${event} while ${state}`);
  return next;
}

/** Slots by state, of a version or of the whole gateway. */
export type SlotCounts = Record<SlotState, number>;

/** All counts 0; each caller gets an object of its own. */
export function noSlots(): SlotCounts {
  return { Claiming: 0, Starting: 0, Idle: 0, Busy: 0, Finishing: 0, Adopting: 0, Foreign: 0, Lost: 0, Gone: 0 };
}

/** What the core must know of a pod. */
export interface CorePod {
  readonly pool: string;
  readonly zone: string;
  /** It did not answer the last heartbeat: chosen last. */
  readonly isSuspect: boolean;
  /** Of generic pods that are equal otherwise the one with the lowest is claimed: each gateway has its own order. */
  readonly preference: number;
  /** It takes several invocations at once, where the function does. Absent = it does not. */
  readonly takesSeveral?: boolean;
}

/** What the core must know of a request. */
export interface CoreRequest {
  /** Size of the event. */
  readonly bytes: number;
  /** When it came in; the core sets it anew when it lets one in that has waited at a limit: from then on it waits for a pod. */
  arrivedMs: number;
  /** Nobody waits for its answer any more. */
  isAbandoned(): boolean;
  /** It has a queue of its own to go back to: it does not count among the calls of a second, and waits at no limit. Absent = it has none. */
  readonly isAsync?: boolean;
  /** How often it was given to a pod; the core counts. */
  attempts: number;
  /** When it was given to a pod, the last time; the core writes it. */
  startedMs: number;
}

/** Place for one invocation in a claimed pod. Only the core changes it. */
export interface Slot<P extends CorePod, R extends CoreRequest> {
  readonly pod: P;
  readonly version: VersionState<P, R>;
  /** All slots of the pod, this one included, in the order in which they were made; null = it is alone. */
  mates: readonly Slot<P, R>[] | null;
  state: SlotState;
  /** The request that is not answered yet; set in Starting and Busy only. */
  request: R | null;
  /** Since when it is Idle; meaningless in other states. */
  idleSinceMs: number;
  /** When the running invocation is given up; meaningless unless Starting, Busy, Finishing, Claiming or Lost. */
  deadlineMs: number;
  /** When the core decided on it. */
  readonly claimedMs: number;
  /** It has run at least one invocation to its end, and goes on: its init works. */
  isProven: boolean;
}

/** All slots of its pod. */
export function slotsOfPod<P extends CorePod, R extends CoreRequest>(slot: Slot<P, R>): readonly Slot<P, R>[] {
  return slot.mates ?? [slot];
}

/** Something of this gateway runs there: it ends here, whoever holds the pod. */
export function isAtWork({ request, state }: Slot<CorePod, CoreRequest>): boolean {
  return request !== null || state === 'Finishing';
}

/** The pod was another gateway's for a while, and has fewer slots than it could have: it is to be taken anew when nothing runs there. */
export function hasLostMates({ mates }: Slot<CorePod, CoreRequest>): boolean {
  return mates?.some(({ state }) => state === 'Gone') === true;
}
