import { createHash } from 'node:crypto';
import { isObject, type JsonObject, objectOr } from './json.ts';
import { objectMetaSchema } from './object-meta.ts';

/** One resource as a document describes it. */
export interface DescribedResource {
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** Verbs of the resource; default all. */
  readonly verbs?: readonly string[];
  /** `status`, `scale`, … */
  readonly subresources?: Iterable<string>;
  /** OpenAPI v3 schema of the whole object, as the CRD has it. */
  readonly source: unknown;
}

const metaRef = { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] };

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/**
 * An OpenAPI 3.0 document for one group and version: schemas, and for each verb an operation with the kind it is about.
 * That is what kubectl reads for `explain` and to learn whether the server validates fields.
 *
 * @param groupVersion `v1` or `group/version`
 */
export function openApiV3For(groupVersion: string, resources: readonly DescribedResource[]): JsonObject {
  const paths = resources.flatMap((resource) => pathsOf(groupVersion, resource));
  const schemas = resources.flatMap((resource) => schemasOf(groupVersion, resource));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1' },
    paths: Object.fromEntries(paths),
    components: {
      schemas: {
        'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': {
          ...objectMetaSchema,
          description: 'Metadata that every stored object has: names, labels, owners, versions.',
        },
        ...Object.fromEntries(schemas),
      },
    },
  };
}

/** The body of `/openapi/v3`: where each document is, with a hash so that clients may cache it for good. */
export function openApiV3Index(documents: Readonly<Record<string, JsonObject>>): JsonObject {
  const entries = Object.entries(documents).map(([groupVersion, document]) => {
    const path = pathPrefix(groupVersion).slice(1);
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${openApiHash(document)}` }];
  });
  return { paths: Object.fromEntries(entries) };
}

/** Hash of a document, upper case hex; also its ETag. */
export function openApiHash(document: JsonObject): string {
  return createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase();
}

function pathPrefix(groupVersion: string): string {
  return groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
}

function kindOf(groupVersion: string, kind: string): { group: string; version: string; kind: string } {
  const [first = '', second] = groupVersion.split('/');
  return second === undefined ? { group: '', version: first, kind } : { group: first, version: second, kind };
}

/** `io.k8s.api.core.v1.Pod` for built-in kinds, `dev.kappa.v1alpha1.Function` for others. */
function schemaName(groupVersion: string, kind: string): string {
  const { group, version } = kindOf(groupVersion, kind);
  if (group === '') return `io.k8s.api.core.${version}.${kind}`;
  return [...group.split('.').reverse(), version, kind].join('.');
}

function schemasOf(groupVersion: string, { kind, source }: DescribedResource): [string, JsonObject][] {
  const raw = objectOr(source);
  const gvk = kindOf(groupVersion, kind);
  const name = schemaName(groupVersion, kind);
  const object = {
    ...raw,
    type: 'object',
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the schema of this object.' },
      kind: { type: 'string', description: 'What kind of object this is.' },
      metadata: { ...metaRef, description: 'Standard metadata of the object.' },
      ...objectOr(stripMetadata(raw['properties'])),
    },
    'x-kubernetes-group-version-kind': [gvk],
  };
  const list = {
    type: 'object',
    description: `A list of ${kind}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      items: { type: 'array', items: { $ref: `#/components/schemas/${name}` } },
    },
    'x-kubernetes-group-version-kind': [{ ...gvk, kind: `${kind}List` }],
  };
  return [
    [name, object],
    [`${name}List`, list],
  ];
}

/** A custom resource may declare the three common fields itself; the common description is the better one. */
function stripMetadata(properties: unknown): unknown {
  if (!isObject(properties)) return {};
  const { apiVersion: _a, kind: _k, metadata: _m, ...own } = properties;
  return own;
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function pathsOf(groupVersion: string, resource: DescribedResource): [string, JsonObject][] {
  const { plural, isNamespaced, verbs = allVerbs, subresources = [] } = resource;
  const scope = isNamespaced ? '/namespaces/{namespace}' : '';
  const base = `${pathPrefix(groupVersion)}${scope}/${plural}`;
  const operation = operations(groupVersion, resource);
  const methods = (table: readonly (readonly [verb: string, method: string])[]): JsonObject =>
    Object.fromEntries(
      table.filter(([verb]) => verbs.includes(verb)).map(([verb, method]) => [method, operation(verb, method)]),
    );
  const many = methods([
    ['list', 'get'],
    ['create', 'post'],
    ['deletecollection', 'delete'],
  ]);
  const one = methods([
    ['get', 'get'],
    ['update', 'put'],
    ['patch', 'patch'],
    ['delete', 'delete'],
  ]);
  const part = methods([
    ['get', 'get'],
    ['update', 'put'],
    ['patch', 'patch'],
  ]);
  const everywhere: [string, JsonObject][] = isNamespaced
    ? [[`${pathPrefix(groupVersion)}/${plural}`, methods([['list', 'get']])]]
    : [];
  const parts = [...subresources].map((name): [string, JsonObject] => [`${base}/{name}/${name}`, part]);
  return [...everywhere, [base, many], [`${base}/{name}`, one], ...parts];
}

function operations(groupVersion: string, { kind }: DescribedResource): (verb: string, method: string) => JsonObject {
  const gvk = kindOf(groupVersion, kind);
  const schema = { $ref: `#/components/schemas/${schemaName(groupVersion, kind)}` };
  const listSchema = { $ref: `#/components/schemas/${schemaName(groupVersion, kind)}List` };
  return (verb, method) => ({
    description: `${verb} ${kind}`,
    operationId: `${verb}${gvk.group.replace(/\W/g, '')}${gvk.version}${kind}${method}`,
    parameters: parametersOf(method).map((name) => ({
      name,
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    })),
    ...requestBody(method, schema),
    responses: {
      200: {
        description: 'OK',
        content: { 'application/json': { schema: verb === 'list' ? listSchema : schema } },
      },
    },
    'x-kubernetes-action': verb,
    'x-kubernetes-group-version-kind': gvk,
  });
}

function parametersOf(method: string): readonly string[] {
  if (method === 'patch') return ['dryRun', 'fieldManager', 'fieldValidation', 'force'];
  if (method === 'put' || method === 'post') return ['dryRun', 'fieldManager', 'fieldValidation'];
  return method === 'delete' ? ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'] : ['resourceVersion'];
}

function requestBody(method: string, schema: JsonObject): JsonObject {
  if (method !== 'patch' && method !== 'put' && method !== 'post') return {};
  const types = method === 'patch' ? patchTypes : ['application/json', 'application/yaml'];
  const body = method === 'patch' ? { type: 'object' } : schema;
  return {
    requestBody: { required: true, content: Object.fromEntries(types.map((type) => [type, { schema: body }])) },
  };
}
