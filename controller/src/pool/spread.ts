import type { PodObserved, PoolObserved } from './plan.ts';

/** First pause between two tries to fill an empty zone, milliseconds; doubles up to the longest: a zone may be away for days. */
const firstPauseMs = 60_000;
const longestPauseMs = 1_800_000;
/** A try is given up after so long, milliseconds. */
const tryMs = 30_000;

/** How the zones of a pool stand; soft state of this process. */
export interface SpreadState {
  /** Zones that pods of the pool were seen in; only Kubernetes 1.35 and later tells them. */
  readonly zones: readonly string[];
  /** One pod more than wanted is there to fill an empty zone. */
  readonly isUnderway: boolean;
  /** When the last try began, epoch ms; 0 = never. */
  readonly sinceMs: number;
  /** Tries since all zones had a pod. */
  readonly tries: number;
}

/** What to do about zones without a pod to claim. */
export interface SpreadPlan {
  /** Pods to have on top of those wanted: 0 or 1. */
  readonly extra: number;
  /** What the state becomes; null = it stays. */
  readonly step: 'Begin' | 'End' | 'Even' | null;
  /** When to look again, milliseconds from now; null = never. */
  readonly waitMs: number | null;
}

/**
 * Brings pods to claim back into a zone that had been lost. What is there is not moved, and nothing is missing, so that nothing would be made: at
 * rest, with a zone empty that was seen before, one more pod is started. The scheduler puts it where fewest are; as soon as it is
 * ready the fullest zone has one too many, which goes as surplus. One at a time, and ever more seldom while it does not help.
 *
 * @param generic live ones that are ready or on their way
 */
export function planSpread(
  { spread }: Pick<PoolObserved, 'spread'>,
  generic: readonly PodObserved[],
  wanted: number,
  room: number,
  nowMs: number,
): SpreadPlan {
  const isCalm = generic.every((pod) => pod.isReady && pod.outdatedSinceMs === null);
  if (spread.isUnderway) {
    const isDone = (isCalm && generic.length > wanted) || spread.sinceMs + tryMs <= nowMs || room <= wanted;
    if (isDone) return { extra: 0, step: 'End', waitMs: null };
    return { extra: 1, step: null, waitMs: spread.sinceMs + tryMs - nowMs };
  }
  const filled = new Set(generic.map(({ zone }) => zone));
  if (spread.zones.every((zone) => filled.has(zone))) {
    return { extra: 0, step: spread.tries > 0 ? 'Even' : null, waitMs: null };
  }
  const isAtRest = isCalm && generic.length === wanted && wanted >= spread.zones.length && room > wanted;
  if (!isAtRest) return { extra: 0, step: null, waitMs: null }; // each change of a pod leads here again
  const waitMs = spread.sinceMs + Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(spread.tries, 20)) - nowMs;
  return waitMs > 0 ? { extra: 0, step: null, waitMs } : { extra: 1, step: 'Begin', waitMs: tryMs };
}

/** The state after a step. */
export function nextSpread(state: SpreadState, step: SpreadPlan['step'], nowMs: number): SpreadState {
  if (step === 'Begin') return { ...state, isUnderway: true, sinceMs: nowMs, tries: state.tries + 1 };
  if (step === 'End') return { ...state, isUnderway: false };
  return step === 'Even' ? { ...state, tries: 0 } : state;
}
