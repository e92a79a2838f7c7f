import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Environment } from '@marcbachmann/cel-js';
import { parse } from 'yaml';
import { parseAlias } from './alias.ts';
import { parseEventSourceMapping } from './event-source-mapping.ts';
import { parseFunction } from './function.ts';
import { parseFunctionVersion } from './function-version.ts';
import { parseLayer } from './layer.ts';
import { parsePool } from './pool.ts';
import type { ManifestCase, ManifestObject } from './testing-manifest.ts';
import { refusedManifests as others } from './testing-refused.ts';
import { refusedMappings } from './testing-refused-mappings.ts';
import { takenManifests } from './testing-taken.ts';

const refusedManifests = [...others, ...refusedMappings];

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-validations'?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fieldPath?: string;
  }[];
}

interface Refusal {
  readonly path: string;
  readonly message: string;
}

/** The API server's own check of the same cases is the contract suite of local mode, and the real server's in the cluster tests. */
const environment = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn');
// what JSON brings is a number here, and what size() answers a bigint
environment.registerFunction('list.sum(): dyn', (list: readonly (bigint | number)[]) =>
  list.some((item) => typeof item === 'number')
    ? list.reduce<number>((sum, item) => sum + Number(item), 0)
    : list.reduce<bigint>((sum, item) => sum + BigInt(item), 0n),
);
// of Kubernetes' string library
environment.registerFunction(
  'string.find(string): string',
  (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[0] ?? '',
);

const parsers = {
  functions: parseFunction,
  functionversions: parseFunctionVersion,
  aliases: parseAlias,
  eventsourcemappings: parseEventSourceMapping,
  layers: parseLayer,
  pools: parsePool,
};

/** Evaluates every rule of a schema, as the API server does: transition rules only when there is an old value. */
function check(schema: Schema, path: string, self: unknown, oldSelf: unknown): Refusal[] {
  const own = (schema['x-kubernetes-validations'] ?? []).filter(
    ({ rule }) => oldSelf !== undefined || !rule.includes('oldSelf'),
  );
  const broken = own.filter(({ rule }) => environment.evaluate(rule, { self, oldSelf }) !== true);
  const refusals = broken.map(({ message, fieldPath = '' }) => ({
    path: `${path}${fieldPath}`.replace(/^\./, ''),
    message,
  }));
  const fields = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const value = child === undefined ? undefined : (self as Record<string, unknown>)[key];
    return value === undefined
      ? []
      : check(child, `${path}.${key}`, value, (oldSelf as Record<string, unknown> | undefined)?.[key]);
  });
  const { items } = schema;
  const listed =
    items === undefined || !Array.isArray(self)
      ? []
      : self.flatMap((item, index) => check(items, `${path}[${index}]`, item, undefined));
  return [...refusals, ...fields, ...listed];
}

function refusalsOf({ plural, object, before }: ManifestCase): Refusal[] {
  const manifest = parse(readFileSync(new URL(`../manifests/${plural}.yaml`, import.meta.url), 'utf8'));
  // through JSON: the library knows maps by their constructor, and structuredClone's are another realm's in Jest
  const withDefaults = (given: ManifestObject): unknown =>
    JSON.parse(JSON.stringify({ ...parsers[plural](given), metadata: given.metadata }));
  const old = before === undefined ? undefined : withDefaults(before);
  return check(manifest.spec.versions[0].schema.openAPIV3Schema, '', withDefaults(object), old);
}

test.each(takenManifests.map((manifest) => [manifest.reason, manifest] as const))('taken: %s', (_reason, manifest) => {
  expect(refusalsOf(manifest)).toEqual([]);
});

test.each(refusedManifests.map((manifest) => [manifest.reason, manifest] as const))(
  'refused: %s',
  (_reason, manifest) => {
    const { path, text } = manifest.refused ?? {};
    expect(refusalsOf(manifest)).toEqual([{ path, message: expect.stringContaining(text ?? '') }]);
  },
);

test('every rule refuses something', () => {
  const messages = new Set(refusedManifests.flatMap((manifest) => refusalsOf(manifest).map(({ message }) => message)));
  const rulesOf = (schema: Schema): string[] => [
    ...(schema['x-kubernetes-validations'] ?? []).map(({ message }) => message),
    ...Object.values(schema.properties ?? {}).flatMap(rulesOf),
    ...(schema.items === undefined ? [] : rulesOf(schema.items)),
  ];
  for (const plural of Object.keys(parsers)) {
    const manifest = parse(readFileSync(new URL(`../manifests/${plural}.yaml`, import.meta.url), 'utf8'));
    expect(
      rulesOf(manifest.spec.versions[0].schema.openAPIV3Schema).filter((message) => !messages.has(message)),
    ).toEqual([]);
  }
});
