import type { KeyObject } from 'node:crypto';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { scaleOutSeconds } from '@kappa/crds/limits';

import type { BlobStore } from '../blobs/blob-store.ts';
import { startDispatcher } from '../dispatch/dispatcher.ts';
import type { ClusterDoor, Dispatcher } from '../dispatch/types.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { clusterDoor } from '../registry/cluster-door.ts';
import type { RetryQueue } from '../registry/retry-queue.ts';
import type { Context } from './context.ts';
import type { Membership } from './join-ring.ts';
import type { Logs } from './open-logs.ts';

/** What {@link dispatchToPods} connects. */
export interface DispatchParts {
  readonly signingKey: KeyObject;
  readonly kubernetes: Pick<Kubernetes, 'get' | 'patch'>;
  readonly clusterQueue: RetryQueue;
  readonly blobs: Pick<BlobStore, 'get'>;
  readonly membership: Pick<Membership, 'ownership' | 'zone'>;
  readonly metrics: GatewayMetrics;
  /** null = no recent logs are kept. */
  readonly logs: Pick<Logs, 'logged'> | null;
  /** See DispatchOptions. */
  readonly arePodsReplaced: () => boolean;
}

/** Starts the dispatcher: requests of this gateway's functions, and the links to the pods that run them. */
export function dispatchToPods(context: Context, parts: DispatchParts): Dispatcher {
  const { config, gatewayId, clock, log } = context;
  const { signingKey, blobs, membership, metrics, logs, arePodsReplaced } = parts;
  return startDispatcher({
    identity: {
      gatewayId,
      epoch: Date.now(), // agents compare it only among links of the same life
      signingKey,
      ...(logs !== null && { features: ['logs'] }),
    },
    ...(logs !== null && { logged: logs.logged }),
    ownership: membership.ownership,
    cluster: tellCluster(context, parts),
    arePodsReplaced,
    observer: {
      ...metrics.observer,
      reclaimed: (target, pod) => {
        metrics.observer.reclaimed(target, pod);
        const fields = { function: `${target.namespace}/${target.functionObjectName}`, pod: pod.name, pool: pod.pool };
        log.info(fields, 'an idle pod was given up: its room is needed for another pod');
      },
    },
    code: (sha256) => blobs.get(sha256),
    clock,
    zone: membership.zone,
    linkPort: config.linkPort,
    limits: {
      capacityBudgetMs: config.capacityWaitMs,
      maxUnpackedBytes: config.codeLimits.unpackedBytes,
      accountConcurrency: config.accountConcurrency,
      callsPerConcurrency: config.callsPerConcurrency,
      scaleOutPods: config.scaleOut,
      scaleOutMs: scaleOutSeconds * 1000,
    },
  });
}

function tellCluster(
  { config, clock, log }: Context,
  { kubernetes, clusterQueue, metrics }: DispatchParts,
): ClusterDoor {
  return clusterDoor(kubernetes, config.poolNamespace, {
    queue: clusterQueue,
    schedule: clock.after,
    tellAfterMs: 100,
    onResizeRefused: (pool, err, isFirst) => {
      metrics.resizeRefused(pool);
      if (isFirst)
        log.warn({ pool, problem: err.message }, 'pods are not resized; functions run with the size of the pool');
    },
  });
}
