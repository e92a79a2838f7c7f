import { compileRules, type Rule } from './cel-rules.ts';
import { isObject, listOr, objectOr, textOr } from './json.ts';
import { objectMetaSchema } from './object-meta.ts';

/** A schema that cannot be used: a broken pattern, a rule that does not compile. `path` says where in the schema. */
export class SchemaError extends Error {
  readonly path: string;
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options);
    this.path = path;
  }
}

/** How the items of a list are told apart when two writers or two versions meet. */
export type ListType = 'atomic' | 'set' | 'map';

/** One node of a structural schema, parsed once and never changed. */
export interface SchemaNode {
  /** `''` when the schema leaves the type open. */
  readonly type: string;
  readonly properties: ReadonlyMap<string, SchemaNode>;
  /** Schema of the values of a map; null for an object with fixed fields. */
  readonly additional: SchemaNode | null;
  readonly items: SchemaNode | null;
  readonly required: readonly string[];
  readonly nullable: boolean;
  /** `undefined` when the field has no default. */
  readonly defaultValue: unknown;
  readonly preserveUnknown: boolean;
  readonly embedded: boolean;
  readonly intOrString: boolean;
  /** `undefined` for a list that says nothing: atomic in custom resources. */
  readonly listType: ListType;
  readonly listMapKeys: readonly string[];
  readonly mapAtomic: boolean;
  /** Strategic merge patch: key of the items, strategies such as `merge`, `replace`, `retainKeys`. */
  readonly patchMergeKey: string;
  readonly patchStrategies: ReadonlySet<string>;
  readonly checks: ValueChecks;
  readonly rules: readonly Rule[];
}

/** The checks of JSON schema that look at one value. */
export interface ValueChecks {
  readonly enum: readonly unknown[] | null;
  readonly pattern: { readonly text: string; readonly regExp: RegExp } | null;
  readonly format: string;
  readonly minimum: number;
  readonly exclusiveMinimum: boolean;
  readonly maximum: number;
  readonly exclusiveMaximum: boolean;
  readonly multipleOf: number | null;
  readonly minLength: number;
  readonly maxLength: number;
  readonly minItems: number;
  readonly maxItems: number;
  readonly minProperties: number;
  readonly maxProperties: number;
  readonly allOf: readonly SchemaNode[];
  readonly anyOf: readonly SchemaNode[];
  readonly oneOf: readonly SchemaNode[];
  readonly not: SchemaNode | null;
}

/**
 * Parses an OpenAPI v3 schema node with its Kubernetes extensions.
 *
 * @param path where the node stands in the schema, for errors
 * @throws SchemaError when a pattern or a CEL rule does not compile
 */
export function parseSchemaNode(source: unknown, path: string): SchemaNode {
  const raw = objectOr(source);
  const embedded = raw['x-kubernetes-embedded-resource'] === true;
  return {
    type: textOr(raw['type']),
    properties: parseProperties(raw['properties'], path, embedded),
    additional: parseAdditional(raw['additionalProperties'], path),
    items: isObject(raw['items']) ? parseSchemaNode(raw['items'], `${path}.items`) : null,
    required: textList(raw['required']),
    nullable: raw['nullable'] === true,
    defaultValue: raw['default'],
    preserveUnknown: raw['x-kubernetes-preserve-unknown-fields'] === true || raw['additionalProperties'] === true,
    embedded,
    intOrString: raw['x-kubernetes-int-or-string'] === true || raw['format'] === 'int-or-string',
    listType: parseListType(raw['x-kubernetes-list-type']),
    listMapKeys: textList(raw['x-kubernetes-list-map-keys']),
    mapAtomic: raw['x-kubernetes-map-type'] === 'atomic',
    patchMergeKey: textOr(raw['x-kubernetes-patch-merge-key']),
    patchStrategies: new Set(textOr(raw['x-kubernetes-patch-strategy']).split(',')),
    checks: parseChecks(raw, path),
    rules: compileRules(raw['x-kubernetes-validations'], (message, cause) => {
      throw new SchemaError(`${path}.x-kubernetes-validations`, message, { cause });
    }),
  };
}

/** Adds the fields that every whole object has, at the root and in embedded resources. */
export function withObjectFields(properties: Map<string, SchemaNode>): Map<string, SchemaNode> {
  const text = parseSchemaNode({ type: 'string' }, '');
  properties.set('apiVersion', text);
  properties.set('kind', text);
  properties.set('metadata', metadataNode(properties.get('metadata')));
  return properties;
}

/** A custom resource may add checks to metadata.name and generateName only; the rest is Kubernetes' own. */
function metadataNode(declared: SchemaNode | undefined): SchemaNode {
  const node = parseSchemaNode(objectMetaSchema, 'metadata');
  const properties = new Map(node.properties);
  for (const key of ['name', 'generateName']) {
    const own = declared?.properties.get(key);
    if (own !== undefined) properties.set(key, own);
  }
  return { ...node, properties, rules: declared?.rules ?? [] };
}

function parseProperties(source: unknown, path: string, embedded: boolean): Map<string, SchemaNode> {
  const entries = Object.entries(objectOr(source));
  const nodes = new Map(entries.map(([key, raw]) => [key, parseSchemaNode(raw, `${path}.properties[${key}]`)]));
  return embedded ? withObjectFields(nodes) : nodes;
}

function parseAdditional(source: unknown, path: string): SchemaNode | null {
  return isObject(source) ? parseSchemaNode(source, `${path}.additionalProperties`) : null;
}

function parseListType(source: unknown): ListType {
  return source === 'set' || source === 'map' ? source : 'atomic';
}

function parseChecks(raw: Record<string, unknown>, path: string): ValueChecks {
  const nodes = (key: string): SchemaNode[] =>
    listOr(raw[key]).map((one, index) => parseSchemaNode(one, `${path}.${key}[${index}]`));
  return {
    enum: Array.isArray(raw['enum']) ? raw['enum'] : null,
    pattern: parsePattern(raw['pattern'], path),
    format: textOr(raw['format']),
    minimum: numberOr(raw['minimum'], Number.NEGATIVE_INFINITY),
    exclusiveMinimum: raw['exclusiveMinimum'] === true,
    maximum: numberOr(raw['maximum'], Number.POSITIVE_INFINITY),
    exclusiveMaximum: raw['exclusiveMaximum'] === true,
    multipleOf: typeof raw['multipleOf'] === 'number' ? raw['multipleOf'] : null,
    minLength: numberOr(raw['minLength'], 0),
    maxLength: numberOr(raw['maxLength'], Number.POSITIVE_INFINITY),
    minItems: numberOr(raw['minItems'], 0),
    maxItems: numberOr(raw['maxItems'], Number.POSITIVE_INFINITY),
    minProperties: numberOr(raw['minProperties'], 0),
    maxProperties: numberOr(raw['maxProperties'], Number.POSITIVE_INFINITY),
    allOf: nodes('allOf'),
    anyOf: nodes('anyOf'),
    oneOf: nodes('oneOf'),
    not: isObject(raw['not']) ? parseSchemaNode(raw['not'], `${path}.not`) : null,
  };
}

function parsePattern(source: unknown, path: string): ValueChecks['pattern'] {
  if (typeof source !== 'string') return null;
  try {
    return { text: source, regExp: toRegExp(source) };
  } catch (cause) {
    throw new SchemaError(`${path}.pattern`, `not a regular expression: ${source}`, { cause });
  }
}

/** The server's regular expressions are RE2; the `u` flag is the closest, but refuses some harmless escapes. */
function toRegExp(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    return new RegExp(source);
  }
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function textList(source: unknown): readonly string[] {
  return listOr(source).filter((one) => typeof one === 'string');
}
