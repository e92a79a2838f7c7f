import { isObject } from './json.ts';
import { describePath } from './path-set.ts';
import type { SchemaNode } from './schema-node.ts';
import { itemElement } from './typed-value.ts';

/**
 * Why a configuration cannot be applied, or null: an unknown field, a keyed item without its key, the same item twice.
 * Ownership is kept per declared field, so here, unlike in other writes, an unknown field is an error.
 */
export function describeShapeProblem(node: SchemaNode, value: unknown, path = ''): string | null {
  if (Array.isArray(value)) return listProblem(node, value, path);
  if (!isObject(value)) return null;
  for (const [key, child] of Object.entries(value)) {
    const property = node.properties.get(key) ?? node.additional;
    if (property === null && !isOpen(node)) return `${path}.${key}: field not declared in schema`;
    const problem = property === null ? null : describeShapeProblem(property, child, `${path}.${key}`);
    if (problem !== null) return problem;
  }
  return null;
}

function listProblem(node: SchemaNode, list: readonly unknown[], path: string): string | null {
  const { items } = node;
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const problem = keyProblem(node, item, seen);
    if (problem !== null) return `${path}: ${problem.replace('{index}', String(index))}`;
    const below = items === null ? null : describeShapeProblem(items, item, `${path}[${index}]`);
    if (below !== null) return below;
  }
  return null;
}

function keyProblem(node: SchemaNode, item: unknown, seen: Set<string>): string | null {
  if (node.listType === 'atomic') return null;
  if (node.listType === 'map') {
    const missing = node.listMapKeys.find(
      (key) => isObject(item) && item[key] === undefined && node.items?.properties.get(key)?.defaultValue === undefined,
    );
    if (missing !== undefined) {
      return `element {index}: associative list with keys has an element that omits key field "${missing}" (and doesn't have default value)`;
    }
  }
  const element = itemElement(node, item);
  if (seen.has(element)) return `duplicate entries for key ${describePath([element])}`;
  seen.add(element);
  return null;
}

/** A node that says nothing about its fields takes any. */
function isOpen(node: SchemaNode): boolean {
  return node.preserveUnknown || (node.properties.size === 0 && node.type === '');
}
