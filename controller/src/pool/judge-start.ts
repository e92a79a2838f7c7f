import { type ConditionClaim, findCondition } from '@kappa/crds/conditions';
import { type ImageProblem, startedCondition } from '../image/trial.ts';
import type { PoolSummary } from '../observed.ts';
import { earliest } from './earliest.ts';
import type { PoolObserved } from './plan.ts';

/** What a condition says, without its type. */
export type Verdict = Pick<ConditionClaim, 'status' | 'reason' | 'message'>;

/** What is said of pods that end before they are ready. */
export const podsFail = "pods end before they are ready; look at the logs and status of the pool's newest pod";

/** One pod may have had bad luck. */
const failuresOfATrial = 2;
/** A registry that is away for a moment does not fail a deployment. */
export const passingMs = 90_000;
/** A trial ends after so long: nobody can change a function while its update is under way. */
export const trialMs = 600_000;

/** What the verdict about an image is made from. */
export interface StartObserved extends Pick<PoolObserved, 'failures'> {
  /** Pods that are neither over nor told to end. */
  readonly live: PoolObserved['pods'];
  /** What the API server says to a new pod that it does not take, for people; null = it takes them. */
  readonly refusal: string | null;
}

/**
 * Whether an image starts; null for a runtime: its image is the install's. What was true once stays so, and what has failed stays failed until a
 * pod is ready: pods are tried on.
 */
export function judgeStart({ spec, status }: PoolSummary, observed: StartObserved, nowMs: number): Verdict | null {
  if (spec.image === undefined) return null;
  const { live, failures, refusal } = observed;
  const before = findCondition(status?.conditions, startedCondition);
  if (before?.status === 'True' || live.some((pod) => pod.isReady || pod.state === 'claimed'))
    return { status: 'True', reason: 'Started', message: 'a pod of the image has been ready' };
  const problem = problemOf(live);
  if (problem !== null && live.some((pod) => isLasting(pod, nowMs)))
    return { status: 'False', reason: problem.reason, message: problem.message };
  if (failures.count >= failuresOfATrial) return { status: 'False', reason: 'InvalidImage', message: podsFail };
  if (before?.status === 'False') return { status: 'False', reason: before.reason, message: before.message };
  const cause =
    problem?.message ??
    refusalOf(refusal, before?.message) ??
    live.findLast(({ startProblem }) => startProblem !== null)?.startProblem;
  if (before !== undefined && nowMs >= Date.parse(before.lastTransitionTime) + trialMs)
    return {
      status: 'False',
      reason: 'StartTimeout',
      message: `no pod was ready in time: ${cause ?? 'nobody tells why'}`,
    };
  return { status: 'Unknown', reason: 'Starting', message: cause ?? 'the first pod of the image is starting' };
}

const refused = 'its pod is refused: ';

/** Told as it was first: its numbers change with each try, and a change of the status is a reason to try again at once. */
function refusalOf(refusal: string | null, before = ''): string | null {
  if (refusal === null) return null;
  return before.startsWith(refused) ? before : `${refused}${refusal}`;
}

/** When {@link judgeStart} says something else though nothing changes, milliseconds from now; null = never. @param status as it was just made */
export function startWaitMs(status: PoolSummary['status'], pods: PoolObserved['pods'], nowMs: number): number | null {
  const started = findCondition(status?.conditions, startedCondition);
  if (started?.status !== 'Unknown') return null;
  const passing = pods
    .flatMap(({ imageProblemSinceMs }) => imageProblemSinceMs ?? [])
    .map((since) => since + passingMs);
  const waits = [Date.parse(started.lastTransitionTime) + trialMs, ...passing].map((atMs) => atMs - nowMs);
  return earliest(...waits.filter((waitMs) => waitMs > 0));
}

/** Of the pods that have no image, the newest one's reason. */
export function problemOf(live: PoolObserved['pods']): ImageProblem | null {
  return live.findLast(({ imageProblem }) => imageProblem !== null)?.imageProblem ?? null;
}

function isLasting({ imageProblem, imageProblemSinceMs }: PoolObserved['pods'][number], nowMs: number): boolean {
  if (imageProblem === null) return false;
  return imageProblem.isFinal || (imageProblemSinceMs !== null && nowMs >= imageProblemSinceMs + passingMs);
}
