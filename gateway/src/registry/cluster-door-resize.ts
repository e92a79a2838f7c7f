import type { Pod } from '@kappa/crds/client/kinds';
import { memoryPerVcpuMiB } from '@kappa/crds/limits';

type Resources = NonNullable<Pod['spec']['containers'][number]['resources']>;
/** Milli-CPUs and bytes. */
type Size = Readonly<Record<'cpu' | 'memory', number>>;

/**
 * Makes the pod as large as the function: memory as it says, CPU in proportion (1,769 MiB = 1 vCPU, so 128 MiB = 73 m), but never
 * less than what the pod was made with asks for. A merge patch replaces lists, so all containers are said whole. The CPU request
 * stays below the limit: the QoS class (Burstable) may not change.
 *
 * @returns null when the pod has that size already
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
export function resizePatch(pod: Pod, memoryMiB: number): object | null {
  const [runtime, ...others] = pod.spec.containers;
  if (runtime === undefined) return null;
  const before: Resources = runtime.resources ?? {};
  const least = sizeOf(before.requests);
  const cpuMilli = Math.ceil((memoryMiB / memoryPerVcpuMiB) * 1000);
  const limits = atLeast({ cpu: cpuMilli, memory: memoryMiB * 2 ** 20 }, { cpu: least.cpu + 1, memory: least.memory });
  const requests = atLeast({ cpu: Math.floor(cpuMilli / 2), memory: limits.memory }, least);
  if (isSame(sizeOf(before.limits), limits) && isSame(least, requests)) return null;
  const resources = {
    ...before,
    limits: { ...before.limits, ...textOf(limits) },
    requests: { ...before.requests, ...textOf(requests) },
  };
  return { spec: { containers: [{ ...runtime, resources }, ...others] } };
}

function atLeast(size: Size, least: Size): Size {
  return { cpu: Math.max(size.cpu, least.cpu), memory: Math.max(size.memory, least.memory) };
}

function isSame(left: Size, right: Size): boolean {
  return left.cpu === right.cpu && left.memory === right.memory;
}

function textOf({ cpu, memory }: Size): { cpu: string; memory: string } {
  const memoryMiB = memory / 2 ** 20;
  return { cpu: `${cpu}m`, memory: Number.isInteger(memoryMiB) ? `${memoryMiB}Mi` : `${memory}` };
}

/** CPU and memory of a list of quantities; 0 = not said. */
export function sizeOf(quantities: Readonly<Record<string, string>> | undefined): Size {
  return {
    cpu: Math.ceil(parseQuantity(quantities?.['cpu'] ?? '0') * 1000),
    memory: Math.ceil(parseQuantity(quantities?.['memory'] ?? '0')),
  };
}

const units: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity: the API server writes `1Gi` for 1024Mi, `1` for 1000m. 0 when it is none. */
function parseQuantity(text: string): number {
  const [, digits = '0', unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(digits) * (units[unit] ?? 0);
}
