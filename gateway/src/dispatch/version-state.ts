import type { InitError } from './failures.ts';
import { Fifo } from './fifo.ts';
import { IdleSlots } from './idle-slots.ts';
import type { Line } from './limit-queue.ts';
import type { Asks } from './near-pods.ts';
import type { RateLimit } from './rate-limit.ts';
import { type CorePod, type CoreRequest, noSlots, type Slot, type SlotCounts } from './slot.ts';
import type { Target } from './types.ts';

/** What concurrency is counted by: one Function, all its versions together. */
export class FunctionState<P extends CorePod, R extends CoreRequest> {
  /** namespace/name. */
  readonly key: string;
  /** Hard cap of what runs at the same time; null = none of its own. */
  cap: number | null = null;
  /** Slots in a running state, over all versions. Invariant: <= cap, unless the cap was lowered or busy pods were adopted. */
  running = 0;
  /** Requests that were admitted and are not answered: waiting ones included. */
  outstanding = 0;
  /** Its versions that have a state. Without any it is forgotten. */
  readonly versions = new Set<VersionState<P, R>>();
  /** Slots by zone, for the spread. */
  readonly slotsByZone = new Map<string, number>();
  /** Calls in a second under its cap; null = none has come since the cap was set. */
  calls: RateLimit | null = null;
  /** Pods claimed for it; null = none was. */
  scaleOut: RateLimit | null = null;
  /** Requests that wait at a limit, see LimitQueue; null = none does. They are no part of `outstanding`. */
  line: Line<P, R> | null = null;
  readonly account: AccountState;

  constructor(key: string, account: AccountState) {
    this.key = key;
    this.account = account;
  }
}

/** What the account's limit is counted by. */
export interface AccountState {
  readonly id: string;
  /** Unanswered requests of functions without reserved concurrency. */
  outstanding: number;
  /** Sum of reserved concurrency over all functions of the account. */
  reserved: number;
  /** Calls of functions without reserved concurrency that were let in, since the start. */
  letIn: number;
  /** The same in a second; null = none has come. */
  calls: RateLimit | null;
  /** Functions with requests that wait at a limit, and the bytes of these. */
  lines: number;
  linedBytes: number;
}

/** All that dispatch knows of one function version that has a slot, a waiting request or a bad record. */
export class VersionState<P extends CorePod, R extends CoreRequest> {
  readonly uid: string;
  readonly owner: FunctionState<P, R>;
  /** As of the latest call or informer change. */
  target: Target;
  /** Whether it may still get calls; pods of others are drained. */
  isCurrent = true;
  /** Every slot that is not Gone. */
  readonly slots = new Set<Slot<P, R>>();
  /** Its idle slots. */
  readonly idle: IdleSlots<P, R>;
  /** Slots by state; always the sum over `slots`. */
  readonly counts: SlotCounts = noSlots();
  /** Those whose claim no agent has confirmed yet, oldest first. Not of provisioned concurrency: its claims are confirmed after init. */
  readonly unconfirmed = new Set<Slot<P, R>>();
  /** Requests that wait for a pod, oldest first. Empty while a slot is idle, unless the function's cap forbids. */
  readonly queue = new Fifo<R>();
  /** Bytes of their events. */
  queuedBytes = 0;
  /** One more is being offered to other owners; see Offers. */
  isOffering = false;
  /** Until then finishing slots count as capacity for the queue; 0 = nobody waits for one. */
  graceUntilMs = 0;
  /** Since when some request has always been waiting, but for short breaks; null = none does. See Claims. */
  crowdedFromMs: number | null = null;
  /** Pods that were claimed since then. */
  crowdClaims = 0;
  /** Since when none is waiting, while `crowdedFromMs` is set; null = one is. */
  calmFromMs: number | null = null;
  /** Of this second, for an idle pod of it; see NearPods. */
  readonly asks: Asks = { total: 0, inVain: 0, shortSeconds: 0 };
  /** Provisioned pods at the last tick: those that are not provisioned any more begin to be idle then, so that who goes back finds them. */
  kept = 0;
  /** How long warm pods usually take for a request, milliseconds; 0 = none was answered yet. */
  meanMs = 0;
  /** The same of first requests, from the claim on. */
  coldMs = 0;
  /** Agents were late until then: a claim was confirmed only long after it was made. */
  lateUntilMs = Number.NEGATIVE_INFINITY;
  /** Pods in a row that ended without one good invocation. */
  failures = 0;
  /** What the init of the last of them said; null = nothing. */
  initError: InitError | null = null;
  /** When the last of them was counted. */
  failedMs = Number.NEGATIVE_INFINITY;
  /** No claim before that time. */
  pausedUntilMs = 0;

  /** @param zone own zone at this moment; empty = unknown */
  constructor(uid: string, target: Target, owner: FunctionState<P, R>, zone: () => string) {
    this.idle = new IdleSlots(zone);
    this.uid = uid;
    this.target = target;
    this.owner = owner;
  }

  /** A request was answered; what agents that were late have made of it is not what is usual. */
  took({ startedMs }: R, nowMs: number, isWarm: boolean): void {
    const ms = nowMs - startedMs;
    if (!isWarm) this.coldMs = usual(this.coldMs, ms);
    else if (startedMs >= this.lateUntilMs) this.meanMs = usual(this.meanMs, ms);
  }
}

/**
 * A moving geometric mean that one request moves up by a fifth at most: a few that a stall made late are not what is usual.
 * Worked: 10 ms is usual, two requests take 3 s: 14 ms; forty of them: 3 s.
 */
function usual(before: number, ms: number): number {
  const sample = Math.max(0.1, ms);
  return before === 0 ? sample : before * Math.min(4, sample / before) ** (1 / 8);
}
