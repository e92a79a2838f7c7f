import type { PodView } from './pod.ts';
import type { PodRecord } from './pod-record.ts';

/** Why a pod has not been started. */
export interface Waiting {
  readonly reason: 'ContainerCreating' | 'ErrImagePull' | 'CreateContainerConfigError' | 'RunContainerError';
  readonly message: string;
  /** Since when the node has the pod, milliseconds since the epoch. */
  readonly sinceMs: number;
}

type Json = Readonly<Record<string, unknown>>;

/** All local pods are on the machine's loopback interface. */
const hostIp = '127.0.0.1';

/**
 * The status of a pod that was started, as a kubelet writes it. Same input, same output: times come from the record.
 *
 * @see Kubernetes API reference, PodStatus v1 core
 */
export function startedStatus(pod: PodView, record: PodRecord): Json {
  const startedMs = record.startedAtMs;
  const isReady = record.isReady && record.exit === null;
  const changedMs = record.exit?.atMs ?? record.readyChangedAtMs;
  const notReady = record.exit === null ? 'ContainersNotReady' : 'PodCompleted';
  return {
    ...commonStatus(pod, startedMs),
    phase: phaseOf(record),
    podIP: record.ip,
    podIPs: [{ ip: record.ip }],
    conditions: conditions(startedMs, { isReady, changedMs, reason: isReady ? '' : notReady }),
    containerStatuses: [
      {
        ...containerBase(pod),
        ready: isReady,
        started: record.exit === null,
        containerID: record.process === null ? '' : `process://${record.process.pid}`,
        state: stateOf(record),
        // In-place resize: what is in force, not what is wished.
        ...(record.memoryBytes === pod.container.memoryBytes ? { resources: pod.container.resources } : {}),
      },
    ],
  };
}

/** The status of a pod that waits to be started. */
export function waitingStatus(pod: PodView, waiting: Waiting): Json {
  const { reason, message } = waiting;
  return {
    ...commonStatus(pod, waiting.sinceMs),
    phase: 'Pending',
    conditions: conditions(waiting.sinceMs, {
      isReady: false,
      changedMs: waiting.sinceMs,
      reason: 'ContainersNotReady',
    }),
    containerStatuses: [
      {
        ...containerBase(pod),
        ready: false,
        started: false,
        state: { waiting: message === '' ? { reason } : { reason, message } },
      },
    ],
  };
}

/** The status of a pod of which nothing is known any more (the state directory was removed, the machine was restarted). */
export function lostStatus(pod: PodView, nowMs: number): Json {
  const at = timeText(nowMs);
  return {
    phase: 'Failed',
    reason: 'ContainerStatusUnknown',
    message: 'the node has no record of this pod: it ended with an earlier run of the node',
    conditions: conditions(nowMs, { isReady: false, changedMs: nowMs, reason: 'PodFailed' }),
    containerStatuses: [
      {
        ...containerBase(pod),
        ready: false,
        started: false,
        state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', finishedAt: at } },
      },
    ],
  };
}

/** Kubernetes' time: RFC 3339 in UTC, whole seconds. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function phaseOf(record: PodRecord): string {
  if (record.exit === null) return 'Running';
  return record.exit.code === 0 ? 'Succeeded' : 'Failed';
}

function stateOf(record: PodRecord): Json {
  const startedAt = timeText(record.startedAtMs);
  if (record.exit === null) return { running: { startedAt } };
  const { code, signal, reason, message, atMs } = record.exit;
  const terminated = { exitCode: code, reason, startedAt, finishedAt: timeText(atMs) };
  return { terminated: { ...terminated, ...(signal > 0 ? { signal } : {}), ...(message === '' ? {} : { message }) } };
}

function commonStatus(pod: PodView, startedMs: number): Json {
  return {
    observedGeneration: pod.generation,
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    startTime: timeText(startedMs),
    qosClass: 'Burstable',
  };
}

function containerBase(pod: PodView): Json {
  return { name: pod.container.name, image: pod.container.image, imageID: '', restartCount: 0, lastState: {} };
}

function conditions(
  startedMs: number,
  ready: { readonly isReady: boolean; readonly changedMs: number; readonly reason: string },
): readonly Json[] {
  const since = timeText(startedMs);
  const readiness = {
    status: ready.isReady ? 'True' : 'False',
    lastTransitionTime: timeText(ready.changedMs),
    ...(ready.reason === '' ? {} : { reason: ready.reason }),
  };
  return [
    { type: 'PodScheduled', status: 'True', lastTransitionTime: since },
    { type: 'Initialized', status: 'True', lastTransitionTime: since },
    { type: 'ContainersReady', ...readiness },
    { type: 'Ready', ...readiness },
  ];
}
