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

/** How long requests of a version take, and wait. */
export interface Pace {
  /** Usual duration of a request on a warm pod, milliseconds; 0 = unknown. */
  readonly meanMs: number;
  /** Usual duration of a first request, init included; 0 = unknown. */
  readonly coldMs: number;
  /**
   * How long the oldest one has waited, or, when some request has always been waiting, since that began; without what went by while this
   * process did not run or agents were late.
   */
  readonly waitedMs: number;
  /** A claim of it is under way that no agent has confirmed within {@link patienceMs}. */
  readonly isStuck: boolean;
  /** Pods that were claimed for it since some request has always been waiting. */
  readonly claimed: number;
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
  /** Invocations that a pod takes at once: slots that a claim brings. */
  readonly width: number;
  /** Slots of claimed pods that are being dialled for the first time. */
  readonly coming: number;
  /** How long requests take; see {@link servedSooner} and {@link claimsWorthMaking}. */
  readonly pace: Pace;
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
 * cap of 4 and 3 running: 1. With pods that take 2 at once: 2 claims. Of functions whose durations are known only as many as are worth it, see {@link claimsWorthMaking}.
 *
 * A version with two failures or more claims one pod at a time, after a pause: it may not empty the pool.
 */
export function planClaims(need: ClaimNeed, nowMs: number): number {
  if (nowMs < need.pausedUntilMs) return 0;
  const { counts } = need;
  const isInGrace = need.graceUntilMs === 0 || nowMs < need.graceUntilMs;
  const coming =
    servedSooner(counts.Busy + counts.Finishing, need.pace) +
    need.coming +
    counts.Idle +
    counts.Claiming +
    counts.Adopting +
    (isInGrace ? counts.Finishing : 0);
  const room = need.cap === null ? Number.POSITIVE_INFINITY : Math.max(0, need.cap - need.functionRunning);
  const missing = Math.ceil(Math.min(room, Math.max(0, need.queued - coming)) / need.width);
  const worth = claimsWorthMaking(missing + counts.Starting, need.pace) - counts.Starting;
  const forDemand = Math.min(missing, Math.max(0, worth));
  const allocated = allocatedIn(counts);
  const short = Math.max(0, need.provisioned - allocated - forDemand * need.width);
  const claims = forDemand + Math.ceil(short / need.width);
  if (need.failures < 2) return claims;
  return Math.min(claims, Math.max(0, 1 - counts.Claiming - counts.Starting));
}

/**
 * How many waiting requests the slots that run will have taken before a pod that is claimed now could answer. Claiming for them
 * would only make them wait longer: on a stalled machine, where everything waits for a moment, it makes the next stall.
 *
 * Worked: 2 running, 10 ms a request, cold start 60 ms: 12. Nothing is known, or the oldest has waited for too long (so what is known was
 * wrong, see {@link claimsWorthMaking}): 0.
 *
 * @param running slots that run a request now
 */
export function servedSooner(running: number, { meanMs, coldMs, waitedMs }: Pace): number {
  if (meanMs === 0 || coldMs === 0 || waitedMs > patienceMs(coldMs)) return 0;
  return Math.floor((running * coldMs) / meanMs);
}

/** Taken for the duration of a first request, init included, where warm requests were seen and no first one. */
export const assumedColdMs = 100;

/**
 * Taken for the duration of requests of which none was seen, where claimed pods are not replaced: the first ones that come at once are
 * given few pods, and more only if they wait on. Each pod that they leave is some other function's first.
 */
export const sparingMeanMs = 10;

/** Claimed pods should work off what waits in about that time. */
const drainMs = 250;

/** A first request that calls other functions counts their time, too: who waits for longer than twice that is not served sooner by anybody. */
const maxColdMs = 1_000;

/** When what is known holds, no request waits for longer, and every agent has confirmed a claim, which it does before the init. */
export function patienceMs(coldMs: number): number {
  return 2 * Math.min(Math.max(drainMs, coldMs), maxColdMs);
}

/**
 * How many claims are worth having under way when `missing` requests (those of the claims included) will be served by no slot: so many
 * that their pods work them off in `drainMs`. Short requests that have come in a bunch, as after a stall, need few pods and would leave
 * the rest idle, and the pool empty for all other functions. Unknown durations: no bound.
 *
 * What is known may be wrong by now. Then the oldest waits on although claimed pods have begun to work, and as many again are worth a claim:
 * that doubles as fast as pods begin. When agents do not even confirm, the machines are late and not the function, and more pods would be
 * late as well.
 *
 * Worked: 130 missing, 10 ms each: 6; 20 of 100 ms: 8; 20 of 300 ms: all. 130 of 10 ms, cold start 60 ms, the oldest has waited for
 * 1,000 ms, 12 were claimed: 12.
 */
export function claimsWorthMaking(missing: number, { meanMs, coldMs, waitedMs, isStuck, claimed }: Pace): number {
  if (meanMs === 0 || coldMs === 0) return Number.POSITIVE_INFINITY;
  const byWork = Math.ceil((missing * meanMs) / drainMs);
  return isStuck || waitedMs <= patienceMs(coldMs) ? byWork : Math.max(byWork, claimed);
}

/** How long a new pod takes to become generic and ready, roughly. */
const podStartMs = 1_500;

/** Taken for the duration of requests before any was seen; a few are worth a pod each all the same. */
const assumedMs = 250;
const aFew = 8;

/**
 * How many of the pods that a version misses are worth starting when its pool has none: as many as the work that waits would keep busy
 * for one pod start. A stall of a gateway (one second at 100 requests a second of 10 ms each) must not start a hundred pods that find
 * nothing to do. What is known may be wrong by now: then the pods that came did not suffice, and as many again are worth starting. That
 * doubles as fast as pods come: where the machines are late, more pods would be late as well.
 *
 * Worked: 100 missing, 10 ms each: 1, when 4 have come 4; 100 missing, 1 s each: 67; unknown: 100 missing 17, 8 missing 8.
 */
export function podsWorthStarting(missing: number, { meanMs, claimed }: Pick<Pace, 'meanMs' | 'claimed'>): number {
  const byWork = Math.ceil((missing * (meanMs || assumedMs)) / podStartMs);
  return Math.min(missing, Math.max(byWork, claimed, meanMs === 0 ? aFew : 0));
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
