import { setCondition } from '@kappa/crds/conditions';
import type { FunctionObject } from '@kappa/crds/function';
import { functionLabel, functionNamespaceLabel, labelValue, selectorOf } from '@kappa/crds/labels';
import type { FunctionObserved, FunctionPlan } from './plan.ts';

type FunctionStatus = NonNullable<FunctionObject['status']>;

/** What a status is computed from, beside the plan. */
export interface StatusContext extends FunctionObserved {
  /** Public address of the function's URL, or null when `spec.http` is absent. */
  readonly url: string | null;
  /** Pods that run some version of the function. */
  readonly pods: number;
}

/** The outcome in the words of Lambda and of a condition. */
interface Verdict {
  readonly state: 'Active' | 'Failed';
  readonly lastUpdateStatus: 'Successful' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/** `status` of a Function after its plan was carried out. Pure; equal input gives equal output. */
export function makeFunctionStatus(context: StatusContext, plan: FunctionPlan, nowMs: number): FunctionStatus {
  const { fn, code, url, pods } = context;
  const verdict = judge(context, plan);
  const isFailed = verdict.lastUpdateStatus === 'Failed';
  const generation = fn.metadata.generation;
  return {
    observedGeneration: generation,
    state: verdict.state,
    lastUpdateStatus: verdict.lastUpdateStatus,
    ...(verdict.state === 'Failed' && { stateReason: verdict.message, stateReasonCode: verdict.reason }),
    ...(isFailed && { lastUpdateStatusReason: verdict.message, lastUpdateStatusReasonCode: verdict.reason }),
    ...latestOf(fn, plan),
    ...(url !== null && { url }),
    pods,
    selector: selectorOf({
      [functionLabel]: labelValue(fn.metadata.name),
      [functionNamespaceLabel]: fn.metadata.namespace,
    }),
    conditions: [
      {
        type: 'CodeResolved',
        status: code.kind === 'resolved' ? ('True' as const) : ('False' as const),
        reason: code.kind === 'resolved' ? 'Resolved' : code.reason,
        message: code.kind === 'resolved' ? `sha256 ${code.sha256}` : code.message,
        observedGeneration: generation,
      },
      {
        type: 'Ready',
        status: isFailed ? ('False' as const) : ('True' as const),
        reason: verdict.reason,
        message: verdict.message,
        observedGeneration: generation,
      },
    ].reduce((conditions, claim) => setCondition(conditions, claim, nowMs), fn.status?.conditions ?? []),
  };
}

/** Version, digest and size of what `$LATEST` means; what was there before stays when the change failed. */
function latestOf(fn: FunctionObject, plan: FunctionPlan): Partial<FunctionStatus> {
  if (plan.latest !== null && plan.latestName !== null) {
    return {
      latestVersion: plan.latestName,
      codeSha256: Buffer.from(plan.latest.code.sha256, 'hex').toString('base64'),
      codeSizeBytes: plan.latest.code.sizeBytes,
    };
  }
  const { latestVersion, codeSha256, codeSizeBytes } = fn.status ?? {};
  return {
    ...(latestVersion !== undefined && { latestVersion }),
    ...(codeSha256 !== undefined && { codeSha256 }),
    ...(codeSizeBytes !== undefined && { codeSizeBytes }),
  };
}

function judge({ fn, code, runtimes }: StatusContext, plan: FunctionPlan): Verdict {
  const failed = { state: plan.latestName === null ? 'Failed' : 'Active', lastUpdateStatus: 'Failed' } as const;
  const suffix = plan.latestName === null ? '' : '; the last good version goes on answering';
  if (!runtimes.has(fn.spec.runtime)) {
    const message = `this install has no runtime ${fn.spec.runtime}; it has ${[...runtimes].sort().join(', ')}`;
    return { ...failed, reason: 'InvalidRuntime', message: message + suffix };
  }
  if (code.kind === 'failed') return { ...failed, reason: code.reason, message: code.message + suffix };
  return {
    state: 'Active',
    lastUpdateStatus: 'Successful',
    reason: 'Ready',
    message: 'scales from zero on the first call',
  };
}
