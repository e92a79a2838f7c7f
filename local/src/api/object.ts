import { isRecord, type JsonObject } from './json.ts';
import { badRequest } from './status.ts';

/** Who owns an object; the garbage collector follows it. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The metadata that this server itself reads or writes. Other fields pass through. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  /** Absent on cluster-scoped objects. */
  namespace?: string;
  uid: string;
  /** Decimal text of the server's global counter at the last write. */
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
  [field: string]: unknown;
}

/** Any Kubernetes object. What the store hands out is never changed in place: `copy` first. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** A deep copy that may be changed. */
export function copy<T>(value: T): T {
  return structuredClone(value);
}

/** `namespace/name`, or `/name` for cluster-scoped objects: the key inside one resource. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Time as Kubernetes writes it: whole seconds, UTC. */
export function kubeTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The parts of metadata whose type is not a string. */
const metadataTypes: Readonly<Record<string, (value: unknown) => boolean>> = {
  generation: (value) => typeof value === 'number',
  deletionGracePeriodSeconds: (value) => typeof value === 'number',
  labels: isStringMap,
  annotations: isStringMap,
  finalizers: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  ownerReferences: (value) => Array.isArray(value) && value.every(isOwnerReference),
  managedFields: (value) => Array.isArray(value),
};

const metadataStrings = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
];

/**
 * Reads a decoded body as an object: apiVersion, kind and well-typed metadata, absent metadata fields filled with ''.
 * Changes and returns its argument.
 * @throws ApiError 400 naming the field that has the wrong type
 */
export function parseObject(body: unknown): KubeObject {
  if (!isRecord(body)) throw badRequest('the request body is not an object');
  if (typeof body['apiVersion'] !== 'string') throw badRequest("Object 'apiVersion' is missing in the request body");
  if (typeof body['kind'] !== 'string') throw badRequest("Object 'Kind' is missing in the request body");
  const metadata = body['metadata'] ?? {};
  if (!isRecord(metadata)) throw badRequest('json: cannot unmarshal into field metadata: not an object');
  body['metadata'] = metadata;
  checkMetadata(metadata);
  for (const field of ['name', 'uid', 'resourceVersion', 'creationTimestamp']) metadata[field] ??= '';
  return body as KubeObject;
}

const omittedWhenEmpty: ReadonlySet<string> = new Set(['labels', 'annotations', 'finalizers', 'ownerReferences']);

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function checkMetadata(metadata: JsonObject): void {
  for (const [field, value] of Object.entries(metadata)) {
    if (value === null || (omittedWhenEmpty.has(field) && isEmpty(value))) {
      delete metadata[field];
      continue;
    }
    const isRight = metadataTypes[field] ?? (metadataStrings.includes(field) ? isString : always);
    if (!isRight(value)) throw badRequest(`json: cannot unmarshal into field metadata.${field}: wrong type`);
  }
}

function always(): boolean {
  return true;
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isStringMap(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every(isString);
}

function isOwnerReference(value: unknown): boolean {
  return isRecord(value) && ['apiVersion', 'kind', 'name', 'uid'].every((field) => typeof value[field] === 'string');
}
