import { type Pod, pods, pools } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import {
  accountLabel,
  functionLabel,
  functionNameAnnotation,
  functionNamespaceLabel,
  labelValue,
  stateLabel,
  versionLabel,
  versionNameAnnotation,
  versionUidAnnotation,
} from '@kappa/crds/labels';
import { memoryPerVcpuMiB, poolReplicasMax } from '@kappa/crds/limits';

import type { ClusterDoor, Target } from '../dispatch/types.ts';
import type { RetryQueue } from './retry-queue.ts';

/** How the cluster is told. */
export interface Telling {
  readonly queue: RetryQueue;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
  /** A claim is told so long after it, milliseconds: what it sets off (API server, controller, a new pod) would take the CPU from the cold start. */
  readonly tellAfterMs: number;
}

/**
 * What dispatch did or wants, told to the cluster afterwards: labels and size of a claimed pod, more generic pods. No request waits
 * for it, and it goes on when the API server comes back. A claim that was never told is found by the next gateway: the agent says whose it is.
 *
 * @param poolNamespace where Pools and their pods are
 */
export function clusterDoor(
  kubernetes: Pick<Kubernetes, 'get' | 'patch'>,
  poolNamespace: string,
  { queue, schedule, tellAfterMs }: Telling,
): ClusterDoor {
  return {
    claimed(pod, target) {
      const tell = async (): Promise<void> => {
        const labelled = await kubernetes.patch(pods, poolNamespace, pod.name, claimPatch(target));
        if (labelled.metadata.uid !== pod.uid) return;
        const resize = resizePatch(labelled, target.memoryMiB);
        if (resize !== null) await kubernetes.patch(pods, poolNamespace, pod.name, resize, { subresource: 'resize' });
      };
      schedule(tellAfterMs, () => queue.put(`pod/${pod.name}`, tell));
    },
    wantPods(pool, count) {
      queue.put(`pool/${pool}`, async () => {
        if (count === 0) return;
        const { spec } = await kubernetes.get(pools, poolNamespace, pool);
        const replicas = Math.min(count, poolReplicasMax);
        if (spec.replicas >= replicas) return; // only ever up: the controller brings it down again
        await kubernetes.patch(pools, poolNamespace, pool, { spec: { replicas } }, { subresource: 'scale' });
      });
    },
  };
}

/** Labels and annotations of a claimed pod. @see docs/internals.md */
export function claimPatch(target: Target): object {
  return {
    metadata: {
      labels: {
        [stateLabel]: 'claimed',
        [functionLabel]: labelValue(target.functionObjectName),
        [functionNamespaceLabel]: target.namespace,
        [versionLabel]: labelValue(target.versionName),
        [accountLabel]: target.accountId,
      },
      annotations: {
        [versionUidAnnotation]: target.versionUid,
        [versionNameAnnotation]: target.versionName,
        [functionNameAnnotation]: target.functionObjectName,
      },
    },
  };
}

/**
 * Makes the pod as large as the function: memory as it says, CPU in proportion (1,769 MiB = 1 vCPU, so 128 MiB = 73
 * m). A merge patch replaces lists, so all
 * containers are said whole. The CPU request stays below the limit: the QoS class may not change.
 *
 * @returns null when the pod has that size already
 */
export function resizePatch(pod: Pod, memoryMiB: number): object | null {
  const cpuMilli = Math.ceil((memoryMiB / memoryPerVcpuMiB) * 1000);
  const limits = { memory: `${memoryMiB}Mi`, cpu: `${cpuMilli}m` };
  const [runtime, ...others] = pod.spec.containers;
  if (runtime === undefined) return null;
  const before = runtime.resources?.limits ?? {};
  if (before['memory'] === limits.memory && before['cpu'] === limits.cpu) return null;
  const requests = { memory: limits.memory, cpu: `${Math.max(1, Math.floor(cpuMilli / 2))}m` };
  const resources = {
    ...runtime.resources,
    limits: { ...before, ...limits },
    requests: { ...runtime.resources?.requests, ...requests },
  };
  return { spec: { containers: [{ ...runtime, resources }, ...others] } };
}
