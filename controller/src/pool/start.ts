import { earliest } from './earliest.ts';
import type { PodObserved, PoolObserved, PoolPacing } from './plan.ts';

const firstFailureBackoffMs = 1_000;
const maxFailureBackoffMs = 60_000;

/** A start takes about a second; see {@link lateness}. */
const lateStartMs = 4_000;
const hopelessStartMs = 15_000;

/** How many of the missing generic pods begin to start now, and when to look again. Pure. */
export function planStart(
  pool: PoolObserved,
  pacing: PoolPacing,
  generic: readonly PodObserved[],
  missing: number,
  nowMs: number,
): { readonly count: number; readonly waitMs: number | null } {
  if (missing <= 0) return { count: 0, waitMs: null };
  const waitMs = Math.max(quietWaitMs(pool, pacing, generic, nowMs), failureWaitMs(pool, nowMs));
  if (waitMs > 0) return { count: 0, waitMs };
  const starting = generic.filter((pod) => !pod.isReady);
  const late = starting.map((pod) => lateness(pod, nowMs)).filter(({ isLate }) => isLate);
  const allowed = pool.failures.count > 0 || late.length > 0 ? 1 : pacing.maxStarting; // a pool that fails is probed one pod at a time
  const count = Math.max(0, Math.min(missing, allowed - starting.length));
  return { count, waitMs: earliest(...late.map(({ endsInMs }) => endsInMs)) };
}

/**
 * A pod whose start takes long says that the nodes are busy: then one begins after the other, since each one more would make all of them,
 * and the calls that run, wait. One that takes far too long says nothing any more: its node may be gone.
 */
function lateness(
  { startingSinceMs }: PodObserved,
  nowMs: number,
): { readonly isLate: boolean; readonly endsInMs: number } {
  const ageMs = startingSinceMs === null ? 0 : nowMs - startingSinceMs;
  return { isLate: ageMs >= lateStartMs && ageMs < hopelessStartMs, endsInMs: hopelessStartMs - ageMs };
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
