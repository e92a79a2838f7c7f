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

/** Kubernetes keeps an event for an hour unless told otherwise. */
const REPEAT_MS = 30 * 60_000;

/** What {@link LastingProblems} works with. */
export interface LastingProblemsDeps {
  readonly tell: (problem: RouteProblem) => void;
  /** Whether it is this gateway that tells of a Function; all gateways see the same. Says no while it does not know the others. */
  readonly isMine: (owner: RouteProblem['owner']) => boolean;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Tells of problems at once, and while they last: those that nobody could tell when they began, because the gateways did not know each other yet,
 * those of a gateway that has gone, and all again before their events are forgotten.
 */
export class LastingProblems {
  readonly #deps: LastingProblemsDeps;
  /** When it was told last. No more than there were problems at the last check, and since. */
  #toldAtMs = new Map<string, number>();

  constructor(deps: LastingProblemsDeps) {
    this.#deps = deps;
  }

  /** One that has just begun. */
  tell(problem: RouteProblem): void {
    if (!this.#deps.isMine(problem.owner)) return;
    this.#toldAtMs.set(keyOf(problem), this.#deps.nowMs());
    this.#deps.tell(problem);
  }

  /** From time to time. @param lasting all that there are */
  check(lasting: readonly RouteProblem[]): void {
    const dueMs = this.#deps.nowMs() - REPEAT_MS;
    const toldAtMs = new Map<string, number>();
    for (const problem of lasting) {
      const key = keyOf(problem);
      const before = this.#toldAtMs.get(key);
      if (before === undefined || before <= dueMs) this.tell(problem);
      const after = this.#toldAtMs.get(key);
      if (after !== undefined) toldAtMs.set(key, after);
    }
    this.#toldAtMs = toldAtMs;
  }
}

function keyOf({ owner, reason, message }: RouteProblem): string {
  return `${owner.uid} ${reason} ${message}`;
}
