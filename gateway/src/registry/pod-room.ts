import type { Pod } from '@kappa/crds/client/kinds';

import type { PodSize } from '../dispatch/plan-reclaim.ts';
import { sizeOf } from './cluster-door-resize.ts';

/** What the scheduler's plugin for resources says, one reason for each resource; further ones (GPUs) are not what idle pods hold. */
const noRoom = /\bInsufficient (cpu|memory|pods|ephemeral-storage)\b|\bToo many pods\b/;

/**
 * The scheduler found no node with room for the pod. Nodes that it may not use for another reason (taints, selectors) do not count:
 * where no node lacks room, giving pods up would cure nothing.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 */
export function isShortOfRoom({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestampMs !== null || status?.phase !== 'Pending') return false;
  return (status.conditions ?? []).some(
    ({ type, status: is, reason, message }) =>
      type === 'PodScheduled' && is === 'False' && reason === 'Unschedulable' && noRoom.test(message ?? ''),
  );
}

/** What the containers ask for together. */
export function sizeOfPod({ spec }: Pod): PodSize {
  let cpuMilli = 0;
  let memoryBytes = 0;
  for (const { resources } of spec.containers) {
    const { cpu, memory } = sizeOf(resources?.requests);
    cpuMilli += cpu;
    memoryBytes += memory;
  }
  return { cpuMilli, memoryBytes };
}
