import type { PodObserved, PoolObserved, PoolPacing } from './plan.ts';

/** Share of a pool's generic pods that are replaced at once when its template changes; at least one pod. */
const surgeShare = 0.25;
/** Pause between two claimed pods of one pool that are replaced, milliseconds. */
export const drainPauseMs = 2_000;

/** What becomes of a pool's generic pods. */
export interface RollPlan {
  /** Pods of the present template to start now. */
  readonly missing: number;
  /** Pods of the present template that nobody needs. */
  readonly surplus: readonly PodObserved[];
  /** Pods of older templates that are not needed any more. */
  readonly outdated: readonly PodObserved[];
  /** A pod of the present template can be claimed, or none is wanted. */
  readonly hasStandby: boolean;
}

/**
 * Brings the generic pods to `wanted` of the present template. Ones of an older template stay until others are ready in their place, so that there are
 * never fewer ready pods on account of a roll; a quarter of `wanted` may be there on top meanwhile. Only a pool that `maxPods` leaves no
 * room for one more gives up one old pod first. 12 wanted, all old: 3 start, 3 go when these are ready, and so on.
 *
 * @param generic live ones that are ready or on their way
 * @param wanted how many there shall be, at most `room`
 * @param room most that may be there
 */
export function planRoll(generic: readonly PodObserved[], wanted: number, room: number): RollPlan {
  const current = generic.filter((pod) => pod.outdatedSinceMs === null);
  const old = generic.filter((pod) => pod.outdatedSinceMs !== null);
  const ready = current.filter((pod) => pod.isReady).length;
  const surplus = byWorth(current).slice(wanted);
  const most = old.length === 0 ? wanted : Math.min(room, wanted + Math.max(1, Math.floor(wanted * surgeShare)));
  const missing = Math.max(0, Math.min(wanted - current.length, most - generic.length));
  const isStuck = current.length < wanted && missing === 0 && ready === current.length;
  const kept = Math.min(Math.max(0, wanted - ready), isStuck ? old.length - 1 : old.length);
  return {
    missing,
    surplus,
    outdated: byWorth(old).slice(kept),
    hasStandby: wanted === 0 || ready > 0,
  };
}

/**
 * The next claimed pod of an older template that is to be replaced: after it had time to end by idleness, one at a time, and only while another pod
 * stands by. Deleting is graceful: the agent finishes what it runs, and the gateways send nothing new.
 */
export function planDrain(
  pool: PoolObserved,
  { rollAfterMs }: PoolPacing,
  claimed: readonly PodObserved[],
  hasStandby: boolean,
  nowMs: number,
): { readonly pods: readonly PodObserved[]; readonly waitMs: number | null } {
  const dueAtMs = (pod: PodObserved): number => (pod.outdatedSinceMs ?? 0) + rollAfterMs;
  const [next] = claimed
    .filter((pod) => pod.outdatedSinceMs !== null && pod.orphan === null)
    .sort((a, b) => dueAtMs(a) - dueAtMs(b) || a.ordinal - b.ordinal);
  if (next === undefined || !hasStandby) return { pods: [], waitMs: null }; // a pod that gets ready is the next event
  const waitMs = Math.max(dueAtMs(next), pool.lastRollAtMs + drainPauseMs) - nowMs;
  return waitMs > 0 ? { pods: [], waitMs } : { pods: [next], waitMs: drainPauseMs };
}

/**
 * The pods to keep first: those that can be claimed, the same number in each zone, then the oldest. Pods whose zone is unknown count as one zone.
 */
function byWorth(pods: readonly PodObserved[]): readonly PodObserved[] {
  const inOrder = [...pods].sort((a, b) => Number(b.isReady) - Number(a.isReady) || a.ordinal - b.ordinal);
  const ranks = new Map<string, number>();
  const ranked = inOrder.map((pod) => {
    const rank = ranks.get(pod.zone) ?? 0;
    ranks.set(pod.zone, rank + 1);
    return { pod, rank };
  });
  return ranked
    .sort((a, b) => Number(b.pod.isReady) - Number(a.pod.isReady) || a.rank - b.rank || a.pod.ordinal - b.pod.ordinal)
    .map(({ pod }) => pod);
}
