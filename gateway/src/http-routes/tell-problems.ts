import { referenceTo } from '@kappa/crds/client/event-recorder';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import type { RouteProblem } from './table.ts';

/**
 * Tells of routes that do not answer as they should: an event of the Function, where its owner looks (`kubectl describe fn`). Repetitions are
 * counted by the events' recorder.
 */
export function routeProblemTeller(kubernetes: Pick<Kubernetes, 'event'>): (problem: RouteProblem) => void {
  return ({ owner: { namespace, name, uid }, reason, message }) => {
    const metadata = { namespace, name, uid };
    void kubernetes.event(referenceTo({ apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata }), {
      type: 'Warning',
      reason,
      action: 'Route',
      message,
    });
  };
}
