import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as limits from './limits.ts';
import { validationSchema } from './validation-schema.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maximum?: number;
  readonly minimum?: number;
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[];
}

const directory = new URL('../manifests/', import.meta.url);
const files = readdirSync(directory);
const manifests = new Map(files.map((file) => [file, parse(readFileSync(new URL(file, directory), 'utf8'))]));

function rootOf(file: string): Schema {
  return manifests.get(file).spec.versions[0].schema.openAPIV3Schema;
}

/** Every field below spec and status, with its path. */
function fieldsOf(schema: Schema, path: string): [path: string, field: Schema][] {
  const children = [
    ...Object.entries(schema.properties ?? {}),
    ...(schema.items === undefined ? [] : [['[]', schema.items] as const]),
  ];
  return [[path, schema], ...children.flatMap(([key, child]) => fieldsOf(child, `${path}.${key}`))];
}

describe.each(files)('%s', (file) => {
  const { spec, metadata } = manifests.get(file);
  const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...own } = rootOf(file).properties ?? {};
  const fields = Object.entries(own).flatMap(([key, schema]) => fieldsOf(schema, key));

  test('is named after its plural and group, in the category kappa', () => {
    expect(metadata.name).toBe(`${spec.names.plural}.${spec.group}`);
    expect(file).toBe(`${spec.names.plural}.yaml`);
    expect(spec.names.categories).toEqual(['kappa']);
  });

  test('its parser checks the schema as it is now', () => {
    const name = spec.names.kind.replace(/\B[A-Z]/g, '-$&').toLowerCase();
    const { $comment: _comment, ...generated } = JSON.parse(
      readFileSync(new URL(`./generated/${name}.schema.json`, import.meta.url), 'utf8'),
    );
    expect(generated).toEqual(validationSchema(spec.versions[0].schema.openAPIV3Schema));
  });

  test('every field says what it is', () => {
    expect(fields.filter(([, { description }]) => !description?.match(/^.{5,}$/s)).map(([path]) => path)).toEqual([]);
  });

  test('every field is bounded, so that rules stay cheap', () => {
    const isOpen = ({ type, maxLength, maxItems, maximum, minimum, format, enum: values }: Schema): boolean => {
      if (values !== undefined || type === 'boolean' || type === 'object' || format === 'date-time') return false;
      if (type === 'string') return maxLength === undefined;
      return type === 'array'
        ? maxItems === undefined
        : minimum === undefined || (maximum === undefined && format === undefined);
    };
    expect(fields.filter(([, field]) => isOpen(field)).map(([path]) => path)).toEqual([]);
  });

  test('every rule has a message', () => {
    const rules = fieldsOf(rootOf(file), '').flatMap(([, field]) => field['x-kubernetes-validations'] ?? []);
    expect(rules.filter(({ message }) => message === undefined)).toEqual([]);
  });
});

test('the rule on reserved variables names all of them', () => {
  const rules =
    rootOf('functions.yaml').properties?.['spec']?.properties?.['environment']?.items?.['x-kubernetes-validations'] ??
    [];
  const rule = rules.find(({ rule }) => rule.includes(' in ['))?.rule ?? '';
  expect([...rule.matchAll(/'(\w+)'/g)].map(([, name]) => name).sort()).toEqual([...limits.reservedVariables].sort());
});

test('bounds of lists and texts are the limits', () => {
  const spec = rootOf('functions.yaml').properties?.['spec']?.properties ?? {};
  const inline = spec['code']?.properties?.['inline'];
  expect(spec['environment']?.maxItems).toBe(limits.environmentEntriesMax);
  expect(spec['environment']?.['x-kubernetes-validations']?.[0]?.rule).toContain(`<= ${limits.environmentMaxBytes}`);
  expect(inline?.['x-kubernetes-validations']?.[0]?.rule).toContain(`<= ${limits.inlineCodeMaxBytes}`);
  expect(inline?.properties?.['files']?.maxItems).toBe(limits.inlineFilesMax);
  expect(inline?.properties?.['files']?.items?.properties?.['path']?.maxLength).toBe(limits.inlinePathMaxChars);
  expect(spec['functionName']?.maxLength).toBe(limits.functionNameMaxChars);
  expect(rootOf('functions.yaml').properties?.['metadata']?.properties?.['name']?.maxLength).toBe(
    limits.objectNameMaxChars,
  );
  expect(rootOf('aliases.yaml').properties?.['spec']?.properties?.['name']?.maxLength).toBe(limits.aliasNameMaxChars);
  expect(rootOf('pools.yaml').properties?.['spec']?.properties?.['replicas']?.maximum).toBe(limits.poolReplicasMax);
});

test('all kinds know the same runtimes', () => {
  const lists = files
    .map((file) => rootOf(file).properties?.['spec']?.properties?.['runtime']?.enum)
    .filter((list) => list !== undefined);
  expect(lists).toHaveLength(3);
  expect(new Set(lists.map((list) => JSON.stringify(list))).size).toBe(1);
});
