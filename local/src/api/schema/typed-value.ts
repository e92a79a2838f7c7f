import { clone, deepEqual, isObject, type JsonObject, setOwn } from './json.ts';
import { emptySet, memberSet, type PathSet, pathSet } from './path-set.ts';
import type { SchemaNode } from './schema-node.ts';

/** How a value takes part in merging: as one piece, field by field, or item by item. */
type Shape = 'leaf' | 'map' | 'list';

/** The schema of a field of a map; null means unknown: maps merge by field, lists are one piece. */
export function fieldNode(node: SchemaNode | null, key: string): SchemaNode | null {
  return node?.properties.get(key) ?? node?.additional ?? null;
}

function shapeOf(node: SchemaNode | null, value: unknown): Shape {
  if (Array.isArray(value)) return node !== null && node.listType !== 'atomic' ? 'list' : 'leaf';
  if (isObject(value)) return node?.mapAtomic === true ? 'leaf' : 'map';
  return 'leaf';
}

/** The path element of a list's item: its keys (a missing key counts as its default) or its value. */
export function itemElement(node: SchemaNode, item: unknown): string {
  if (node.listType === 'set' || !isObject(item)) return `v:${JSON.stringify(item)}`;
  const keys = [...node.listMapKeys]
    .sort()
    .map((key) => [key, item[key] ?? node.items?.properties.get(key)?.defaultValue]);
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/** The paths that a value sets: what an applier owns. */
export function fieldSetOf(node: SchemaNode | null, value: unknown): PathSet {
  const shape = shapeOf(node, value);
  if (shape === 'leaf') return memberSet;
  if (shape === 'map' && isObject(value)) {
    return pathSet(
      false,
      Object.entries(value).map(([key, child]) => {
        const set = fieldSetOf(fieldNode(node, key), child);
        const isOwn = node?.properties.has(key) !== true || (isObject(child) && Object.keys(child).length === 0);
        return [`f:${key}`, isOwn ? { ...set, isMember: true } : set];
      }),
    );
  }
  if (node === null || !Array.isArray(value)) return emptySet;
  return pathSet(
    false,
    value.map((item) => [itemElement(node, item), { ...fieldSetOf(node.items, item), isMember: true }]),
  );
}

/** Adds the declared fields that lead to a path: removing all of a struct's fields then removes the struct. */
export function withNamedFields(node: SchemaNode | null, set: PathSet): PathSet {
  const children = [...set.children].map(([element, child]): [string, PathSet] => {
    const key = element.slice(2);
    const isField = element.startsWith('f:');
    const below = withNamedFields(isField ? fieldNode(node, key) : (node?.items ?? null), child);
    return [element, isField && node?.properties.has(key) === true ? { ...below, isMember: true } : below];
  });
  return pathSet(set.isMember, children);
}

/** A copy without the paths of `removed`. A container that loses all it had stays, empty. */
export function withoutPaths(node: SchemaNode | null, value: unknown, removed: PathSet): unknown {
  if (removed.children.size === 0) return value;
  const shape = shapeOf(node, value);
  if (shape === 'map' && isObject(value)) return mapWithoutPaths(node, value, removed);
  if (shape === 'list' && node !== null && Array.isArray(value)) {
    const kept = value.flatMap((item) => {
      const below = removed.children.get(itemElement(node, item)) ?? emptySet;
      if (below.isMember) return [];
      return [withoutPaths(node.items, item, below) ?? {}];
    });
    return kept;
  }
  return isObject(value) || Array.isArray(value) ? undefined : value;
}

function mapWithoutPaths(node: SchemaNode | null, value: JsonObject, removed: PathSet): JsonObject {
  const kept: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    const below = removed.children.get(`f:${key}`) ?? emptySet;
    if (below.isMember) continue;
    const rest = withoutPaths(fieldNode(node, key), child, below);
    if (rest !== undefined) setOwn(kept, key, rest);
  }
  return kept;
}

/** What the applied configuration makes of the live value; neither is changed. */
export function mergeApplied(node: SchemaNode | null, live: unknown, applied: unknown): unknown {
  const shape = shapeOf(node, applied);
  if (live === undefined || shape === 'leaf' || shape !== shapeOf(node, live)) return clone(applied);
  if (isObject(live) && isObject(applied)) {
    const merged = clone(live);
    for (const [key, child] of Object.entries(applied)) {
      const before = Object.hasOwn(live, key) ? live[key] : undefined;
      setOwn(merged, key, mergeApplied(fieldNode(node, key), before, child));
    }
    return merged;
  }
  if (node === null || !Array.isArray(live) || !Array.isArray(applied)) return clone(applied);
  return mergeItems(node, live, applied);
}

function mergeItems(node: SchemaNode, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const before = new Map(live.map((item) => [itemElement(node, item), item]));
  const wanted = new Map(applied.map((item) => [itemElement(node, item), item]));
  return mergeOrder([...before.keys()], [...wanted.keys()]).map((element) =>
    wanted.has(element)
      ? mergeApplied(node.items, before.get(element), wanted.get(element))
      : clone(before.get(element)),
  );
}

/**
 * One order for two lists: the applied items keep theirs, the others stay in front of the shared item they preceded.
 * Shared items that live has in another order are put where the applied list has them.
 */
function mergeOrder(live: readonly string[], applied: readonly string[]): string[] {
  const inLive = new Set(live);
  const inApplied = new Set(applied);
  const shared = applied.filter((element) => inLive.has(element));
  const merged: string[] = [];
  let at = 0;
  for (const next of applied) {
    at = takeUntilShared(live, at, inApplied, shared[0] === next ? next : (shared[0] ?? null), merged);
    merged.push(next);
    if (shared[0] === next) shared.shift();
    if (live[at] === next) at += 1;
  }
  merged.push(...live.slice(at).filter((element) => !inApplied.has(element)));
  return merged;
}

/** Copies what only live has, and passes over shared items that are not the next one. */
function takeUntilShared(
  live: readonly string[],
  from: number,
  inApplied: ReadonlySet<string>,
  nextShared: string | null,
  merged: string[],
): number {
  let at = from;
  for (let element = live[at]; element !== undefined && element !== nextShared; element = live[at]) {
    if (!inApplied.has(element)) merged.push(element);
    at += 1;
  }
  return at;
}

/** What changed between two values, as paths. */
export interface Comparison {
  readonly added: PathSet;
  readonly modified: PathSet;
  readonly removed: PathSet;
}

/** Compares two versions of a value; undefined stands for not there. */
export function compare(node: SchemaNode | null, before: unknown, after: unknown): Comparison {
  const shape = shapeOf(node, after === undefined ? before : after);
  const isLeaf = shape === 'leaf' || (isVoid(before) && isVoid(after));
  if (before !== undefined && after !== undefined && (isLeaf || shape !== shapeOf(node, before))) {
    return { added: emptySet, modified: deepEqual(before, after) ? emptySet : memberSet, removed: emptySet };
  }
  const parts = isLeaf ? [] : partsOf(node, before, after);
  const collect = (side: keyof Comparison, isMember: boolean): PathSet =>
    pathSet(
      isMember,
      parts.map(([element, part]) => [element, part[side]] as const),
    );
  return {
    added: collect('added', before === undefined && after !== undefined),
    modified: collect('modified', false),
    removed: collect('removed', after === undefined && before !== undefined),
  };
}

function partsOf(node: SchemaNode | null, before: unknown, after: unknown): [string, Comparison][] {
  const old = elementsOf(node, before);
  const now = elementsOf(node, after);
  return [...new Set([...old.keys(), ...now.keys()])].map((element) => {
    const child = element.startsWith('f:') ? fieldNode(node, element.slice(2)) : (node?.items ?? null);
    return [element, compare(child, old.get(element), now.get(element))];
  });
}

function elementsOf(node: SchemaNode | null, value: unknown): Map<string, unknown> {
  if (isObject(value)) return new Map(Object.entries(value).map(([key, child]) => [`f:${key}`, child]));
  if (!Array.isArray(value) || node === null) return new Map();
  return new Map(value.map((item) => [itemElement(node, item), item]));
}

/** Not there, null or an empty container: compared as one piece. */
function isVoid(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
