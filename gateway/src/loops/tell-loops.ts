import { referenceTo } from '@kappa/crds/client/event-recorder';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { Counter, type Registry } from 'prom-client';

import type { Directory } from '../registry/directory.ts';
import { MAX_RUNS } from './lineage.ts';
import type { LoopGuard } from './loop-guard.ts';

/** What {@link loopTeller} is made with. */
export interface LoopTellerDeps {
  readonly metrics: Registry;
  readonly kubernetes: Pick<Kubernetes, 'event'>;
  readonly directory: Pick<Directory, 'look'>;
}

/**
 * Tells of calls that were stopped because they were part of a loop: a counter for alarms, and an event of the Function, where its owner
 * looks (`kubectl describe fn`). Repetitions of the event are counted by its recorder.
 */
export function loopTeller({ metrics, kubernetes, directory }: LoopTellerDeps): (guard: LoopGuard) => void {
  const dropped = new Counter({
    name: 'kappa_gateway_recursive_invocations_dropped_total',
    help: 'Calls that were stopped because their chain of invocations was a loop. They did not run.',
    labelNames: ['namespace', 'function'],
    registers: [metrics],
  });
  return ({ namespace, name }) => {
    dropped.inc({ namespace, function: name });
    const fn = directory.look(`${namespace}/${name}`).fn;
    if (fn === undefined) return;
    const metadata = { namespace, name, uid: fn.uid };
    void kubernetes.event(referenceTo({ apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata }), {
      type: 'Warning',
      reason: 'RecursiveLoopStopped',
      action: 'Invoke',
      message: `It was called in a loop of invocations, which was stopped after ${MAX_RUNS} runs. When the loop is wanted, set spec.recursiveLoop to Allow.`,
    });
  };
}
