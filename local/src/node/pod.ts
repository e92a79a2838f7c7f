import type { Pod } from '@kappa/crds/client/kinds';

/** What the node keeps of a Pod of the API: its projection. */
export interface PodView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly resourceVersion: string;
  /** '' while no node has it. */
  readonly nodeName: string;
  readonly phase: string;
  /** When it must be gone; null while nobody deletes it. */
  readonly deletion: { readonly deadlineMs: number } | null;
  readonly container: ContainerView;
  /** Containers beside the first are refused: a pool pod has one. */
  readonly containerCount: number;
}

/** The container of a pod. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly environment: readonly EnvironmentEntry[];
  /** limits.memory in bytes; null without a limit. */
  readonly memoryBytes: number | null;
  /** As the API wrote them: reported back as the resources in force. */
  readonly resources: Readonly<Record<string, unknown>>;
  readonly readiness: {
    readonly path: string;
    readonly port: number;
    readonly timeoutMs: number;
    readonly failures: number;
  } | null;
}

/** One variable, unresolved. */
export type EnvironmentEntry =
  | { readonly kind: 'value'; readonly name: string; readonly value: string }
  | { readonly kind: 'field'; readonly name: string; readonly path: string }
  | {
      readonly kind: 'configMap' | 'secret';
      readonly name: string;
      readonly object: string;
      readonly key: string;
      readonly isOptional: boolean;
    }
  | { readonly kind: 'unsupported'; readonly name: string; readonly source: string };

/** The projection. Pure; never throws: what the node cannot run is told when it is started. */
export function projectPod(pod: Pod): PodView {
  const { metadata, spec, status } = pod;
  const deadlineMs = metadata.deletionTimestampMs;
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    generation: metadata.generation,
    resourceVersion: metadata.resourceVersion,
    nodeName: spec.nodeName ?? '',
    phase: status?.phase ?? '',
    deletion: deadlineMs === null ? null : { deadlineMs },
    container: projectContainer(spec.containers[0]),
    containerCount: spec.containers.length + (spec.initContainers ?? []).length,
  };
}

/** Bytes of a Kubernetes quantity ("128Mi", "1G", "134217728"); null when it is none. */
export function parseBytes(quantity: unknown): number | null {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T|m)?$/.exec(String(quantity ?? ''));
  if (match === null) return null;
  const factors: Readonly<Record<string, number>> = {
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    m: 1e-3,
  };
  return Math.ceil(Number(match[1]) * (factors[match[2] ?? ''] ?? 1));
}

type Container = Pod['spec']['containers'][number];
type Variable = NonNullable<Container['env']>[number];

function projectContainer(container: Container | undefined): ContainerView {
  const resources = container?.resources ?? {};
  return {
    name: container?.name ?? '',
    image: container?.image ?? '',
    environment: (container?.env ?? []).map(projectVariable),
    memoryBytes: parseBytes(resources.limits?.['memory']),
    resources: { ...resources },
    readiness: container === undefined ? null : projectProbe(container),
  };
}

function projectVariable({ name, value, valueFrom }: Variable): EnvironmentEntry {
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom ?? {};
  if (fieldRef !== undefined) return { kind: 'field', name, path: fieldRef.fieldPath };
  const key = configMapKeyRef ?? secretKeyRef;
  if (key !== undefined) {
    const kind = configMapKeyRef === undefined ? 'secret' : 'configMap';
    return { kind, name, object: key.name ?? '', key: key.key, isOptional: key.optional === true };
  }
  const [source] = Object.keys(valueFrom ?? {});
  if (source !== undefined) return { kind: 'unsupported', name, source };
  return { kind: 'value', name, value: value ?? '' };
}

function projectProbe({ readinessProbe, ports = [] }: Container): ContainerView['readiness'] {
  const get = readinessProbe?.httpGet;
  if (get === undefined) return null;
  const named = ports.find((port) => port.name === get.port);
  return {
    path: get.path ?? '/',
    port: Number(named?.containerPort ?? get.port),
    timeoutMs: (readinessProbe?.timeoutSeconds ?? 1) * 1000,
    failures: readinessProbe?.failureThreshold ?? 3,
  };
}
