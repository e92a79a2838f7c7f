import { describeShapeProblem } from './applied-shape.ts';
import { deepEqual, isObject, type JsonObject, objectOr, textOr } from './json.ts';
import { refreshLastApplied, takeoverFields } from './last-applied.ts';
import { isSameManager, type ManagerEntry, readManagers, writeManagers } from './managed-fields.ts';
import {
  describePath,
  difference,
  emptySet,
  intersection,
  isEmpty,
  type PathSet,
  parseFieldsV1,
  pathSet,
  pathsOf,
  union,
} from './path-set.ts';
import type { SchemaNode } from './schema-node.ts';
import type { CompiledSchema } from './structural.ts';
import { compare, fieldSetOf, mergeApplied, withNamedFields, withoutPaths } from './typed-value.ts';

/** One server-side apply. Objects are not changed. */
export interface ApplyRequest {
  readonly live: JsonObject | null;
  readonly applied: JsonObject;
  readonly manager: string;
  /** Takes fields over from other managers instead of refusing. */
  readonly force: boolean;
  readonly schema: CompiledSchema;
  readonly nowIso: string;
  /** `''` for the object itself. */
  readonly subresource: string;
  /** Whether `status` has a door of its own and is ignored at the main one; default true. */
  readonly statusSubresource?: boolean;
}

/** A field that somebody else owns with another value. */
export interface ApplyConflict {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  /** `.spec.replicas` */
  readonly field: string;
}

/** What an apply comes to. `invalid`: the configuration does not fit the schema's fields or list keys. */
export type ApplyResult =
  | { readonly kind: 'applied'; readonly object: JsonObject }
  | { readonly kind: 'conflict'; readonly conflicts: readonly ApplyConflict[] }
  | { readonly kind: 'invalid'; readonly message: string };

/**
 * Merges an applied configuration into the live object and keeps the books of who owns which field.
 * What the manager applied last time, does not apply now and nobody else owns is removed.
 * Defaulting and validation of the result are the caller's.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyServerSide(request: ApplyRequest): ApplyResult {
  const { schema, manager, nowIso, subresource } = request;
  const applied = relevantPart(request);
  const problem = describeShapeProblem(schema.root, applied);
  if (problem !== null) return { kind: 'invalid', message: problem };
  const live = withoutManagers(request.live ?? skeleton(applied));
  const apiVersion = textOr(applied['apiVersion']);
  const before = knownManagers(request, apiVersion);
  const self = { manager, operation: 'Apply' as const, apiVersion, subresource };
  const others = before.filter((entry) => !isSameManager(entry, self));
  const last = before.find((entry) => isSameManager(entry, self));
  const fields = fieldSetOf(schema.root, applied);
  const merged = mergeApplied(schema.root, live, applied);
  const owners = [fields, ...others.map((one) => one.fields)];
  const pruned = objectOr(prunedOf(schema.root, merged, last?.fields, owners));
  const change = compare(schema.root, live, pruned);
  const fought = difference(union(change.added, change.modified), takeoverFields(schema.root, live, manager));
  const conflicts = others.flatMap((entry) => conflictsWith(entry, fought));
  if (conflicts.length > 0 && !request.force) return { kind: 'conflict', conflicts };
  const lost = union(union(change.added, change.modified), change.removed);
  const kept = others.map((entry) => ({ ...entry, fields: difference(entry.fields, lost) }));
  const object = refreshLastApplied(pruned, applied, manager);
  const time = last !== undefined && deepEqual(live, object) ? last.time : nowIso;
  return { kind: 'applied', object: writeManagers(object, [...kept, { ...self, time, fields: owned(fields) }]) };
}

/** An ordinary write, for the books: create, update or patch. */
export interface UpdateRequest {
  readonly before: JsonObject | null;
  readonly after: JsonObject;
  readonly manager: string;
  /** The protocol knows only Update here; appliers go through `applyServerSide`. */
  readonly operation?: 'Update';
  readonly nowIso: string;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly schema: CompiledSchema;
}

/**
 * The written object with its managers brought up to date: the writer owns what it changed, others lose it.
 * A writer may also set `metadata.managedFields` itself; an empty list forgets all owners.
 */
export function trackUpdate(request: UpdateRequest): JsonObject {
  const { before, after, manager, nowIso, subresource, apiVersion, schema } = request;
  const change = compare(schema.root, before === null ? {} : withoutManagers(before), withoutManagers(after));
  const taken = union(change.added, change.modified);
  const lost = union(taken, change.removed);
  const self = { manager, operation: 'Update' as const, apiVersion, subresource };
  const all = startingManagers(request).map((entry) => ({ ...entry, fields: difference(entry.fields, lost) }));
  const mine = owned(taken);
  if (isEmpty(mine)) return writeManagers(after, all);
  const last = all.find((entry) => isSameManager(entry, self));
  const fields = union(last?.fields ?? emptySet, mine);
  return writeManagers(after, [...all.filter((entry) => entry !== last), { ...self, time: nowIso, fields }]);
}

/** Message of the Status (409, reason Conflict) for a refused apply. */
export function describeConflicts(conflicts: readonly ApplyConflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${describeManager(first)}: ${first.field}`;
  }
  const managers = [...new Set(conflicts.map(describeManager))].sort();
  const lines = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts.filter((one) => describeManager(one) === manager).map((one) => `- ${one.field}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

/** `details.causes` of that Status. */
export function conflictCauses(
  conflicts: readonly ApplyConflict[],
): { reason: string; message: string; field: string }[] {
  return conflicts.map((conflict) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describeManager(conflict)}`,
    field: conflict.field,
  }));
}

function describeManager({ manager, operation, apiVersion, subresource }: ApplyConflict): string {
  const door = subresource === '' ? '' : ` with subresource "${subresource}"`;
  return `"${manager}"${door}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}

/** Fields that belong to the system and never to a manager. */
const unowned = parseFieldsV1({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    '.': {},
    'f:name': {},
    'f:namespace': {},
    'f:creationTimestamp': {},
    'f:selfLink': {},
    'f:uid': {},
    'f:generation': {},
    'f:managedFields': {},
    'f:resourceVersion': {},
  },
});

function owned(fields: PathSet): PathSet {
  return difference(pathSet(false, fields.children), unowned);
}

/** At `/status` only the status counts; elsewhere the status does not. */
function relevantPart({ applied, subresource, statusSubresource = true }: ApplyRequest): JsonObject {
  if (subresource === 'status') {
    const { apiVersion, kind, metadata, status } = applied;
    const { name, namespace } = objectOr(metadata);
    const identity = namespace === undefined ? { name } : { name, namespace };
    return { apiVersion, kind, metadata: identity, ...(status === undefined ? {} : { status }) };
  }
  if (!statusSubresource) return applied;
  const { status: _ignored, ...rest } = applied;
  return rest;
}

function skeleton(applied: JsonObject): JsonObject {
  const { name, namespace } = objectOr(applied['metadata']);
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return { apiVersion: applied['apiVersion'], kind: applied['kind'], metadata };
}

function withoutManagers(object: JsonObject): JsonObject {
  const { managedFields: _old, ...metadata } = objectOr(object['metadata']);
  return { ...object, metadata };
}

function conflictsWith(entry: ManagerEntry, changed: PathSet): ApplyConflict[] {
  const { manager, operation, apiVersion, subresource } = entry;
  return pathsOf(intersection(entry.fields, changed)).map((path) => ({
    manager,
    operation,
    apiVersion,
    subresource,
    field: describePath(path),
  }));
}

/** Removes what this manager owned before, unless somebody owns it now; what nobody ever owned stays. */
function prunedOf(node: SchemaNode, merged: unknown, last: PathSet | undefined, owners: readonly PathSet[]): unknown {
  if (last === undefined || isEmpty(last)) return merged;
  const named = (set: PathSet): PathSet => withNamedFields(node, set);
  const all = named(fieldSetOf(node, merged));
  const stripped = withoutPaths(node, merged, named(last));
  const present = (value: unknown): PathSet => named(fieldSetOf(node, isObject(value) ? value : {}));
  const claimed = named(owners.reduce(union));
  const withOwned = withoutPaths(node, merged, difference(all, union(present(stripped), claimed)));
  return withoutPaths(node, merged, intersection(difference(all, present(withOwned)), named(last)));
}

/** Fields of an object that nobody's books mention belong to a manager of that name, so that an apply cannot take them. */
function knownManagers({ live, schema, nowIso }: ApplyRequest, apiVersion: string): ManagerEntry[] {
  const managers = readManagers(live);
  if (live === null || managers.length > 0) return managers;
  const fields = owned(compare(schema.root, {}, withoutManagers(live)).added);
  const manager = 'before-first-apply';
  return [{ manager, operation: 'Update', apiVersion, time: nowIso, subresource: '', fields }];
}

/** The writer's own list counts when it has one and does not write through a subresource. */
function startingManagers({ before, after, subresource }: UpdateRequest): ManagerEntry[] {
  const given = objectOr(after['metadata'])['managedFields'];
  if (subresource !== '' || before === null) return readManagers(before);
  const isReset = Array.isArray(given) && given.every((one) => isObject(one) && Object.keys(one).length === 0);
  if (isReset) return [];
  return Array.isArray(given) ? readManagers(after) : readManagers(before);
}
