import type { PodView } from './pod.ts';

/** A pod that this node has started, as the plan sees it. */
export interface RunningView {
  readonly uid: string;
  readonly state: 'running' | 'exited';
  /** SIGTERM was sent. */
  readonly isStopping: boolean;
  /** The limit in force; null without one. */
  readonly memoryBytes: number | null;
}

/** One thing to do. Each is harmless when repeated. */
export type Action =
  | { readonly kind: 'bind'; readonly uid: string; readonly pod: PodView }
  | { readonly kind: 'start'; readonly uid: string; readonly pod: PodView }
  /** The API says it runs, but there is no process and no record: it can only be reported as failed. */
  | { readonly kind: 'lose'; readonly uid: string; readonly pod: PodView }
  | { readonly kind: 'resize'; readonly uid: string; readonly memoryBytes: number | null }
  | { readonly kind: 'stop'; readonly uid: string }
  | { readonly kind: 'kill'; readonly uid: string }
  /** Deletes the object for good: nothing of the pod runs any more. */
  | { readonly kind: 'remove'; readonly uid: string; readonly pod: PodView }
  /** Frees folder, group and address. */
  | { readonly kind: 'forget'; readonly uid: string };

/** What the node knows when it plans. */
export interface Observed {
  readonly nodeName: string;
  readonly nowMs: number;
  /** Every pod of the API. Only complete lists may be planned on: what is missing here is killed. */
  readonly pods: Iterable<PodView>;
  readonly running: ReadonlyMap<string, RunningView>;
  /** Not before this instant again, after a failure; by uid. */
  readonly retryAtMs: ReadonlyMap<string, number>;
}

/** What to do now, and when to look again without being asked. */
export interface Plan {
  readonly actions: readonly Action[];
  readonly wakeAtMs: number;
}

/** Compares what should run with what runs. Pure. */
export function planNode(observed: Observed): Plan {
  const actions: Action[] = [];
  let wakeAtMs = Number.POSITIVE_INFINITY;
  const seen = new Set<string>();
  const add = (action: Action | null) => {
    if (action === null) return;
    const retryAtMs = observed.retryAtMs.get(action.uid) ?? 0;
    if (retryAtMs <= observed.nowMs) actions.push(action);
    else wakeAtMs = Math.min(wakeAtMs, retryAtMs);
  };
  for (const pod of observed.pods) {
    seen.add(pod.uid);
    const running = observed.running.get(pod.uid);
    const isDue = pod.deletion !== null && pod.deletion.deadlineMs <= observed.nowMs;
    if (pod.deletion !== null && !isDue && running?.state === 'running') {
      wakeAtMs = Math.min(wakeAtMs, pod.deletion.deadlineMs);
    }
    add(running === undefined ? planMissing(pod, observed.nodeName) : planRunning(pod, running, isDue));
  }
  for (const running of observed.running.values()) {
    if (!seen.has(running.uid)) add({ kind: running.state === 'exited' ? 'forget' : 'kill', uid: running.uid });
  }
  return { actions, wakeAtMs };
}

function planMissing(pod: PodView, nodeName: string): Action | null {
  if (pod.nodeName !== '' && pod.nodeName !== nodeName) return null;
  if (pod.deletion !== null) return { kind: 'remove', uid: pod.uid, pod };
  if (pod.nodeName === '') return { kind: 'bind', uid: pod.uid, pod };
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return null;
  return { kind: pod.phase === 'Running' ? 'lose' : 'start', uid: pod.uid, pod };
}

function planRunning(pod: PodView, running: RunningView, isDue: boolean): Action | null {
  if (running.state === 'exited') {
    return pod.deletion === null ? null : { kind: 'remove', uid: pod.uid, pod };
  }
  if (isDue) return { kind: 'kill', uid: pod.uid };
  if (pod.deletion !== null) return running.isStopping ? null : { kind: 'stop', uid: pod.uid };
  if (pod.container.memoryBytes === running.memoryBytes) return null;
  return { kind: 'resize', uid: pod.uid, memoryBytes: pod.container.memoryBytes };
}
