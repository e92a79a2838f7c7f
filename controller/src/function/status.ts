import { type Condition, type ConditionClaim, setCondition } from '@kappa/crds/conditions';
import type { FunctionObject } from '@kappa/crds/function';
import { functionLabel, functionNamespaceLabel, labelValue, selectorOf } from '@kappa/crds/labels';
import { functionNameOf } from '@kappa/crds/names';
import { type FunctionObserved, type FunctionPlan, hasRuntime } from './plan.ts';
import { provisionedEntries } from './provisioned.ts';
import type { ResolvedLayers } from './resolve-layers.ts';

type FunctionStatus = NonNullable<FunctionObject['status']>;

/** What a status is computed from, beside the plan. */
export interface StatusContext extends FunctionObserved {
  /** Public address of the function's URL, or null when `spec.http` is absent. */
  readonly url: string | null;
  /** Pods that run some version of the function. */
  readonly pods: number;
  /** Execution environments that are provisioned and ready. */
  readonly provisionedReady: number;
}

/** The outcome in the words of Lambda and of a condition. */
interface Verdict {
  readonly state: 'Pending' | 'Active' | 'Failed';
  readonly lastUpdateStatus: 'Successful' | 'InProgress' | 'Failed';
  /** Of the condition Ready. */
  readonly isReady: boolean;
  readonly reason: string;
  readonly message: string;
}

/** `status` of a Function after its plan was carried out. Pure; equal input gives equal output. */
export function makeFunctionStatus(context: StatusContext, plan: FunctionPlan, nowMs: number): FunctionStatus {
  const { fn, url, pods, provisionedReady } = context;
  const requested = provisionedEntries(fn.spec.concurrency).reduce((sum, { executions }) => sum + executions, 0);
  const verdict = judge(context, plan);
  const isServed = verdict.lastUpdateStatus === 'Successful';
  const generation = fn.metadata.generation;
  return {
    observedGeneration: generation,
    state: verdict.state,
    lastUpdateStatus: verdict.lastUpdateStatus,
    ...(verdict.state !== 'Active' && { stateReason: verdict.message, stateReasonCode: verdict.reason }),
    ...(!isServed && { lastUpdateStatusReason: verdict.message, lastUpdateStatusReasonCode: verdict.reason }),
    ...latestOf(fn, plan, nowMs),
    ...(url !== null && { url }),
    pods,
    ...(requested > 0 && { provisioned: { requested, ready: provisionedReady } }),
    selector: selectorOf({
      [functionLabel]: labelValue(fn.metadata.name),
      [functionNamespaceLabel]: fn.metadata.namespace,
    }),
    conditions: conditionsOf(context, verdict, nowMs),
  };
}

function conditionsOf(
  { fn, code, layers, nameHolder }: StatusContext,
  verdict: Verdict,
  nowMs: number,
): readonly Condition[] {
  const hasLayers = (fn.spec.layers ?? []).length > 0;
  const claims: Omit<ConditionClaim, 'observedGeneration'>[] = [
    {
      type: 'CodeResolved',
      status: code.kind === 'resolved' ? 'True' : 'False',
      reason: code.kind === 'resolved' ? 'Resolved' : code.reason,
      message: code.kind === 'resolved' ? (code.image?.reference ?? `sha256 ${code.sha256}`) : code.message,
    },
    ...(hasLayers ? [layersResolved(layers)] : []),
    { type: 'Ready', status: verdict.isReady ? 'True' : 'False', reason: verdict.reason, message: verdict.message },
    ...(nameHolder === null ? [] : [nameTaken(fn, nameHolder)]),
  ];
  const observedGeneration = fn.metadata.generation;
  // these are there only while they say something: other functions do not need a line about them
  const isGone: Readonly<Record<string, boolean>> = { NameTaken: nameHolder === null, LayersResolved: !hasLayers };
  const before = (fn.status?.conditions ?? []).filter(({ type }) => isGone[type] !== true);
  return claims.reduce<readonly Condition[]>(
    (conditions, claim) => setCondition(conditions, { ...claim, observedGeneration }, nowMs),
    before,
  );
}

/** Version, digest and size of what `$LATEST` means; what was there before stays when the change failed. */
function latestOf(fn: FunctionObject, plan: FunctionPlan, nowMs: number): Partial<FunctionStatus> {
  const { latestVersion, codeSha256, codeSizeBytes, lastModified } = fn.status ?? {};
  if (plan.next !== null && plan.latestName !== null && plan.latestName === plan.nextName) {
    return {
      latestVersion: plan.latestName,
      codeSha256: Buffer.from(plan.next.code.sha256, 'hex').toString('base64'),
      codeSizeBytes: plan.next.code.sizeBytes,
      lastModified:
        lastModified === undefined || latestVersion !== plan.latestName ? new Date(nowMs).toISOString() : lastModified,
    };
  }
  return {
    ...(latestVersion !== undefined && { latestVersion }),
    ...(codeSha256 !== undefined && { codeSha256 }),
    ...(codeSizeBytes !== undefined && { codeSizeBytes }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

function layersResolved(layers: ResolvedLayers): Omit<ConditionClaim, 'observedGeneration'> {
  const type = 'LayersResolved';
  if (layers.kind === 'failed') return { type, status: 'False', reason: layers.reason, message: layers.message };
  return { type, status: 'True', reason: 'Resolved', message: layers.layers.map(({ arn }) => arn).join(', ') };
}

function nameTaken(fn: FunctionObject, holder: string): Omit<ConditionClaim, 'observedGeneration'> {
  const message = `calls of ${functionNameOf(fn)} go to Function ${holder}, which has the same name; delete one of the two`;
  return { type: 'NameTaken', status: 'True', reason: 'NameTaken', message };
}

function judge({ fn, code, layers, runtimes, nameHolder }: StatusContext, plan: FunctionPlan): Verdict {
  const state = plan.latestName === null ? 'Failed' : 'Active';
  const failed = { state, lastUpdateStatus: 'Failed', isReady: false } as const;
  const suffix = plan.latestName === null ? '' : '; the last good version goes on answering';
  if (!hasRuntime(fn, runtimes)) {
    const message = `this install has no runtime ${fn.spec.runtime}; it has ${[...runtimes].sort().join(', ')}`;
    return { ...failed, reason: 'InvalidRuntime', message: message + suffix };
  }
  if (code.kind === 'failed') return { ...failed, reason: code.reason, message: code.message + suffix };
  if (layers.kind === 'failed') return { ...failed, reason: layers.reason, message: layers.message + suffix };
  if (plan.trial.kind === 'failed') {
    const message = `Image ${fn.spec.code.image?.uri ?? ''}: ${plan.trial.message}`;
    return { ...failed, reason: plan.trial.reason, message: message + suffix };
  }
  if (plan.trial.kind === 'starting') {
    const under = { state: plan.latestName === null ? 'Pending' : 'Active', lastUpdateStatus: 'InProgress' } as const;
    return { ...under, isReady: false, reason: 'Creating', message: plan.trial.message + suffix };
  }
  const good = { state: 'Active', lastUpdateStatus: 'Successful' } as const;
  if (nameHolder !== null) {
    const { reason, message } = nameTaken(fn, nameHolder);
    return { ...good, isReady: false, reason, message };
  }
  return { ...good, isReady: true, reason: 'Ready', message: 'scales from zero on the first call' };
}
