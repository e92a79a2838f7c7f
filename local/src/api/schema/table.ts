import { formatAge } from './age.ts';
import { builtinColumns } from './builtin-columns.ts';
import { ageColumn, type Column, nameColumn } from './column.ts';
import { isObject, type JsonObject, listOr, objectOr, textOr } from './json.ts';
import { parseJsonPath } from './json-path.ts';

/** What decides the columns: `additionalPrinterColumns` for a custom resource, the kind for a built-in one. */
export interface ColumnsSource {
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for a built-in kind. */
  readonly additionalPrinterColumns?: unknown;
}

/** What a client may ask of a table. */
export interface TableOptions {
  /** What stands beside the cells of a row; default Metadata. */
  readonly includeObject?: 'Metadata' | 'Object' | 'None';
  /** `metadata` of the list: resourceVersion, continue, remainingItemCount. */
  readonly metadata?: JsonObject;
}

/** A `meta.k8s.io/v1` Table of the objects, as `kubectl get` asks for it. */
export function tableFor(
  source: ColumnsSource,
  objects: readonly JsonObject[],
  nowMs: number,
  options: TableOptions = {},
): JsonObject {
  const columns = columnsOf(source);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata ?? {},
    columnDefinitions: columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, nowMs)),
      ...rowConditions(source, object),
      ...rowObject(object, options.includeObject ?? 'Metadata'),
    })),
  };
}

function columnsOf(source: ColumnsSource): readonly Column[] {
  if (source.additionalPrinterColumns === undefined) {
    const own = builtinColumns(source.apiVersion, source.kind);
    if (own !== null) return own;
  }
  const declared = listOr(source.additionalPrinterColumns).filter(isObject).map(customColumn);
  return [nameColumn, ...(declared.length === 0 ? [{ ...ageColumn, type: 'date' }] : declared)];
}

function customColumn(raw: JsonObject): Column {
  const path = textOr(raw['jsonPath']);
  const type = textOr(raw['type'], 'string');
  const find = parseJsonPath(path);
  return {
    name: textOr(raw['name']),
    type,
    format: textOr(raw['format']),
    description: textOr(raw['description'], `Custom resource definition column (in JSONPath format): ${path}`),
    priority: typeof raw['priority'] === 'number' ? raw['priority'] : 0,
    cell: (object, nowMs) => formatCell(type, find(object)[0], nowMs),
  };
}

/** A value that does not fit the column's type is an empty cell, as on the server. */
function formatCell(type: string, value: unknown, nowMs: number): unknown {
  if (value === undefined || value === null) return null;
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  if (type === 'date') return typeof value === 'string' ? formatDate(value, nowMs) : null;
  if (type === 'boolean') return typeof value === 'boolean' ? value : null;
  if (typeof value !== 'number') return null;
  return type === 'integer' ? Math.trunc(value) : value;
}

function formatDate(value: string, nowMs: number): string {
  const at = Date.parse(value);
  return Number.isNaN(at) ? '<invalid>' : formatAge(nowMs - at);
}

/** Finished pods are marked, so that clients may leave them out. */
function rowConditions(source: ColumnsSource, object: JsonObject): JsonObject {
  if (source.apiVersion !== 'v1' || source.kind !== 'Pod') return {};
  const phase = objectOr(object['status'])['phase'];
  if (phase !== 'Succeeded' && phase !== 'Failed') return {};
  const message = `The pod has ${phase === 'Succeeded' ? 'completed successfully' : 'failed'}.`;
  return { conditions: [{ type: 'Completed', status: 'True', reason: phase, message }] };
}

function rowObject(object: JsonObject, include: 'Metadata' | 'Object' | 'None'): JsonObject {
  if (include === 'None') return {};
  if (include === 'Object') return { object };
  return {
    object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object['metadata'] ?? {} },
  };
}
