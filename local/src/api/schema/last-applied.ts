import { clone, isObject, type JsonObject, objectOr, valueAt } from './json.ts';
import { difference, emptySet, type PathSet, union } from './path-set.ts';
import type { SchemaNode } from './schema-node.ts';
import { compare, fieldSetOf } from './typed-value.ts';

/** Where client-side apply keeps what it applied last. */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The only field manager for which the annotation counts; another name opts out. */
const manager = 'kubectl';

/**
 * Fields that kubectl owned through client-side apply and that still have the applied value:
 * the first server-side apply may take them over without a conflict.
 */
export function takeoverFields(node: SchemaNode, live: JsonObject, appliedBy: string): PathSet {
  const last = appliedBy === manager ? parse(valueAt(live, 'metadata', 'annotations', annotation)) : null;
  if (last === null || last['apiVersion'] !== live['apiVersion']) return emptySet;
  const { added, modified, removed } = compare(node, last, live);
  return difference(fieldSetOf(node, last), union(union(added, modified), removed));
}

/** Keeps an annotation that is there in step with what kubectl applies now, so that both ways of apply can be mixed. */
export function refreshLastApplied(object: JsonObject, applied: JsonObject, appliedBy: string): JsonObject {
  if (appliedBy !== manager || valueAt(object, 'metadata', 'annotations', annotation) === undefined) return object;
  const copy = clone(applied);
  const annotations = objectOr(valueAt(copy, 'metadata', 'annotations'));
  delete annotations[annotation];
  const metadata = objectOr(object['metadata']);
  const refreshed = { ...objectOr(metadata['annotations']), [annotation]: `${JSON.stringify(copy)}\n` };
  return { ...object, metadata: { ...metadata, annotations: refreshed } };
}

function parse(text: unknown): JsonObject | null {
  if (typeof text !== 'string') return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
