import { kubernetesTime, setCondition } from '@kappa/crds/conditions';
import { poolLabel, selectorOf, stateLabel } from '@kappa/crds/labels';
import type { PoolObject } from '@kappa/crds/pool';
import type { PoolSummary } from '../observed.ts';
import type { PoolObserved, PoolPlan } from './plan.ts';

type PoolStatus = NonNullable<PoolObject['status']>;

/** `status` of a Pool. Pure; equal input gives equal output. */
export function makePoolStatus(
  summary: PoolSummary,
  observed: PoolObserved,
  plan: PoolPlan,
  nowMs: number,
): PoolStatus {
  const live = observed.pods.filter(
    ({ phase, isTerminating }) => phase !== 'Succeeded' && phase !== 'Failed' && !isTerminating,
  );
  const generic = live.filter(({ state }) => state === 'generic');
  const readyReplicas = generic.filter(({ isReady }) => isReady).length;
  const lastClaimTime =
    observed.claims.lastAtMs > 0 ? kubernetesTime(observed.claims.lastAtMs) : summary.status?.lastClaimTime;
  const verdict = judge(observed, plan, readyReplicas);
  return {
    observedGeneration: summary.generation,
    replicas: generic.length,
    readyReplicas,
    claimed: live.length - generic.length,
    selector: selectorOf({ [poolLabel]: observed.name, [stateLabel]: 'generic' }),
    ...(lastClaimTime !== undefined && { lastClaimTime }),
    conditions: setCondition(
      summary.status?.conditions ?? [],
      { type: 'Ready', ...verdict, observedGeneration: summary.generation },
      nowMs,
    ),
  };
}

function judge({ failures, isUsed }: PoolObserved, plan: PoolPlan, ready: number) {
  if (!isUsed) return { status: 'True', reason: 'Unused', message: 'no function uses this runtime' } as const;
  if (failures.count > 0) {
    const message = "pods end before they are ready; look at the logs and status of the pool's newest pod";
    return { status: 'False', reason: 'PodsFail', message } as const;
  }
  if (ready >= plan.wanted)
    return { status: 'True', reason: 'Full', message: 'all wanted pods can be claimed' } as const;
  return { status: 'False', reason: 'Filling', message: 'pods are starting' } as const;
}
