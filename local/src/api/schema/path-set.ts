import { isObject, type JsonObject, setOwn } from './json.ts';

/**
 * A set of field paths, as a tree. The keys of a node are path elements in the wire form of `fieldsV1`:
 * `f:name` (field), `k:{"name":"a"}` (item of a keyed list), `v:"x"` (item of a set), `i:0` (position).
 */
export interface PathSet {
  /** True when the path that ends here is in the set itself, not only paths below it. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, PathSet>;
}

/** The set without any path. */
export const emptySet: PathSet = { isMember: false, children: new Map() };

/** The set that holds only the path where it hangs. */
export const memberSet: PathSet = { isMember: true, children: new Map() };

/** True when no path is in the set. */
export function isEmpty(set: PathSet): boolean {
  return !set.isMember && set.children.size === 0;
}

/** A node from its parts; children without any path are left out. */
export function pathSet(isMember: boolean, children: Iterable<readonly [string, PathSet]>): PathSet {
  return { isMember, children: new Map([...children].filter(([, child]) => !isEmpty(child))) };
}

/** Paths in either set. */
export function union(a: PathSet, b: PathSet): PathSet {
  return combine(a, b, (inA, inB) => inA || inB);
}

/** Paths in both sets. */
export function intersection(a: PathSet, b: PathSet): PathSet {
  return combine(a, b, (inA, inB) => inA && inB);
}

/** Paths of `a` that are not in `b`. */
export function difference(a: PathSet, b: PathSet): PathSet {
  return combine(a, b, (inA, inB) => inA && !inB);
}

function combine(a: PathSet, b: PathSet, keep: (inA: boolean, inB: boolean) => boolean): PathSet {
  const keys = new Set([...a.children.keys(), ...b.children.keys()]);
  return pathSet(
    keep(a.isMember, b.isMember),
    [...keys].map(
      (key) => [key, combine(a.children.get(key) ?? emptySet, b.children.get(key) ?? emptySet, keep)] as const,
    ),
  );
}

/** Every path of the set, as a list of path elements. */
export function pathsOf(set: PathSet, prefix: readonly string[] = []): (readonly string[])[] {
  const below = [...set.children].flatMap(([key, child]) => pathsOf(child, [...prefix, key]));
  return set.isMember ? [prefix, ...below] : below;
}

/** Reads `fieldsV1` of a managedFields entry. */
export function parseFieldsV1(source: unknown): PathSet {
  if (!isObject(source)) return emptySet;
  return pathSet(
    Object.hasOwn(source, '.'),
    Object.entries(source)
      .filter(([key]) => key !== '.')
      .map(([key, child]) => [
        key,
        isObject(child) && Object.keys(child).length === 0 ? memberSet : parseFieldsV1(child),
      ]),
  );
}

/** Writes `fieldsV1`: a leaf is `{}`, a member with paths below it has a `.`. Keys are sorted. */
export function toFieldsV1(set: PathSet): JsonObject {
  const fields: JsonObject = {};
  if (set.isMember && set.children.size > 0) fields['.'] = {};
  for (const key of [...set.children.keys()].sort()) setOwn(fields, key, toFieldsV1(set.children.get(key) ?? emptySet));
  return fields;
}

/** A path as people read it: `.spec.environment[name="A"].value`. */
export function describePath(path: readonly string[]): string {
  return path.map(describeElement).join('');
}

function describeElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  if (element.startsWith('i:')) return `[${text}]`;
  const keys: unknown = JSON.parse(text);
  const parts = Object.entries(isObject(keys) ? keys : {}).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${parts.join(',')}]`;
}
