import { isSameJson } from './json.ts';
import type { KubeObject } from './object.ts';
import { type FieldError, fieldError } from './schema/field-error.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
/** Limit of all annotations together, bytes of keys and values. */
const maxAnnotationBytes = 256 * 1024;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character " +
  "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** Checks what holds for the metadata of every kind. @param live the stored object on update, null on creation */
export function validateMetadata(object: KubeObject, live: KubeObject | null): FieldError[] {
  return [
    ...validateName(object),
    ...validateLabels(object.metadata.labels ?? {}),
    ...validateAnnotations(object.metadata.annotations ?? {}),
    ...validateFinalizers(object, live),
    ...validateOwners(object),
    ...(live === null ? [] : validateKept(object, live)),
  ];
}

function validateName({ metadata: { name } }: KubeObject): FieldError[] {
  if (name === '') return [fieldError('metadata.name', 'Required', 'name or generateName is required')];
  if (name.length > 253) return [fieldError('metadata.name', 'Invalid', 'must be no more than 253 characters', name)];
  return subdomain.test(name) ? [] : [fieldError('metadata.name', 'Invalid', subdomainRule, name)];
}

function isQualifiedName(key: string): boolean {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : null;
  const isPrefixed = prefix === null || (prefix.length <= 253 && subdomain.test(prefix));
  return parts.length <= 2 && isPrefixed && name.length <= 63 && qualifiedName.test(name);
}

function validateLabels(labels: Readonly<Record<string, string>>): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!isQualifiedName(key))
      return [fieldError('metadata.labels', 'Invalid', 'name part must be a qualified name', key)];
    if (value.length > 63) return [fieldError('metadata.labels', 'Invalid', 'must be no more than 63 bytes', value)];
    if (labelValue.test(value)) return [];
    const rule =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    return [fieldError('metadata.labels', 'Invalid', rule, value)];
  });
}

function validateAnnotations(annotations: Readonly<Record<string, string>>): FieldError[] {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  const tooLong =
    bytes > maxAnnotationBytes
      ? [fieldError('metadata.annotations', 'TooLong', `may not be more than ${maxAnnotationBytes} bytes`)]
      : [];
  const wrong = entries.filter(([key]) => !isQualifiedName(key.toLowerCase()));
  return [
    ...tooLong,
    ...wrong.map(([key]) => fieldError('metadata.annotations', 'Invalid', 'name part must be a qualified name', key)),
  ];
}

const plainFinalizers: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

function validateFinalizers(object: KubeObject, live: KubeObject | null): FieldError[] {
  const finalizers = object.metadata.finalizers ?? [];
  const wrong = finalizers
    .filter(
      (name) => !isQualifiedName(name) || !(name.includes('/') || plainFinalizers.has(name) || name.includes('.')),
    )
    .map((name) =>
      fieldError(
        'metadata.finalizers',
        'Invalid',
        'name is neither a standard finalizer name nor is it fully qualified',
        name,
      ),
    );
  if (live?.metadata.deletionTimestamp === undefined) return wrong;
  const added = finalizers.filter((name) => !(live.metadata.finalizers ?? []).includes(name));
  if (added.length === 0) return wrong;
  const message = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  return [...wrong, fieldError('metadata.finalizers', 'Forbidden', message)];
}

function validateOwners(object: KubeObject): FieldError[] {
  const owners = object.metadata.ownerReferences ?? [];
  const empty = owners.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => owner[field] === '')
      .map((field) => fieldError(`metadata.ownerReferences[${index}].${field}`, 'Invalid', 'must not be empty', '')),
  );
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length < 2) return empty;
  return [
    ...empty,
    fieldError('metadata.ownerReferences', 'Invalid', 'Only one reference can have Controller set to true', owners),
  ];
}

/** Fields that only the server writes. */
const kept = ['name', 'namespace', 'uid', 'creationTimestamp'] as const;

function validateKept(object: KubeObject, live: KubeObject): FieldError[] {
  return kept
    .filter((field) => !isSameJson(object.metadata[field], live.metadata[field]))
    .map((field) => fieldError(`metadata.${field}`, 'Invalid', 'field is immutable', object.metadata[field]));
}
