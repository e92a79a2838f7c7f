/**
 * Writes `src/generated/<kind>.ts` (types) and `<kind>.schema.json` (what parsers check) from `manifests/*.yaml`, which stay the
 * source of truth. Run by `make generate`: `node crds/src/generate.ts`; the same input always gives the same bytes.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { parse } from 'yaml';
import { validationSchema } from './validation-schema.ts';

/** The part of a CRD manifest that matters here. */
interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** The subset of structural schemas that Kappa's manifests use. */
interface Schema {
  readonly type: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

const manifests = new URL('../manifests/', import.meta.url);
const generated = new URL('./generated/', import.meta.url);

for (const file of readdirSync(manifests).sort()) {
  const crd: CustomResourceDefinition = parse(readFileSync(new URL(file, manifests), 'utf8'));
  const { kind } = crd.spec.names;
  const name = kind.replace(/\B[A-Z]/g, '-$&').toLowerCase();
  writeFileSync(new URL(`${name}.ts`, generated), await typesOf(crd, file));
  writeFileSync(new URL(`${name}.schema.json`, generated), `${JSON.stringify(schemaOf(crd, file))}\n`);
}

/** The TypeScript source of one kind. Fields with a default are never undefined: `parse` has filled them in. */
async function typesOf(crd: CustomResourceDefinition, file: string): Promise<string> {
  const { group, names } = crd.spec;
  const version = versionOf(crd, file);
  const root = convert(version.schema.openAPIV3Schema, names.kind, 'Object');
  const properties = {
    ...root.properties,
    apiVersion: { tsType: `'${group}/${version.name}'` },
    kind: { tsType: `'${names.kind}'` },
    metadata: { tsType: 'ObjectMeta' },
  };
  const schema = { ...root, properties, required: ['apiVersion', 'kind', 'metadata', 'spec'] };
  const source = await compile(schema, `${names.kind}Object`, {
    additionalProperties: false,
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  const banner = `// Generated from crds/manifests/${file} by crds/src/generate.ts. Do not edit: run \`make generate\`.`;
  const condition = source.includes('Condition[]') ? "import type { Condition } from '../conditions.ts';\n" : '';
  return `${banner}\n${condition}import type { ObjectMeta } from '../object-meta.ts';\n\n${readonly(source)}`;
}

/** What a parser checks. The first key says that it is generated: JSON has no comments. */
function schemaOf(crd: CustomResourceDefinition, file: string): object {
  const $comment = `Generated from crds/manifests/${file} by crds/src/generate.ts. Do not edit: run make generate.`;
  return { $comment, ...validationSchema({ ...versionOf(crd, file).schema.openAPIV3Schema }) };
}

function versionOf(crd: CustomResourceDefinition, file: string): CustomResourceDefinition['spec']['versions'][number] {
  const [version] = crd.spec.versions;
  if (version === undefined) throw new Error(`${file} has no version`);
  return version;
}

/** A schema for the compiler: every object gets a name from its path, every default makes its field required. */
function convert(schema: Schema, kind: string, path: string): JSONSchema {
  const common = { ...(schema.description === undefined ? {} : { description: schema.description }) };
  if (schema.type === 'array' && schema.items !== undefined) {
    if (path.endsWith('Conditions')) return { ...common, type: 'array', items: { tsType: 'Condition' } };
    return { ...common, type: 'array', items: convert(schema.items, kind, itemName(path)) };
  }
  if (schema.type !== 'object') return { ...common, type: typeName(schema.type), ...enumOf(schema) };
  if (schema.additionalProperties !== undefined) return { ...common, ...mapOf(schema.additionalProperties) };
  const entries = Object.entries(schema.properties ?? {});
  const required = entries.filter(([key, value]) => schema.required?.includes(key) || value.default !== undefined);
  return {
    ...common,
    type: 'object',
    title: `${kind}${path}`,
    properties: Object.fromEntries(entries.map(([key, value]) => [key, convert(value, kind, join(path, key))])),
    required: required.map(([key]) => key),
    additionalProperties: false,
  };
}

function mapOf({ type }: Schema): JSONSchema {
  return { tsType: `Readonly<Record<string, ${typeName(type) === 'integer' ? 'number' : type}>>` };
}

function enumOf(schema: Schema): JSONSchema {
  return schema.enum === undefined ? {} : { enum: [...schema.enum] };
}

function typeName(type: string): 'string' | 'integer' | 'boolean' {
  if (type === 'string' || type === 'integer' || type === 'boolean') return type;
  throw new Error(`type ${type} is not used in Kappa's manifests`);
}

/** `Spec` + `code` → `Code`, `Code` + `inline` → `CodeInline`: the spec's own fields go without the prefix. */
function join(path: string, key: string): string {
  const pascal = key.charAt(0).toUpperCase() + key.slice(1);
  return path === 'Object' || path === 'Spec' ? pascal : `${path}${pascal}`;
}

/** `CodeInlineFiles` → `CodeInlineFile`, `Environment` → `EnvironmentEntry`. */
function itemName(path: string): string {
  return path.endsWith('s') ? path.slice(0, -1) : `${path}Entry`;
}

/** Makes every field and every array of generated source read-only; the compiler has no option for it. */
function readonly(source: string): string {
  const fields = source.replace(/^( +)([\w$]+\??:)(?= |$)/gm, '$1readonly $2');
  return fields.replace(/: (\w+)\[\];/g, ': readonly $1[];').replace(/: (\([^)]*\))\[\];/g, ': readonly $1[];');
}
