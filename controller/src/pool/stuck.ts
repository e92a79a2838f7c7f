import { functionLabel, stateLabel } from '@kappa/crds/labels';
import type { ObjectMeta } from '@kappa/crds/object-meta';
import type { PodObserved } from './plan.ts';

/**
 * A generic pod that was told to end and is still there after so long has not heard of it. One that has heard ends within seconds. A
 * gateway that claimed it in the same moment has long labelled it: a try gives up after 30 s, and the next one comes after at most 10 s.
 */
export const stuckAfterMs = 60_000;
/**
 * Grace that it is left with, seconds: none. The kubelet (1.36) takes no shorter one for a container that it has begun to stop, so that only the
 * end of the object gives its room back; the process ends with the first grace.
 * @see https://github.com/kubernetes/kubernetes/issues/113606
 */
export const stuckGraceSeconds = 0;

/**
 * Generic pods that have to be told again to end, with a shorter grace, and when the next one's time comes.
 *
 * A SIGTERM that comes between the start of a container's first process and that process' own handling of signals is lost: the kernel
 * keeps signals without a handler from process 1. Nobody sends another one, so that the pod would hold its room for its whole grace.
 */
export function planStuck(
  pods: readonly PodObserved[],
  nowMs: number,
): { readonly pods: readonly PodObserved[]; readonly waits: readonly number[] } {
  const ending = pods.flatMap((pod) => {
    const isOver = pod.phase === 'Succeeded' || pod.phase === 'Failed';
    if (pod.state === 'claimed' || isOver || pod.terminatingSinceMs === null) return [];
    return [{ pod, waitMs: pod.terminatingSinceMs + stuckAfterMs - nowMs }];
  });
  return {
    pods: ending.filter(({ waitMs }) => waitMs <= 0).map(({ pod }) => pod),
    waits: ending.flatMap(({ waitMs }) => (waitMs > 0 ? [waitMs] : [])),
  };
}

/** The pod as the API server has it now is the one that was meant, still told to end, and no function's. Fails closed: on doubt it keeps its grace. */
export function isStillStuck(
  { uid, labels, deletionTimestampMs }: Pick<ObjectMeta, 'uid' | 'labels' | 'deletionTimestampMs'>,
  meantUid: string,
): boolean {
  return uid === meantUid && deletionTimestampMs !== null && isGeneric(labels);
}

function isGeneric(labels: ObjectMeta['labels']): boolean {
  return labels[stateLabel] === 'generic' && labels[functionLabel] === undefined;
}
