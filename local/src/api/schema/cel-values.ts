import { isObject } from './json.ts';
import type { SchemaNode } from './schema-node.ts';

/** Words that CEL reserves and Kubernetes therefore wraps in underscores. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/**
 * A JSON value as CEL sees it under its schema: whole numbers as int, dates as timestamps, field names escaped.
 * What the schema does not describe keeps its JSON type; whole numbers become int.
 */
export function toCelValue(node: SchemaNode | null, value: unknown): unknown {
  if (typeof value === 'number') return toNumber(node, value);
  if (typeof value === 'string') return toText(node, value);
  if (Array.isArray(value)) return value.map((one) => toCelValue(node?.items ?? null, one));
  if (!isObject(value)) return value;
  const isFixed = node !== null && node.additional === null;
  return new Map(
    Object.entries(value).map(([key, one]) => [
      isFixed ? escapeName(key) : key,
      toCelValue(node?.properties.get(key) ?? node?.additional ?? null, one),
    ]),
  );
}

function toNumber(node: SchemaNode | null, value: number): bigint | number {
  return Number.isInteger(value) && node?.type !== 'number' ? BigInt(value) : value;
}

function toText(node: SchemaNode | null, value: string): string | Date {
  const format = node?.checks.format;
  return format === 'date-time' || format === 'date' ? new Date(value) : value;
}

/**
 * A field's name in an expression.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-expression
 */
export function escapeName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}
