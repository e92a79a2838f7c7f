import type { PodObserved, PoolObserved, PoolPacing } from './plan.ts';

/** A ready generic pod number `ordinal`, changed by `overrides`. */
export function pod(ordinal: number, overrides: Partial<PodObserved> = {}): PodObserved {
  return {
    name: `p-${ordinal}`,
    uid: `uid-${ordinal}`,
    ordinal,
    state: 'generic',
    phase: 'Running',
    isReady: true,
    isCutOff: false,
    imageProblem: null,
    imageProblemSinceMs: null,
    startProblem: null,
    startingSinceMs: null,
    unreadySinceMs: null,
    outdatedSinceMs: null,
    zone: '',
    isTerminating: false,
    terminatingSinceMs: null,
    finishedAtMs: 0,
    orphan: null,
    ...overrides,
  };
}

/** A used pool with a floor of 2 and no pods, at rest. */
export function pool(overrides: Partial<PoolObserved> = {}): PoolObserved {
  return {
    name: 'nodejs24.x',
    replicas: 2,
    minReplicas: 2,
    maxPods: 10,
    idleMs: 60_000,
    isUsed: true,
    pods: [],
    lastOrdinal: 0,
    claims: { recent: 0, lastAtMs: 0 },
    raisedAtMs: 0,
    failures: { count: 0, lastAtMs: 0 },
    lastRollAtMs: 0,
    spread: { zones: [], isUnderway: false, sinceMs: 0, tries: 0 },
    ...overrides,
  };
}

export const pacing: PoolPacing = { maxStarting: 4, podStartMs: 1_000, quietMs: 250, rollAfterMs: 600_000 };
