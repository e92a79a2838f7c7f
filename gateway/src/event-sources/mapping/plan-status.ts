import { type Condition, type ConditionClaim, findCondition, setCondition } from '@kappa/crds/conditions';
import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { SourceTraits } from '../source.ts';
import type { FlowReport } from './flow.ts';
import type { MappingView } from './mapping-view.ts';
import { planConditions, resultText } from './plan-conditions.ts';
import { type MappingState, planState } from './plan-state.ts';

/** Kubernetes' bound of these texts in the manifest, characters. */
const MAX_TEXT = 1_024;

/** What the status of a mapping is made of. */
export interface StatusSituation {
  readonly view: Pick<MappingView, 'generation' | 'isEnabled' | 'isDeleting'>;
  readonly userAction: SourceTraits['userAction'];
  /** null = it never had one. */
  readonly before: EventSourceMappingStatus | null;
  /** Over all gateways. */
  readonly report: FlowReport;
  /** @see MappingObservation */
  readonly isStuck: boolean;
  /** Epoch milliseconds, for the times of conditions. */
  readonly nowMs: number;
}

/** An event of the mapping's object. */
export interface StatusChange {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** The whole status, as it is to be. Pure; the same situation gives the same status, so that nothing has to be written. */
export function planStatus({
  view,
  userAction,
  before,
  report,
  isStuck,
  nowMs,
}: StatusSituation): EventSourceMappingStatus {
  const { problem, polledGeneration, heldShards, shards } = report;
  const { generation, isEnabled, isDeleting } = view;
  const last = lastOf(before);
  const isBusy = heldShards > 0;
  const state = planState({ isDeleting, isEnabled, generation, last, polledGeneration, isBusy, isStuck });
  const lastBatch = report.lastBatch?.result ?? null;
  const claims = planConditions({ generation, state, problem, lastBatch });
  const kept = (before?.conditions ?? []).filter(({ type }) => type === 'Ready' || type === 'Succeeding');
  const conditions = claims.reduce<readonly Condition[]>(
    (all, claim) => setCondition(all, shortened(claim), nowMs),
    kept,
  );
  const inTheWay = isEnabled ? problem : null;
  // What another gateway had of the latest batch stays: this one has had none yet.
  const latest = lastBatch === null ? findCondition(kept, 'Succeeding')?.message : undefined;
  const result = inTheWay === null ? (latest ?? resultText(lastBatch, null)) : resultText(null, inTheWay.message);
  return {
    observedGeneration: generation,
    state,
    stateTransitionReason: cut(inTheWay === null ? userAction : inTheWay.message),
    lastProcessingResult: cut(result),
    ...(shards !== null && { shards }),
    heldShards: Math.min(heldShards, shards ?? heldShards), // one may be read here while its last batches end elsewhere
    conditions,
  };
}

/** What is told of a new status: conditions that are others than before, in status or reason. Pure. */
export function planChanges(
  before: EventSourceMappingStatus | null,
  after: EventSourceMappingStatus,
): readonly StatusChange[] {
  return (after.conditions ?? []).flatMap((condition) => {
    const old = findCondition(before?.conditions, condition.type);
    const isSame = old?.status === condition.status && old.reason === condition.reason;
    const isGood = condition.status === 'True' || condition.reason === 'Disabled' || condition.reason === 'Starting';
    if (isSame || (old === undefined && isGood && condition.reason !== 'Polling')) return [];
    return [{ type: isGood ? 'Normal' : 'Warning', reason: condition.reason, message: condition.message }];
  });
}

function lastOf(before: EventSourceMappingStatus | null): { state: MappingState; generation: number } | null {
  if (before?.state === undefined) return null;
  return { state: before.state, generation: before.observedGeneration ?? 0 };
}

function shortened(claim: ConditionClaim): ConditionClaim {
  return { ...claim, message: cut(claim.message) };
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT);
}
