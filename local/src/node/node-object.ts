import { isNotFound } from '@kappa/crds/client/errors';
import { nodes } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { timeText } from './status.ts';

/** What a Node object says of this machine. */
export interface Machine {
  readonly name: string;
  readonly zone: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly operatingSystem: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly bootId: string;
  readonly nodeVersion: string;
  readonly maxPods: number;
}

/** How often the Ready condition says that the node lives. */
export const heartbeatMs = 10_000;

/** Makes the Node object, or takes over that of an earlier run. */
export async function registerNode(kubernetes: Kubernetes, machine: Machine): Promise<void> {
  const labels = {
    'kubernetes.io/hostname': machine.name,
    'kubernetes.io/os': machine.operatingSystem,
    'kubernetes.io/arch': machine.architecture,
    'topology.kubernetes.io/zone': machine.zone,
    'kappa.dev/process-node': 'true',
  };
  try {
    await kubernetes.patch(nodes, null, machine.name, { metadata: { labels } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await kubernetes.create(nodes, { metadata: { name: machine.name, labels }, spec: {} });
  }
}

/** Writes capacity, addresses and the Ready condition. @param sinceMs when the condition last changed */
export async function reportNode(
  kubernetes: Kubernetes,
  machine: Machine,
  { isReady, nowMs, sinceMs }: { readonly isReady: boolean; readonly nowMs: number; readonly sinceMs: number },
): Promise<void> {
  const capacity = {
    cpu: String(machine.cpus),
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    pods: String(machine.maxPods),
  };
  const ready = {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    reason: isReady ? 'NodeReady' : 'NodeStopped',
    message: isReady ? 'pods run as processes of this machine' : 'the process node was stopped; its pods go on',
    lastHeartbeatTime: timeText(nowMs),
    lastTransitionTime: timeText(sinceMs),
  };
  const nodeInfo = {
    machineID: '',
    systemUUID: '',
    bootID: machine.bootId,
    kernelVersion: machine.kernel,
    osImage: machine.operatingSystem,
    containerRuntimeVersion: 'process://1',
    kubeletVersion: `kappa-node/${machine.nodeVersion}`,
    kubeProxyVersion: '',
    operatingSystem: machine.operatingSystem,
    architecture: machine.architecture,
  };
  const addresses = [
    { type: 'InternalIP', address: '127.0.0.1' },
    { type: 'Hostname', address: machine.name },
  ];
  const status = { capacity, allocatable: capacity, conditions: [ready], addresses, nodeInfo };
  await kubernetes.patch(nodes, null, machine.name, { status }, { subresource: 'status' });
}
