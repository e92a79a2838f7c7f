import { at, child, defaultTo, isRecord, items, type JsonObject, record, text } from '../json.ts';
import { copy, type KubeObject, kubeTime } from '../object.ts';
import type { Strategy } from '../resource.ts';
import { type FieldError, fieldError } from '../schema/field-error.ts';
import { compileSchema } from '../schema/structural.ts';

/** Keeps the CRD until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** `spec.versions` of a CRD. */
export function versionsOf(crd: KubeObject): JsonObject[] {
  return items(at(crd, 'spec', 'versions')).filter(isRecord);
}

function setDefaults(crd: KubeObject): void {
  const spec = child(crd, 'spec');
  const names = child(spec, 'names');
  const kind = text(names['kind']);
  defaultTo(names, 'singular', kind.toLowerCase());
  defaultTo(names, 'listKind', `${kind}List`);
  defaultTo(spec, 'conversion', { strategy: 'None' });
}

function storageVersion(crd: KubeObject): string {
  return text(versionsOf(crd).find((version) => version['storage'] === true)?.['name']);
}

function addStoredVersion(crd: KubeObject): void {
  const status = child(crd, 'status');
  const stored = items(status['storedVersions']).filter((name) => typeof name === 'string');
  const current = storageVersion(crd);
  status['storedVersions'] = stored.includes(current) ? stored : [...stored, current];
}

function validateNames(crd: KubeObject): FieldError[] {
  const { group, names, scope } = record(crd['spec']);
  const errors: FieldError[] = [];
  const need = (field: string, value: unknown): void => {
    if (text(value) === '') errors.push(fieldError(field, 'Required', ''));
  };
  need('spec.group', group);
  need('spec.names.plural', at(names, 'plural'));
  need('spec.names.kind', at(names, 'kind'));
  need('spec.scope', scope);
  if (scope !== undefined && scope !== 'Namespaced' && scope !== 'Cluster') {
    errors.push(fieldError('spec.scope', 'NotSupported', 'supported values: "Cluster", "Namespaced"', scope));
  }
  const wanted = `${text(at(names, 'plural'))}.${text(group)}`;
  if (crd.metadata.name !== wanted) {
    errors.push(fieldError('metadata.name', 'Invalid', 'must be spec.names.plural+"."+spec.group', crd.metadata.name));
  }
  return errors;
}

function validateVersions(crd: KubeObject): FieldError[] {
  const versions = versionsOf(crd);
  const errors = versions.flatMap((version, index) => validateVersion(version, `spec.versions[${index}]`));
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    errors.push(
      fieldError(
        'spec.versions',
        'Invalid',
        'must have exactly one version marked as storage version',
        versions.map((v) => v['name']),
      ),
    );
  }
  if (text(at(crd, 'spec', 'conversion', 'strategy')) !== 'None') {
    const strategy = at(crd, 'spec', 'conversion', 'strategy');
    errors.push(fieldError('spec.conversion.strategy', 'NotSupported', 'supported values: "None"', strategy));
  }
  return errors;
}

function validateVersion(version: JsonObject, path: string): FieldError[] {
  const schema = at(version, 'schema', 'openAPIV3Schema');
  if (text(version['name']) === '') return [fieldError(`${path}.name`, 'Required', '')];
  if (!isRecord(schema)) return [fieldError(`${path}.schema.openAPIV3Schema`, 'Required', 'schemas are required')];
  if (schema['type'] !== 'object')
    return [fieldError(`${path}.schema.openAPIV3Schema.type`, 'Invalid', 'must be object at the root', schema['type'])];
  try {
    compileSchema(schema);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : 'cannot be compiled';
    return [fieldError(`${path}.schema.openAPIV3Schema`, 'Invalid', why, '')];
  }
}

function validateKept(crd: KubeObject, live: KubeObject): FieldError[] {
  const fixed = [['group'], ['scope'], ['names', 'plural'], ['names', 'kind']];
  return fixed
    .filter((path) => at(crd, 'spec', ...path) !== at(live, 'spec', ...path))
    .map((path) => fieldError(`spec.${path.join('.')}`, 'Invalid', 'field is immutable', at(crd, 'spec', ...path)));
}

/** CustomResourceDefinitions: names, versions and schemas are checked before anything is served from them. */
export const crdStrategy: Strategy = {
  prepareForCreate(crd) {
    setDefaults(crd);
    crd['status'] = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] };
    addStoredVersion(crd);
    crd.metadata.finalizers = [...new Set([...(crd.metadata.finalizers ?? []), cleanupFinalizer])];
  },
  prepareForUpdate(crd, live, { subresource }) {
    if (subresource !== '') return;
    setDefaults(crd);
    crd['status'] = copy(live['status']);
    addStoredVersion(crd);
  },
  validate(crd, live, { subresource }) {
    if (subresource !== '') return [];
    return [...validateNames(crd), ...validateVersions(crd), ...(live === null ? [] : validateKept(crd, live))];
  },
};

/** Condition of a CRD, with the transition time kept while the status stays the same. */
export function setCondition(
  crd: KubeObject,
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): void {
  const conditions = items(at(crd, 'status', 'conditions')).filter(isRecord);
  const old = conditions.find((condition) => condition['type'] === type);
  const lastTransitionTime = old?.['status'] === status ? old['lastTransitionTime'] : kubeTime(nowMs);
  const made = { lastTransitionTime, message, reason, status, type };
  child(crd, 'status')['conditions'] = [...conditions.filter((condition) => condition['type'] !== type), made];
}
