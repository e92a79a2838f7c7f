/**
 * JSON schemas for kubeconform without a network of its own: made from the API description in Kubernetes' Go module, and from the
 * definitions in the Go modules of the Gateway API and of the Prometheus operator.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

type Json = Record<string, unknown>;

const kubernetes = { module: 'k8s.io/kubernetes', version: 'v1.36.3' };
/** Definitions of other people's objects that the chart makes. */
const others = [
  {
    module: 'sigs.k8s.io/gateway-api',
    version: 'v1.5.0',
    file: 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml',
  },
  {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    file: 'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml',
  },
];

/** Of Kubernetes that the schemas describe. */
export const kubernetesVersion = kubernetes.version.slice(1);

/**
 * Makes the schemas unless they are there.
 *
 * @returns kubeconform's schema location
 */
export function ensureSchemas(cacheDir: string): string {
  const directory = join(cacheDir, `schemas-${kubernetes.version}`);
  if (!existsSync(directory)) {
    const making = `${directory}.${process.pid}`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    writeKubernetes(making);
    for (const other of others) writeDefinition(making, join(moduleDir(other), other.file));
    renameSync(making, directory);
  }
  return join(directory, '{{ .ResourceKind }}-{{ .ResourceAPIVersion }}.json');
}

function moduleDir({ module, version }: { readonly module: string; readonly version: string }): string {
  const text = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], { encoding: 'utf8', cwd: '/' });
  return JSON.parse(text).Dir;
}

/** One file per kind, with all that it refers to. */
function writeKubernetes(directory: string): void {
  const swagger = JSON.parse(readFileSync(join(moduleDir(kubernetes), 'api/openapi-spec/swagger.json'), 'utf8'));
  const definitions: Record<string, Json> = swagger.definitions;
  for (const [name, definition] of Object.entries(definitions)) {
    const kinds = definition['x-kubernetes-group-version-kind'];
    if (!Array.isArray(kinds)) continue;
    for (const { kind, version } of kinds) {
      const used = new Map<string, unknown>();
      collect(name, definitions, used);
      const schema = { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(used) };
      writeSchema(directory, kind, version, schema);
    }
  }
}

function collect(name: string, definitions: Readonly<Record<string, Json>>, used: Map<string, unknown>): void {
  if (used.has(name)) return;
  const strict = makeStrict(definitions[name], name);
  used.set(name, strict);
  for (const [, next = ''] of JSON.stringify(strict).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    collect(next, definitions, used);
  }
}

function writeDefinition(directory: string, file: string): void {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const definition = document.toJS();
    if (definition?.kind !== 'CustomResourceDefinition') continue;
    for (const { name, schema } of definition.spec.versions) {
      const { properties, ...rest } = schema.openAPIV3Schema;
      const all = { ...rest, properties: { ...properties, metadata: { type: 'object' } } };
      writeSchema(directory, definition.spec.names.kind, name, makeStrict(all, ''));
    }
  }
}

function writeSchema(directory: string, kind: string, version: string, schema: unknown): void {
  writeFileSync(join(directory, `${kind.toLowerCase()}-${version}.json`), JSON.stringify(schema));
}

/** A misspelt field is an error: objects with known fields take no others. Kubernetes' own "number or text" types are said in JSON Schema. */
function makeStrict(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((item) => makeStrict(item, ''));
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Json;
  if (schema['format'] === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true || /Quantity$/.test(name)) {
    return { type: ['string', 'number'] };
  }
  const inner = Object.fromEntries(Object.entries(schema).map(([key, item]) => [key, makeStrict(item, '')]));
  const isClosed = typeof schema['properties'] === 'object' && schema['type'] === 'object';
  const isOpen = 'additionalProperties' in schema || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isClosed && !isOpen ? { ...inner, additionalProperties: false } : inner;
}
