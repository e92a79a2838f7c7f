import { isConflict, isUnavailable, KubernetesError } from '@kappa/crds/client/errors';
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
import { poolReplicasMax } from '@kappa/crds/limits';

import type { ClusterDoor, PoolPod, Target } from '../dispatch/types.ts';
import { resizePatch } from './cluster-door-resize.ts';
import type { RetryQueue } from './retry-queue.ts';

/** How the cluster is told. */
export interface Telling {
  readonly queue: RetryQueue;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
  /** A claim is told so long after it, milliseconds: what it sets off (API server, controller, a new pod) would take the CPU from the cold start. */
  readonly tellAfterMs: number;
  /**
   * The cluster will not resize a pod of that pool, so the function runs with the pool's size; nothing is tried again. Default:
   * nobody hears of it. @param isFirst none of the pool was refused for that reason before
   */
  readonly onResizeRefused?: (pool: string, problem: KubernetesError, isFirst: boolean) => void;
}

/** Annotation of a pod without room: the gateway whose claim waits for it. */
export const awaitedByAnnotation = 'kappa.dev/awaited-by';
/** Annotation of a pod that was given up while it was idle: `metadata.uid` of the pod that needed the room. */
export const reclaimedForAnnotation = 'kappa.dev/reclaimed-for';

/** Annotation of a pod of provisioned concurrency: type of the error that its init has ended with. */
export const initErrorAnnotation = 'kappa.dev/init-error';

/** What is kept of an error's type, which the function chooses. */
const ERROR_MAX_CHARS = 200;
/** Two gateways that raise the same number meet seldom. */
const MAX_CONFLICTS = 10;
/** After the first refusal that no other size would change, the next claims of so many pods do not even ask. */
const UNASKED_CLAIMS = 100;

/**
 * What dispatch did or wants, told to the cluster afterwards: labels and size of a claimed pod, more generic pods, which one without room is waited for, and which idle pod was given up for it. No request waits
 * for it, and it goes on when the API server comes back. A claim that was never told is found by the next gateway: the agent says whose it is.
 *
 * @param poolNamespace where Pools and their pods are
 */
export function clusterDoor(
  kubernetes: Pick<Kubernetes, 'get' | 'patch'>,
  poolNamespace: string,
  { queue, schedule, tellAfterMs, onResizeRefused }: Telling,
): ClusterDoor {
  const resizer = new Resizer(kubernetes, poolNamespace, onResizeRefused ?? (() => {}));
  const annotate = async ({ name, uid }: PoolPod, key: string, value: string): Promise<void> => {
    await kubernetes.patch(pods, poolNamespace, name, { metadata: { uid, annotations: { [key]: value } } });
  };
  return {
    claimed(pod, target, initError) {
      const tell = async (): Promise<void> => {
        const labelled = await kubernetes.patch(pods, poolNamespace, pod.name, claimPatch(target, initError));
        if (initError === undefined && labelled.metadata.uid === pod.uid)
          await resizer.resize(pod.pool, labelled, target.memoryMiB);
      };
      schedule(initError === undefined ? tellAfterMs : 0, () => queue.put(`pod/${pod.name}`, tell));
    },
    wantPods(pool, count) {
      queue.put(`pool/${pool}`, async () => {
        if (count > 0) await raise(kubernetes, poolNamespace, pool, Math.min(count, poolReplicasMax));
      });
    },
    awaited(pod, gatewayId) {
      queue.put(`awaited/${pod.name}`, () => annotate(pod, awaitedByAnnotation, gatewayId));
    },
    reclaimed(pod, forUid) {
      queue.put(`reclaimed/${pod.name}`, () => annotate(pod, reclaimedForAnnotation, forUid));
    },
  };
}

/** Only ever up, whoever else raises at the same time: the controller brings the number down again. */
async function raise(
  kubernetes: Pick<Kubernetes, 'get' | 'patch'>,
  poolNamespace: string,
  pool: string,
  replicas: number,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { metadata, spec } = await kubernetes.get(pools, poolNamespace, pool);
    if (spec.replicas >= replicas) return;
    const scale = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { replicas } };
    try {
      await kubernetes.patch(pools, poolNamespace, pool, scale, { subresource: 'scale' });
      return;
    } catch (problem) {
      if (!isConflict(problem) || tries === MAX_CONFLICTS) throw problem;
    }
  }
}

/** Resizes claimed pods as long as the cluster lets it. A refusal is no failure of the claim: it is told, not thrown. */
class Resizer {
  readonly #kubernetes: Pick<Kubernetes, 'patch'>;
  readonly #namespace: string;
  readonly #onRefused: NonNullable<Telling['onResizeRefused']>;
  /** Pool and reason of every refusal so far. */
  readonly #refused = new Set<string>();
  /** Claims of a pool that are not asked for. */
  readonly #unasked = new Map<string, number>();

  constructor(
    kubernetes: Pick<Kubernetes, 'patch'>,
    namespace: string,
    onRefused: NonNullable<Telling['onResizeRefused']>,
  ) {
    this.#kubernetes = kubernetes;
    this.#namespace = namespace;
    this.#onRefused = onRefused;
  }

  /** @throws KubernetesError when the same call may work later */
  async resize(pool: string, pod: Pod, memoryMiB: number): Promise<void> {
    const patch = resizePatch(pod, memoryMiB);
    if (patch === null) return;
    const unasked = this.#unasked.get(pool) ?? 0;
    if (unasked > 0) {
      this.#unasked.set(pool, unasked - 1);
      return;
    }
    try {
      await this.#kubernetes.patch(pods, this.#namespace, pod.metadata.name, patch, { subresource: 'resize' });
    } catch (problem) {
      if (!(problem instanceof KubernetesError) || isUnavailable(problem)) throw problem;
      this.#refusedBecause(pool, problem);
    }
  }

  /** 404, 405: a server without in-place resize (or a pod that has gone since); 403: no right, or a quota; 409, 422: not this size. */
  #refusedBecause(pool: string, problem: KubernetesError): void {
    const isOfAny = problem.code === 404 || problem.code === 405;
    if (isOfAny) this.#unasked.set(pool, UNASKED_CLAIMS);
    const key = `${pool} ${problem.code} ${problem.reason}`;
    const isFirst = !this.#refused.has(key);
    this.#refused.add(key);
    this.#onRefused(pool, problem, isFirst);
  }
}

/** Labels and annotations of a claimed pod, whose init may have failed. @see docs/internals.md */
export function claimPatch(target: Target, initError?: string): object {
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
        ...(initError !== undefined && { [initErrorAnnotation]: initError.slice(0, ERROR_MAX_CHARS) }),
      },
    },
  };
}
