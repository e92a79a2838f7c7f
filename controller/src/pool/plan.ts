/** One pod of a pool as the plan needs it. */
export interface PodObserved {
  readonly name: string;
  readonly uid: string;
  /** `kappa.dev/ordinal`: the number in its name. */
  readonly ordinal: number;
  readonly state: 'generic' | 'claimed';
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Why a claimed pod is not wanted any more; null = it is. */
  readonly orphan: 'FunctionGone' | 'VersionGone' | null;
}

/** What is known of one pool when its plan is made. */
export interface PoolObserved {
  readonly name: string;
  /** `spec.replicas`: generic pods somebody asked for. */
  readonly replicas: number;
  /** `spec.minReplicas`: the floor. */
  readonly minReplicas: number;
  /** `spec.maxPods`: generic and claimed together. */
  readonly maxPods: number;
  /** `spec.idleSeconds` as milliseconds. */
  readonly idleMs: number;
  /** Some function uses the pool's runtime. */
  readonly isUsed: boolean;
  readonly pods: readonly PodObserved[];
  /** Highest ordinal ever given by this process, so that a stale cache cannot give a number twice. */
  readonly lastOrdinal: number;
  readonly claims: ClaimHistory;
  /** When `replicas` was last raised above the floor, as far as this process saw; epoch ms. */
  readonly raisedAtMs: number;
  /** Generic pods that failed in a row without one getting ready, and when the last did. */
  readonly failures: { readonly count: number; readonly lastAtMs: number };
}

/** Claims of the last half minute: what the refill is paced by. */
export interface ClaimHistory {
  /** Claims within {@link claimWindowMs}. */
  readonly recent: number;
  /** Epoch ms of the last one; 0 = none seen. */
  readonly lastAtMs: number;
}

/** Pacing that belongs to the install, not to a pool. */
export interface PoolPacing {
  /** Generic pods that may be starting at once, >= 1. */
  readonly maxStarting: number;
  /** From creation to Ready, milliseconds: what a claim ahead of need has to bridge. */
  readonly podStartMs: number;
  /** Refill waits that long after a claim: the claimed pods need the CPU more. */
  readonly quietMs: number;
}

/** What to do with a pool. */
export interface PoolPlan {
  /** Ordinals of the generic pods to create. */
  readonly create: readonly number[];
  /** Pods to delete, sorted by name; each with its uid as precondition. */
  readonly remove: readonly { readonly name: string; readonly uid: string; readonly reason: RemoveReason }[];
  /** New `spec.replicas`, or null to leave it. */
  readonly scaleTo: number | null;
  /** When to look again though nothing changes; null = never. */
  readonly requeueAfterMs: number | null;
  /** Generic pods wanted now. */
  readonly wanted: number;
}

/** Why a pod is deleted: it has ended, nobody needs it, or what it runs is gone. */
export type RemoveReason = 'Finished' | 'Surplus' | 'FunctionGone' | 'VersionGone';

/** How far back claims count for the rate. */
export const claimWindowMs = 30_000;
const firstFailureBackoffMs = 1_000;
const maxFailureBackoffMs = 60_000;

/** Decides which pods a pool gets and loses. Pure: takes the time, never reads it. */
export function planPool(pool: PoolObserved, pacing: PoolPacing, nowMs: number): PoolPlan {
  const isOver = (pod: PodObserved): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed';
  const live = pool.pods.filter((pod) => !isOver(pod) && !pod.isTerminating);
  const generic = live.filter((pod) => pod.state === 'generic');
  const wanted = wantedGeneric(pool, pacing, live.length - generic.length);
  const surplus = surplusOf(generic, wanted);
  const start = planStart(pool, pacing, generic, wanted, nowMs);
  const isRaised = pool.replicas > pool.minReplicas;
  const lowerAtMs = Math.max(pool.claims.lastAtMs, pool.raisedAtMs) + pool.idleMs;
  return {
    create: Array.from({ length: start.count }, (_, index) => nextOrdinal(pool) + index),
    remove: [
      ...pool.pods.filter((pod) => isOver(pod) && !pod.isTerminating).map(removal('Finished')),
      ...live.flatMap((pod) => (pod.orphan === null ? [] : [removal(pod.orphan)(pod)])),
      ...surplus.map(removal('Surplus')),
    ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    scaleTo: isRaised && lowerAtMs <= nowMs ? pool.minReplicas : null,
    requeueAfterMs: earliest(start.waitMs, isRaised && lowerAtMs > nowMs ? lowerAtMs - nowMs : null),
    wanted,
  };
}

/** Asked for, or what the claim rate will use up while a pod starts on top of the floor, whichever is more. */
function wantedGeneric(pool: PoolObserved, pacing: PoolPacing, claimed: number): number {
  if (!pool.isUsed) return 0;
  const expectedClaims = Math.ceil((pool.claims.recent / claimWindowMs) * pacing.podStartMs);
  const byRate = expectedClaims > 1 ? pool.minReplicas + expectedClaims : 0;
  return Math.max(0, Math.min(Math.max(pool.replicas, pool.minReplicas, byRate), pool.maxPods - claimed));
}

/** Pods nobody waits for go first: those that are not ready, then the newest. */
function surplusOf(generic: readonly PodObserved[], wanted: number): readonly PodObserved[] {
  const byWorth = [...generic].sort((a, b) => Number(b.isReady) - Number(a.isReady) || a.ordinal - b.ordinal);
  return byWorth.slice(wanted);
}

function planStart(
  pool: PoolObserved,
  pacing: PoolPacing,
  generic: readonly PodObserved[],
  wanted: number,
  nowMs: number,
): { readonly count: number; readonly waitMs: number | null } {
  const missing = wanted - generic.length;
  if (missing <= 0) return { count: 0, waitMs: null };
  const waitMs = Math.max(quietWaitMs(pool, pacing, generic, nowMs), failureWaitMs(pool, nowMs));
  if (waitMs > 0) return { count: 0, waitMs };
  const starting = generic.filter((pod) => !pod.isReady).length;
  const allowed = pool.failures.count > 0 ? 1 : pacing.maxStarting; // a pool that fails is probed one pod at a time
  return { count: Math.max(0, Math.min(missing, allowed - starting)), waitMs: null };
}

/** Refill gives way to claims in flight, unless no pod is left to claim. */
function quietWaitMs(pool: PoolObserved, pacing: PoolPacing, generic: readonly PodObserved[], nowMs: number): number {
  if (!generic.some((pod) => pod.isReady)) return 0;
  return Math.max(0, pool.claims.lastAtMs + pacing.quietMs - nowMs);
}

/** 1 s, 2 s, 4 s … 60 s after pods that failed before they were ready: a broken image must not spin. */
function failureWaitMs({ failures }: PoolObserved, nowMs: number): number {
  if (failures.count === 0) return 0;
  const backoffMs = Math.min(maxFailureBackoffMs, firstFailureBackoffMs * 2 ** Math.min(failures.count - 1, 20));
  return Math.max(0, failures.lastAtMs + backoffMs - nowMs);
}

function nextOrdinal(pool: PoolObserved): number {
  return Math.max(pool.lastOrdinal, ...pool.pods.map((pod) => pod.ordinal), 0) + 1;
}

function removal(reason: RemoveReason): (pod: PodObserved) => PoolPlan['remove'][number] {
  return ({ name, uid }) => ({ name, uid, reason });
}

function earliest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
