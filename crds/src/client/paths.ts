import type { Kind } from './kinds.ts';

/**
 * Path of a kind's objects.
 *
 * @param namespace null: all namespaces (or a kind without them)
 */
export function collectionPath(kind: Kind<unknown>, namespace: string | null): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = namespace === null || !kind.isNamespaced ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${kind.plural}`;
}

/** Path of one object, or of a subresource of it. */
export function objectPath(kind: Kind<unknown>, namespace: string | null, name: string, subresource?: string): string {
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
