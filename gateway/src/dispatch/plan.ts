import type { ThrottleReason } from '../errors.ts';
import type { DispatchLimits } from './limits.ts';
import type { SlotCounts } from './slot.ts';

/** What admission looks at. */
export interface Admission {
  /** Reserved concurrency; null = none. */
  readonly cap: number | null;
  /** Unanswered requests of the function. */
  readonly functionOutstanding: number;
  /** Unanswered requests of the account's functions without reserved concurrency. */
  readonly accountOutstanding: number;
  /** Sum of the account's reserved concurrency. */
  readonly accountReserved: number;
}

/**
 * Whether one more request may come in: null = yes. A function with reserved concurrency is only held by that, all
 * others share what the account has left, as on AWS.
 * @see AWS Lambda Developer Guide, "Understanding Lambda function scaling", reserved concurrency
 */
export function planAdmission(
  seen: Admission,
  limits: Pick<DispatchLimits, 'accountConcurrency' | 'minUnreservedConcurrency'>,
): ThrottleReason | null {
  if (seen.cap !== null) {
    return seen.functionOutstanding >= seen.cap ? 'ReservedFunctionConcurrentInvocationLimitExceeded' : null;
  }
  const unreserved = Math.max(limits.minUnreservedConcurrency, limits.accountConcurrency - seen.accountReserved);
  return seen.accountOutstanding >= unreserved ? 'ConcurrentInvocationLimitExceeded' : null;
}

/** Slots whose pod this gateway has: all but those that are out of reach. */
export function allocatedIn(counts: SlotCounts): number {
  const { Claiming, Starting, Idle, Busy, Finishing, Adopting, Foreign } = counts;
  return Claiming + Starting + Idle + Busy + Finishing + Adopting + Foreign;
}

/** What the number of claims depends on. */
export interface ClaimNeed {
  readonly queued: number;
  readonly counts: SlotCounts;
  /** Reserved concurrency; null = none. */
  readonly cap: number | null;
  /** Running slots of all versions of the function. */
  readonly functionRunning: number;
  /** Slots that must exist even without demand. */
  readonly provisioned: number;
  /** Claimed pods that are being dialled for the first time. */
  readonly coming: number;
  /** Waiting requests that the present slots will have taken before a cold start could; see {@link servedSooner}. */
  readonly servedSooner: number;
  /** 0 = finishing slots count as capacity from now on; else until that time. */
  readonly graceUntilMs: number;
  readonly failures: number;
  readonly pausedUntilMs: number;
}

/**
 * Generic pods to claim right now. Demand is never averaged: each waiting request that no idle, claiming, adopting, coming or (within
 * the grace) finishing slot will serve is one claim.
 *
 * Worked: 5 wait, 1 slot is finishing and within the grace, 1 is claiming without a request: 5 - 1 - 1 = 3 claims; with a
 * cap of 4 and 3 running: 1.
 *
 * A version with two failures or more claims one pod at a time, after a pause: it may not empty the pool.
 */
export function planClaims(need: ClaimNeed, nowMs: number): number {
  if (nowMs < need.pausedUntilMs) return 0;
  const { counts } = need;
  const isInGrace = need.graceUntilMs === 0 || nowMs < need.graceUntilMs;
  const coming =
    need.servedSooner +
    need.coming +
    counts.Idle +
    counts.Claiming +
    counts.Adopting +
    (isInGrace ? counts.Finishing : 0);
  const room = need.cap === null ? Number.POSITIVE_INFINITY : Math.max(0, need.cap - need.functionRunning);
  const forDemand = Math.min(room, Math.max(0, need.queued - coming));
  const allocated = allocatedIn(counts);
  const claims = forDemand + Math.max(0, need.provisioned - allocated - forDemand);
  if (need.failures < 2) return claims;
  return Math.min(claims, Math.max(0, 1 - counts.Claiming - counts.Starting));
}

/**
 * How many waiting requests the slots that run will have taken before a pod that is claimed now could answer. Claiming for them
 * would only make them wait longer: on a stalled machine, where everything waits for a moment, it makes the next stall.
 *
 * Worked: 2 running, 10 ms a request, cold start 60 ms: 12. Nothing is known, or the oldest has waited for two cold starts (so what is
 * known was wrong): 0.
 */
export function servedSooner(seen: {
  /** Slots that run a request now. */
  readonly running: number;
  /** Mean duration of a request on a warm pod; 0 = unknown. */
  readonly meanMs: number;
  /** Mean duration of a first request, init included; 0 = unknown. */
  readonly coldMs: number;
  /** How long the oldest one has waited. */
  readonly waitedMs: number;
}): number {
  const { running, meanMs, coldMs, waitedMs } = seen;
  if (meanMs === 0 || coldMs === 0 || waitedMs > 2 * coldMs) return 0;
  return Math.floor((running * coldMs) / meanMs);
}

/** How long a new pod takes to become generic and ready, roughly. */
const podStartMs = 1_500;

/**
 * How many of the pods that a version misses are worth starting when its pool has none: as many as the work that waits would keep busy
 * for one pod start. A stall of a gateway (one second at 100 requests a second of 10 ms each) must not start a hundred pods that find
 * nothing to do. Unknown durations, and requests that have waited for longer than two pod starts, count in full.
 *
 * Worked: 100 missing, 10 ms each: 1; 100 missing, 1 s each: 67; 100 missing, unknown: 100.
 */
export function podsWorthStarting(need: {
  readonly missing: number;
  /** Mean duration of a request; 0 = unknown. */
  readonly meanMs: number;
  /** How long the oldest one has waited. */
  readonly waitedMs: number;
}): number {
  const { missing, meanMs, waitedMs } = need;
  if (meanMs === 0 || waitedMs > 2 * podStartMs) return missing;
  return Math.min(missing, Math.ceil((missing * meanMs) / podStartMs));
}

/**
 * Pause of claims after `failures` pods in a row without one good invocation: none after the first, then doubling.
 * Worked, 100..5000 ms: 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000 …
 */
export function initPauseMs(
  failures: number,
  limits: Pick<DispatchLimits, 'minInitPauseMs' | 'maxInitPauseMs'>,
): number {
  if (failures < 2) return 0;
  return Math.min(limits.maxInitPauseMs, limits.minInitPauseMs * 2 ** Math.min(failures - 2, 30));
}

/**
 * The zone to take a generic pod from: where the function has fewest slots, then the own zone, then where most generic
 * pods are left, then by name. Undefined = no generic pod at all.
 * @param isShared the function has several owners, of which each covers its own zone: that one comes first
 */
export function chooseZone(
  available: ReadonlyMap<string, { readonly size: number }>,
  slotsByZone: ReadonlyMap<string, number>,
  ownZone: string,
  isShared = false,
): string | undefined {
  let best: string | undefined;
  let bestRank: readonly number[] = [];
  for (const [zone, pods] of available) {
    if (pods.size === 0) continue;
    const farness = zone === ownZone ? 0 : 1;
    const rank = [isShared ? farness : 0, slotsByZone.get(zone) ?? 0, farness, -pods.size];
    if (best === undefined || isBefore(rank, bestRank) || (!isBefore(bestRank, rank) && zone < best)) {
      best = zone;
      bestRank = rank;
    }
  }
  return best;
}

/**
 * How many of the longest idle slots have to go: those idle for too long, but never below what is provisioned; all of
 * a version that is not current.
 * @param idleSinceMs of the idle slots, longest idle first
 * @param allocated slots in any state
 */
export function planExpiry(
  idleSinceMs: readonly number[],
  allocated: number,
  version: { readonly isCurrent: boolean; readonly provisioned: number; readonly idleTimeoutMs: number },
  nowMs: number,
): number {
  if (!version.isCurrent) return idleSinceMs.length;
  const surplus = Math.max(0, allocated - version.provisioned);
  const stale = idleSinceMs.findIndex((since) => nowMs - since < version.idleTimeoutMs);
  return Math.min(surplus, stale === -1 ? idleSinceMs.length : stale);
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  const at = left.findIndex((value, index) => value !== right[index]);
  return at !== -1 && (left[at] ?? 0) < (right[at] ?? 0);
}
