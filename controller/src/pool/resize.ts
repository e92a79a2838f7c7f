import type { ConditionClaim } from '@kappa/crds/conditions';

/** A claimed pod, its size as Kubernetes has it, and the size that its function asks for. */
export interface SizedPod {
  /** Since when it is claimed, epoch ms. */
  readonly claimedSinceMs: number;
  /** Memory limit that it is meant to have now, MiB. */
  readonly limitMiB: number;
  /** Memory of its function's version, MiB. */
  readonly wantedMiB: number;
  /** What the node says; null = nothing. */
  readonly resizeProblem: 'Infeasible' | 'Deferred' | null;
}

/** So long after its claim a pod has the size of its function, if the cluster can do that, milliseconds. */
export const resizeGraceMs = 10_000;

type Verdict = Pick<ConditionClaim, 'status' | 'reason' | 'message'>;

const verdicts: Readonly<Record<'Supported' | 'Refused' | 'Infeasible' | 'Deferred' | 'NotSeen', Verdict>> = {
  Infeasible: {
    status: 'False',
    reason: 'Infeasible',
    message:
      'a node can never give some function the memory or CPU it asks for; the function runs with the limits of the pool',
  },
  Refused: {
    status: 'False',
    reason: 'Refused',
    message:
      'some pods were not resized to what their functions ask for; these run with the limits of the pool: either their nodes are smaller than that, or the cluster resizes no pods (that needs Kubernetes 1.35, and the right of the gateways to patch pods/resize)',
  },
  Deferred: {
    status: 'False',
    reason: 'Deferred',
    message: 'a node has no room now for what some function asks for; Kubernetes tries again',
  },
  Supported: { status: 'True', reason: 'Supported', message: 'claimed pods get the memory and CPU of their functions' },
  NotSeen: { status: 'Unknown', reason: 'NotSeen', message: 'no pod was claimed for long enough to tell' },
};

/**
 * What the claimed pods show of in-place resize, the worst first; null = nothing to be seen. Pure.
 *
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
export function judgeResize(pods: readonly SizedPod[], nowMs: number): Verdict | null {
  const judged = pods.filter(({ claimedSinceMs }) => claimedSinceMs + resizeGraceMs <= nowMs);
  const problems = new Set(judged.map(problemOf));
  for (const problem of ['Infeasible', 'Refused', 'Deferred', 'Supported'] as const) {
    if (problems.has(problem)) return verdicts[problem];
  }
  return null;
}

/** What is said before anything was seen. */
export const notSeen: Verdict = verdicts.NotSeen;

/** When a pod can be judged that cannot be yet, milliseconds from now; null = there is none. */
export function resizeWaitMs(pods: readonly SizedPod[], nowMs: number): number | null {
  const waits = pods.map(({ claimedSinceMs }) => claimedSinceMs + resizeGraceMs - nowMs).filter((ms) => ms > 0);
  return waits.length === 0 ? null : Math.min(...waits);
}

function problemOf({
  resizeProblem,
  limitMiB,
  wantedMiB,
}: SizedPod): 'Infeasible' | 'Refused' | 'Deferred' | 'Supported' {
  return resizeProblem ?? (limitMiB === wantedMiB ? 'Supported' : 'Refused');
}
