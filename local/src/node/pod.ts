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
  /** Address that the status already shows; '' when none. */
  readonly podIp: string;
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

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a Pod, from a list or a watch.
 *
 * @throws Error when it has no uid or name: then it is no object of an API server
 */
export function parsePod(value: unknown): PodView {
  const pod = object(value);
  const metadata = object(pod['metadata']);
  const spec = object(pod['spec']);
  const status = object(pod['status']);
  const containers = list(spec['containers']);
  const uid = text(metadata['uid']);
  const name = text(metadata['name']);
  if (uid === '' || name === '') throw new Error('pod without uid or name');
  const deletedAt = instantMs(metadata['deletionTimestamp']);
  return {
    uid,
    namespace: text(metadata['namespace']),
    name,
    generation: Number(metadata['generation'] ?? 0),
    resourceVersion: text(metadata['resourceVersion']),
    nodeName: text(spec['nodeName']),
    phase: text(status['phase']),
    podIp: text(status['podIP']),
    deletion: deletedAt === null ? null : { deadlineMs: deletedAt },
    container: parseContainer(object(containers[0])),
    containerCount: containers.length + list(spec['initContainers']).length,
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

function parseContainer(container: Json): ContainerView {
  const resources = object(container['resources']);
  return {
    name: text(container['name']),
    image: text(container['image']),
    environment: list(container['env']).map((entry) => parseVariable(object(entry))),
    memoryBytes: parseBytes(object(resources['limits'])['memory']),
    resources,
    readiness: parseProbe(container),
  };
}

function parseVariable(entry: Json): EnvironmentEntry {
  const name = text(entry['name']);
  const from = object(entry['valueFrom']);
  const key = (source: Json) => ({
    name,
    object: text(source['name']),
    key: text(source['key']),
    isOptional: source['optional'] === true,
  });
  if (from['fieldRef'] !== undefined) return { kind: 'field', name, path: text(object(from['fieldRef'])['fieldPath']) };
  if (from['configMapKeyRef'] !== undefined) return { kind: 'configMap', ...key(object(from['configMapKeyRef'])) };
  if (from['secretKeyRef'] !== undefined) return { kind: 'secret', ...key(object(from['secretKeyRef'])) };
  const [source] = Object.keys(from);
  if (source !== undefined) return { kind: 'unsupported', name, source };
  return { kind: 'value', name, value: text(entry['value']) };
}

function parseProbe(container: Json): ContainerView['readiness'] {
  const probe = object(container['readinessProbe']);
  if (probe['httpGet'] === undefined) return null;
  const get = object(probe['httpGet']);
  const named = list(container['ports'])
    .map(object)
    .find((port) => port['name'] === get['port']);
  return {
    path: text(get['path'], '/'),
    port: Number(named?.['containerPort'] ?? get['port']),
    timeoutMs: Number(probe['timeoutSeconds'] ?? 1) * 1000,
    failures: Number(probe['failureThreshold'] ?? 3),
  };
}

/** Lists carry Date objects, watches carry texts. */
function instantMs(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  return value instanceof Date ? value.getTime() : Date.parse(String(value));
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown, fallback = ''): string {
  return typeof value === 'string' ? value : fallback;
}
