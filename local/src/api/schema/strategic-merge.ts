import { clone, deepEqual, isObject, type JsonObject, listOr, setOwn, textOr } from './json.ts';
import { PatchError } from './patch-error.ts';
import type { SchemaNode } from './schema-node.ts';
import type { CompiledSchema } from './structural.ts';

/**
 * Applies a strategic merge patch to a copy: like a merge patch, but lists merge by the key that the schema names,
 * and `$patch`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…` and `$retainKeys` are obeyed.
 *
 * @throws PatchError 400 when the patch is not an object or a directive is malformed
 * @see https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
export function strategicMergePatch(schema: CompiledSchema, original: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) throw new PatchError(400, 'a strategic merge patch must be an object');
  return mergeMap(schema.root, clone(original), patch);
}

function mergeMap(node: SchemaNode | null, original: JsonObject, patch: JsonObject): JsonObject {
  const directive = patch['$patch'];
  if (directive === 'replace') return strip(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') throw badDirective(directive);
  retainKeys(original, patch);
  deleteFromPrimitiveLists(original, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    mergeField(node, original, key, value, patch[`$setElementOrder/${key}`]);
  }
  for (const key of Object.keys(patch)) orderOnly(node, original, patch, key);
  return original;
}

/** An element order may come for a list that the patch does not touch otherwise. */
function orderOnly(node: SchemaNode | null, original: JsonObject, patch: JsonObject, key: string): void {
  const field = key.startsWith('$setElementOrder/') ? key.slice('$setElementOrder/'.length) : '';
  const current = original[field];
  if (field === '' || Object.hasOwn(patch, field) || !Array.isArray(current)) return;
  setOwn(original, field, inOrder(childOf(node, field), current, patch[key]));
}

function mergeField(node: SchemaNode | null, target: JsonObject, key: string, value: unknown, order: unknown): void {
  if (value === null) {
    delete target[key];
    return;
  }
  const child = childOf(node, key);
  const current = Object.hasOwn(target, key) ? target[key] : undefined;
  setOwn(target, key, mergeValue(child, current, value, order));
}

function mergeValue(node: SchemaNode | null, current: unknown, value: unknown, order: unknown): unknown {
  const strategies = node?.patchStrategies;
  if (isObject(value)) {
    const isReplaced = strategies?.has('replace') === true || node?.mapAtomic === true;
    return mergeMap(node, isObject(current) && !isReplaced ? current : {}, value);
  }
  if (!Array.isArray(value)) return value;
  if (node === null || strategies?.has('merge') !== true) return value.map(stripValue);
  const merged = mergeList(node, listOr(current), value);
  return order === undefined ? merged : inOrder(node, merged, order);
}

function mergeList(node: SchemaNode, current: readonly unknown[], patch: readonly unknown[]): unknown[] {
  if (node.patchMergeKey === '') {
    return [...current, ...patch.filter((one) => !current.some((other) => deepEqual(one, other)))];
  }
  if (patch.some((one) => isObject(one) && one['$patch'] === 'replace')) {
    return patch.filter((one) => !(isObject(one) && one['$patch'] === 'replace')).map(stripValue);
  }
  const result = [...current];
  for (const item of patch) mergeItem(node, result, item);
  return result;
}

function mergeItem(node: SchemaNode, list: unknown[], item: unknown): void {
  const key = node.patchMergeKey;
  if (!isObject(item) || item[key] === undefined) {
    throw new PatchError(400, `map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
  }
  const index = list.findIndex((one) => isObject(one) && deepEqual(one[key], item[key]));
  const found = list[index];
  if (item['$patch'] === 'delete') {
    if (index >= 0) list.splice(index, 1);
  } else if (isObject(found)) {
    list[index] = mergeMap(node.items, found, item);
  } else {
    list.push(mergeMap(node.items, {}, item));
  }
}

/** Items named in the order come in that order; the others keep their place behind the one they followed. */
function inOrder(node: SchemaNode | null, list: readonly unknown[], order: unknown): unknown[] {
  const key = node?.patchMergeKey ?? '';
  const identity = (item: unknown): unknown => (key !== '' && isObject(item) ? item[key] : item);
  const wanted = listOr(order).map(identity);
  const rank = (item: unknown): number => wanted.findIndex((one) => deepEqual(one, identity(item)));
  const sorted = list.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b));
  list.forEach((item, index) => {
    if (rank(item) >= 0) return;
    const before = list[index - 1];
    sorted.splice(before === undefined ? 0 : sorted.indexOf(before) + 1, 0, item);
  });
  return sorted;
}

function retainKeys(original: JsonObject, patch: JsonObject): void {
  const keep = patch['$retainKeys'];
  if (keep === undefined) return;
  if (!Array.isArray(keep)) throw badDirective(keep);
  for (const key of Object.keys(original)) if (!keep.includes(key)) delete original[key];
}

function deleteFromPrimitiveLists(original: JsonObject, patch: JsonObject): void {
  for (const [directive, values] of Object.entries(patch)) {
    if (!directive.startsWith('$deleteFromPrimitiveList/')) continue;
    const key = directive.slice('$deleteFromPrimitiveList/'.length);
    const current = original[key];
    if (Array.isArray(current)) original[key] = current.filter((one) => !listOr(values).includes(one));
  }
}

/** A copy without directives, for what is new or replaces. */
function strip(value: JsonObject): JsonObject {
  const kept = Object.entries(value).filter(([key, one]) => !key.startsWith('$') && one !== null);
  return Object.fromEntries(kept.map(([key, one]) => [key, stripValue(one)]));
}

function stripValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripValue);
  return isObject(value) ? strip(value) : value;
}

function childOf(node: SchemaNode | null, key: string): SchemaNode | null {
  return node?.properties.get(key) ?? node?.additional ?? null;
}

function badDirective(directive: unknown): PatchError {
  return new PatchError(400, `wrong patch directive: ${textOr(directive, JSON.stringify(directive))}`);
}
