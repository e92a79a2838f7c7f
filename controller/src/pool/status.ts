import { findCondition, kubernetesTime, setCondition } from '@kappa/crds/conditions';
import { poolLabel, selectorOf, stateLabel } from '@kappa/crds/labels';
import type { PoolObject } from '@kappa/crds/pool';
import { type ImageProblem, startedCondition } from '../image/trial.ts';
import type { PoolSummary } from '../observed.ts';
import { judgeStart, podsFail, problemOf, type Verdict } from './judge-start.ts';
import type { PoolObserved, PoolPlan } from './plan.ts';
import { type judgeResize, notSeen } from './resize.ts';

type PoolStatus = NonNullable<PoolObject['status']>;

/** What a status is made from, beside what was observed. */
export interface PoolOutcome extends Pick<PoolPlan, 'wanted'> {
  /** What the claimed pods show of in-place resize; null = nothing: what was seen before stands. */
  readonly resize: ReturnType<typeof judgeResize>;
  /** What the API server says to a new pod that it does not take, for people; null = it takes them. */
  readonly refusal: string | null;
}

/** `status` of a Pool. Pure; equal input gives equal output. */
export function makePoolStatus(
  summary: PoolSummary,
  observed: PoolObserved,
  outcome: PoolOutcome,
  nowMs: number,
): PoolStatus {
  const live = observed.pods.filter(
    ({ phase, isTerminating }) => phase !== 'Succeeded' && phase !== 'Failed' && !isTerminating,
  );
  const generic = live.filter(({ state }) => state === 'generic');
  const readyReplicas = generic.filter(({ isReady }) => isReady).length;
  const lastClaimTime =
    observed.claims.lastAtMs > 0 ? kubernetesTime(observed.claims.lastAtMs) : summary.status?.lastClaimTime;
  const before = summary.status?.conditions ?? [];
  const resize = outcome.resize ?? findCondition(before, 'InPlaceResize') ?? notSeen;
  const started = judgeStart(summary, { live, failures: observed.failures, refusal: outcome.refusal }, nowMs);
  const observedGeneration = summary.generation;
  return {
    observedGeneration: summary.generation,
    replicas: generic.length,
    readyReplicas,
    claimed: live.length - generic.length,
    selector: selectorOf({ [poolLabel]: observed.name, [stateLabel]: 'generic' }),
    ...(lastClaimTime !== undefined && { lastClaimTime }),
    conditions: [
      { type: 'InPlaceResize', status: resize.status, reason: resize.reason, message: resize.message },
      { type: 'Ready', ...judge(observed, outcome.wanted, readyReplicas, problemOf(live)) },
      ...(started === null ? [] : [{ type: startedCondition, ...started }]),
      { type: 'UpToDate', ...judgeTemplate(live) },
    ].reduce((conditions, claim) => setCondition(conditions, { ...claim, observedGeneration }, nowMs), before),
  };
}

function judge(
  { failures, isUsed }: PoolObserved,
  wanted: number,
  ready: number,
  problem: ImageProblem | null,
): Verdict {
  if (!isUsed) return { status: 'True', reason: 'Unused', message: 'no function uses this pool' };
  if (problem !== null) return { status: 'False', reason: problem.reason, message: problem.message };
  if (failures.count > 0) {
    return { status: 'False', reason: 'PodsFail', message: podsFail };
  }
  if (ready >= wanted) return { status: 'True', reason: 'Full', message: 'all wanted pods can be claimed' };
  return { status: 'False', reason: 'Filling', message: 'pods are starting' };
}

function judgeTemplate(live: PoolObserved['pods']): Verdict {
  const states = new Set(live.filter((pod) => pod.outdatedSinceMs !== null).map(({ state }) => state));
  if (states.size === 0)
    return { status: 'True', reason: 'UpToDate', message: 'all pods are as they would be made now' };
  if (states.has('generic')) return { status: 'False', reason: 'Rolling', message: 'pods to claim are being replaced' };
  const message = 'pods that run functions are replaced when they are idle, or one by one later';
  return { status: 'False', reason: 'Draining', message };
}
