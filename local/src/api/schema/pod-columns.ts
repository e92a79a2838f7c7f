import { ageOf } from './age.ts';
import { ageColumn, type Column, nameColumn, textColumn } from './column.ts';
import { isObject, type JsonObject, listOr, objectOr, textOr, valueAt } from './json.ts';

const orNone = (value: unknown): string => textOr(value) || '<none>';

/** The columns of `kubectl get pods`, the wide ones included. */
export const podColumns: readonly Column[] = [
  nameColumn,
  textColumn('Ready', (pod) => summaryOf(pod).ready),
  textColumn('Status', (pod) => summaryOf(pod).status),
  textColumn('Restarts', restarts),
  ageColumn,
  textColumn('IP', podIp, 1),
  textColumn('Node', (pod) => orNone(valueAt(pod, 'spec', 'nodeName')), 1),
  textColumn('Nominated Node', (pod) => orNone(valueAt(pod, 'status', 'nominatedNodeName')), 1),
  textColumn('Readiness Gates', readinessGates, 1),
];

function podIp(pod: JsonObject): string {
  const [first] = listOr(valueAt(pod, 'status', 'podIPs'));
  return orNone(objectOr(first)['ip'] ?? valueAt(pod, 'status', 'podIP'));
}

interface Summary {
  readonly ready: string;
  readonly status: string;
}

function summaryOf(pod: JsonObject): Summary {
  const statuses = containerStatuses(pod, 'containerStatuses');
  const total = listOr(valueAt(pod, 'spec', 'containers')).length;
  const ready = statuses.filter((one) => one['ready'] === true && stateOf(one, 'running') !== null).length;
  return { ready: `${ready}/${total}`, status: statusOf(pod, statuses) };
}

/** The one word that users know a pod by: a container's trouble speaks louder than the phase, the end loudest. */
function statusOf(pod: JsonObject, statuses: readonly JsonObject[]): string {
  const phase = textOr(valueAt(pod, 'status', 'phase'));
  const reason = textOr(valueAt(pod, 'status', 'reason'));
  if (valueAt(pod, 'metadata', 'deletionTimestamp') !== undefined) {
    if (reason === 'NodeLost') return 'Unknown';
    if (phase !== 'Succeeded' && phase !== 'Failed') return 'Terminating';
  }
  const gated = conditionsOf(pod).some((one) => one['type'] === 'PodScheduled' && one['reason'] === 'SchedulingGated');
  const overall = gated ? 'SchedulingGated' : reason || phase;
  const initializing = initReason(pod);
  const isInitialized = hasCondition(pod, 'Initialized');
  if (initializing !== null && !isInitialized) return initializing;
  return containerReason(pod, statuses, overall);
}

function initReason(pod: JsonObject): string | null {
  const statuses = containerStatuses(pod, 'initContainerStatuses');
  for (const [index, status] of statuses.entries()) {
    const terminated = stateOf(status, 'terminated');
    const waiting = textOr(stateOf(status, 'waiting')?.['reason']);
    if (terminated?.['exitCode'] === 0) continue;
    if (terminated !== null) return `Init:${terminationReason(terminated)}`;
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${listOr(valueAt(pod, 'spec', 'initContainers')).length}`;
  }
  return null;
}

function containerReason(pod: JsonObject, statuses: readonly JsonObject[], overall: string): string {
  const reasons = statuses.flatMap((status) => {
    const terminated = stateOf(status, 'terminated');
    const waiting = textOr(stateOf(status, 'waiting')?.['reason']);
    if (waiting !== '') return [{ reason: waiting, isError: false }];
    return terminated === null
      ? []
      : [{ reason: terminationReason(terminated), isError: terminated['exitCode'] !== 0 }];
  });
  const shown = reasons[0]?.reason ?? overall;
  if (shown !== 'Completed') return shown;
  const hasRunning = statuses.some((one) => one['ready'] === true && stateOf(one, 'running') !== null);
  if (hasRunning && hasCondition(pod, 'Ready')) return 'Running';
  return reasons.find((one) => one.isError)?.reason ?? (hasRunning ? 'NotReady' : shown);
}

function terminationReason(terminated: JsonObject): string {
  const reason = textOr(terminated['reason']);
  if (reason !== '') return reason;
  return terminated['signal'] ? `Signal:${terminated['signal']}` : `ExitCode:${terminated['exitCode'] ?? 0}`;
}

function restarts(pod: JsonObject, nowMs: number): string {
  const statuses = containerStatuses(pod, 'containerStatuses');
  const count = statuses.reduce((sum, one) => sum + Number(one['restartCount'] ?? 0), 0);
  const ends = statuses
    .map((one) => textOr(valueAt(one, 'lastState', 'terminated', 'finishedAt')))
    .filter((at) => at !== '');
  const last = ends.sort().at(-1);
  return count > 0 && last !== undefined ? `${count} (${ageOf(last, nowMs)} ago)` : String(count);
}

function readinessGates(pod: JsonObject): string {
  const gates = listOr(valueAt(pod, 'spec', 'readinessGates')).filter(isObject);
  if (gates.length === 0) return '<none>';
  const open = gates.filter((gate) => hasCondition(pod, textOr(gate['conditionType'])));
  return `${open.length}/${gates.length}`;
}

function containerStatuses(pod: JsonObject, key: string): readonly JsonObject[] {
  return listOr(valueAt(pod, 'status', key)).filter(isObject);
}

function stateOf(status: JsonObject, name: string): JsonObject | null {
  const state = valueAt(status, 'state', name);
  return isObject(state) ? state : null;
}

function conditionsOf(pod: JsonObject): readonly JsonObject[] {
  return listOr(valueAt(pod, 'status', 'conditions')).filter(isObject);
}

function hasCondition(pod: JsonObject, type: string): boolean {
  return conditionsOf(pod).some((one) => one['type'] === type && one['status'] === 'True');
}
