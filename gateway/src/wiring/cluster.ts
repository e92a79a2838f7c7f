import { isUnavailable } from '@kappa/crds/client/errors';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';

import { RetryQueue } from '../registry/retry-queue.ts';
import { type Context, textOf } from './context.ts';

/** The Kubernetes API, with views kept for a restart where there is a place for them. No call is made yet. */
export function connectKubernetes({ config, teller }: Context): Kubernetes {
  return connect(undefined, {
    component: 'kappa-gateway',
    ...(config.snapshotDir === '' ? {} : { snapshots: { directory: config.snapshotDir } }),
    onProblem: teller('kubernetes', 'the Kubernetes API does not answer as it should; going on'),
  });
}

/** What the cluster is told about pods and pools, off the request path. The caller closes it. */
export function openClusterQueue({ problem, clock }: Context): RetryQueue {
  return new RetryQueue({
    concurrency: 8,
    limit: 10_000,
    firstPauseMs: 100,
    maxPauseMs: 10_000,
    isWorthRetrying: isUnavailable,
    onProblem: (key, err, isDropped) =>
      problem(`cluster ${textOf(err)}`, { key, problem: textOf(err), isDropped }, 'the cluster could not be told'),
    random: Math.random,
    schedule: clock.after,
  });
}
