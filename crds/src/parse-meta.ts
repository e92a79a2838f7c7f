import type { ObjectMeta, OwnerReference } from './object-meta.ts';
import { type FieldProblem, ParseError } from './parse-error.ts';

/** Any JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether it is a JSON object: not null, not an array, not a Date. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * Metadata in its one shape. Instants may be text (watch, file) or Date (client-node's list). What is missing becomes empty.
 *
 * @param kind for the error's text
 * @throws ParseError when it is not an object, or a field has another type than Kubernetes gives it
 */
export function parseMeta(kind: string, value: unknown): ObjectMeta {
  if (!isJsonObject(value)) throw new ParseError(kind, [{ path: 'metadata', message: 'must be object' }]);
  const problems: FieldProblem[] = [];
  const read = <T>(key: string, fallback: T, parse: (value: unknown) => T | undefined): T => {
    const found = value[key];
    if (found === undefined || found === null) return fallback;
    const parsed = parse(found);
    if (parsed === undefined) problems.push({ path: `metadata.${key}`, message: 'has a wrong type' });
    return parsed ?? fallback;
  };
  const meta: ObjectMeta = {
    name: read('name', '', text),
    namespace: read('namespace', '', text),
    uid: read('uid', '', text),
    resourceVersion: read('resourceVersion', '', text),
    generation: read('generation', 0, integer),
    creationTimestampMs: read<number | null>('creationTimestamp', null, instantMs),
    deletionTimestampMs: read<number | null>('deletionTimestamp', null, instantMs),
    labels: read('labels', {}, stringMap),
    annotations: read('annotations', {}, stringMap),
    ownerReferences: read<readonly OwnerReference[]>('ownerReferences', [], ownerReferences),
    finalizers: read<readonly string[]>('finalizers', [], strings),
  };
  if (problems.length > 0) throw new ParseError(kind, problems);
  return meta;
}

/**
 * An instant as epoch milliseconds.
 *
 * @param value RFC 3339 text or a Date
 * @returns undefined when it is neither
 */
export function instantMs(value: unknown): number | undefined {
  if (!(value instanceof Date) && typeof value !== 'string') return undefined;
  const ms = new Date(value).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

function strings(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function stringMap(value: unknown): Readonly<Record<string, string>> | undefined {
  return isStringMap(value) ? value : undefined;
}

function isStringMap(value: unknown): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

function ownerReferences(value: unknown): readonly OwnerReference[] | undefined {
  return Array.isArray(value) && value.every(isOwnerReference) ? value : undefined;
}

function isOwnerReference(value: unknown): value is OwnerReference {
  const keys = ['apiVersion', 'kind', 'name', 'uid'];
  return isJsonObject(value) && keys.every((key) => typeof value[key] === 'string');
}
