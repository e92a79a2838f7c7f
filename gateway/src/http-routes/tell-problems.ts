import { referenceTo } from '@kappa/crds/client/event-recorder';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import type { RouteProblem } from './table.ts';

/** What {@link routeProblemTeller} is made with. */
export interface RouteProblemTellerDeps {
  readonly kubernetes: Pick<Kubernetes, 'event'>;
  /** Whether it is this gateway that tells: one of them is enough. */
  readonly isMine: (key: string) => boolean;
}

/** Tells of routes that will not answer: an event of the Function, where its owner looks (`kubectl describe fn`). */
export function routeProblemTeller({ kubernetes, isMine }: RouteProblemTellerDeps): (problem: RouteProblem) => void {
  return ({ owner: { namespace, name, uid }, reason, message }) => {
    if (!isMine(`route-problems/${namespace}/${name}`)) return;
    const metadata = { namespace, name, uid };
    void kubernetes.event(referenceTo({ apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata }), {
      type: 'Warning',
      reason,
      action: 'Route',
      message,
    });
  };
}
