import type { EnvironmentEntry, PodView } from './pod.ts';

/** Reads the data of a ConfigMap or Secret of the pod's namespace; null when there is none. Secret values are decoded. */
export type ReadKeys = (
  kind: 'configMap' | 'secret',
  namespace: string,
  name: string,
) => Promise<Readonly<Record<string, string>> | null>;

/** A variable that cannot be resolved now; the pod waits with reason CreateContainerConfigError. */
export class BadEnvironment extends Error {}

/**
 * The values of a pod's variables, in order, later ones winning.
 *
 * @param podIp the address that `status.podIP` means
 * @throws BadEnvironment when a reference leads nowhere
 */
export async function resolveEnvironment(
  pod: PodView,
  podIp: string,
  readKeys: ReadKeys,
): Promise<Record<string, string>> {
  const objects = new Map<string, ReturnType<ReadKeys>>();
  const readOnce: ReadKeys = (kind, namespace, name) => {
    const id = `${kind}/${name}`;
    const known = objects.get(id) ?? readKeys(kind, namespace, name);
    objects.set(id, known);
    return known;
  };
  const resolved: Record<string, string> = {};
  for (const entry of pod.container.environment) {
    const value = await resolveEntry(entry, pod, podIp, readOnce);
    if (value !== null) resolved[entry.name] = value;
  }
  return resolved;
}

async function resolveEntry(
  entry: EnvironmentEntry,
  pod: PodView,
  podIp: string,
  readKeys: ReadKeys,
): Promise<string | null> {
  switch (entry.kind) {
    case 'value':
      return entry.value;
    case 'field':
      return fieldOf(entry.name, entry.path, pod, podIp);
    case 'unsupported':
      throw new BadEnvironment(`variable ${entry.name}: the process node does not know ${entry.source}`);
    default: {
      const keys = await readKeys(entry.kind, pod.namespace, entry.object);
      const value = keys?.[entry.key];
      if (value !== undefined || entry.isOptional) return value ?? null;
      const missing =
        keys === null
          ? `${entry.kind} "${entry.object}" not found`
          : `key ${entry.key} not in ${entry.kind} ${entry.object}`;
      throw new BadEnvironment(`variable ${entry.name}: ${missing} in namespace ${pod.namespace}`);
    }
  }
}

function fieldOf(variable: string, path: string, pod: PodView, podIp: string): string {
  const fields: Readonly<Record<string, string>> = {
    'metadata.uid': pod.uid,
    'metadata.name': pod.name,
    'metadata.namespace': pod.namespace,
    'spec.nodeName': pod.nodeName,
    'status.podIP': podIp,
    'status.hostIP': '127.0.0.1',
  };
  const value = fields[path];
  if (value === undefined)
    throw new BadEnvironment(`variable ${variable}: the process node does not know the field ${path}`);
  return value;
}
