import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Fields of a Function that Lambda's API has no words for: what kubectl says there, the API leaves as it is. */
export const kubectlOnly: readonly string[] = [
  'code.inline.files',
  'code.url.sha256',
  'code.url.url',
  'concurrency.maxQueueSeconds',
  'concurrency.maxQueued',
  'concurrency.onLimit',
  'environment.valueFrom.configMapKeyRef.key',
  'environment.valueFrom.configMapKeyRef.name',
  'environment.valueFrom.secretKeyRef.key',
  'environment.valueFrom.secretKeyRef.name',
  'http.routes', // those of API Gateway, whose API is another one
  'idle',
  'serviceAccountName', // in place of `role`: the API shows it as one
];

/** Lists that are looked at as one. */
const wholeLists: readonly string[] = ['code.inline.files', 'http.routes'];

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** All fields of a kind's spec, lists as their entries, by the manifest that the API server has. */
export function fieldsOf(plural: 'functions' | 'aliases' | 'layers'): readonly string[] {
  const file = new URL(`../../crds/manifests/${plural}.yaml`, import.meta.url);
  const schema: Schema = parse(readFileSync(file, 'utf8')).spec.versions[0].schema.openAPIV3Schema.properties.spec;
  return leavesOf(schema, '');
}

function leavesOf({ properties, items }: Schema, path: string): readonly string[] {
  if (items !== undefined && !wholeLists.includes(path)) return leavesOf(items, path);
  if (properties === undefined || items !== undefined) return [path];
  return Object.entries(properties).flatMap(([name, field]) => leavesOf(field, path === '' ? name : `${path}.${name}`));
}

/** The fields that a spec has, in the same form. */
export function fieldsIn(value: unknown, known: readonly string[], path = ''): readonly string[] {
  if (known.includes(path) || typeof value !== 'object' || value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((entry) => fieldsIn(entry, known, path));
  return Object.entries(value).flatMap(([name, field]) =>
    fieldsIn(field, known, path === '' ? name : `${path}.${name}`),
  );
}
