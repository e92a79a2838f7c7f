import { allVerbs } from './builtin-types.ts';
import { at, isRecord, items, record, text } from './json.ts';
import { versionsOf } from './kinds/crd.ts';
import type { KubeObject } from './object.ts';
import type { ResourceType, ScalePaths } from './resource.ts';
import { compileSchema } from './schema/structural.ts';

/** The served versions of a CRD as resources. @throws SchemaError when a schema does not compile */
export function customTypes(crd: KubeObject): readonly ResourceType[] {
  return versionsOf(crd)
    .filter((version) => version['served'] === true)
    .map((version) => customType(crd, version));
}

function customType(crd: KubeObject, version: Record<string, unknown>): ResourceType {
  const spec = record(crd['spec']);
  const names = record(spec['names']);
  const group = text(spec['group']);
  const versionName = text(version['name']);
  const storageVersion = text(versionsOf(crd).find((entry) => entry['storage'] === true)?.['name']);
  const subresources = record(version['subresources']);
  const scale = parseScale(subresources['scale']);
  const hasStatus = isRecord(subresources['status']);
  return {
    group,
    version: versionName,
    plural: text(names['plural']),
    singular: text(names['singular']),
    kind: text(names['kind']),
    listKind: text(names['listKind']),
    shortNames: strings(names['shortNames']),
    categories: strings(names['categories']),
    isNamespaced: spec['scope'] === 'Namespaced',
    verbs: allVerbs,
    subresources: new Set([...(hasStatus ? ['status'] : []), ...(scale === null ? [] : ['scale'])]),
    storage: `${group}/${text(names['plural'])}`,
    storageApiVersion: `${group}/${storageVersion}`,
    schema: compileSchema(at(version, 'schema', 'openAPIV3Schema')),
    strategy: {},
    countsGeneration: true,
    needsVersionOnUpdate: true,
    keepsStatusOnCreate: false,
    returnsDeleted: false,
    selectableFields: selectableFields(version),
    scale,
    custom: { crdName: crd.metadata.name, version },
    fromStorage: (object) => withVersion(object, `${group}/${versionName}`),
    toStorage: (object) => withVersion(object, `${group}/${storageVersion}`),
  };
}

/** Conversion strategy None: only the apiVersion differs. */
function withVersion(object: KubeObject, apiVersion: string): KubeObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function parseScale(scale: unknown): ScalePaths | null {
  if (!isRecord(scale)) return null;
  const labelSelectorPath = text(scale['labelSelectorPath']);
  return {
    specReplicasPath: text(scale['specReplicasPath']),
    statusReplicasPath: text(scale['statusReplicasPath']),
    ...(labelSelectorPath === '' ? {} : { labelSelectorPath }),
  };
}

function selectableFields(version: Record<string, unknown>): Record<string, (object: KubeObject) => string> {
  const paths = items(version['selectableFields']).map((entry) => text(at(entry, 'jsonPath')));
  return Object.fromEntries(paths.map((path) => [path.replace(/^\./, ''), readerOf(path)]));
}

function readerOf(path: string): (object: KubeObject) => string {
  const steps = path.split('.').filter((step) => step !== '');
  return (object) => {
    const value = at(object, ...steps);
    return typeof value === 'string' ? value : value === undefined || value === null ? '' : String(value);
  };
}

function strings(value: unknown): string[] {
  return items(value).filter((entry): entry is string => typeof entry === 'string');
}
