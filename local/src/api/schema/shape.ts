import { childPath } from './field-error.ts';
import { clone, isObject, type JsonObject, setOwn } from './json.ts';
import { parseSchemaNode, type SchemaNode } from './schema-node.ts';

/** Fills in defaults below `value`, in place. */
export function applyDefaultsTo(node: SchemaNode, value: unknown): void {
  if (Array.isArray(value)) {
    const items = node.items;
    if (items !== null) for (const item of value) applyDefaultsTo(items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, property] of node.properties) fillIn(value, key, property);
  for (const [key, child] of Object.entries(value)) {
    const property = node.properties.get(key) ?? node.additional;
    if (property !== null) applyDefaultsTo(property, child);
  }
}

function fillIn(target: JsonObject, key: string, property: SchemaNode): void {
  if (property.defaultValue === undefined) return;
  const isMissing = !Object.hasOwn(target, key) || (target[key] === null && !property.nullable);
  if (isMissing) setOwn(target, key, clone(property.defaultValue));
}

/** Schema of items where the schema expects no list: none of their fields is known. */
const nothing = parseSchemaNode({}, '');

/** Removes what the schema does not know below `value`, in place, and notes the paths in `dropped`. */
export function pruneNode(node: SchemaNode, value: unknown, path: string, dropped: string[]): void {
  if (Array.isArray(value)) {
    const items = node.items ?? (node.preserveUnknown ? null : nothing);
    if (items !== null) value.forEach((item, index) => void pruneNode(items, item, `${path}[${index}]`, dropped));
    return;
  }
  if (isObject(value)) pruneObject(node, value, path, dropped);
}

function pruneObject(node: SchemaNode, value: JsonObject, path: string, dropped: string[]): void {
  for (const [key, child] of Object.entries(value)) {
    const property = node.properties.get(key) ?? node.additional;
    const at = childPath(path, key);
    if (property === null) {
      if (node.preserveUnknown) continue;
      delete value[key];
      dropped.push(at);
    } else if (child === null && !property.nullable && property.defaultValue === undefined && !isOpen(property)) {
      delete value[key];
    } else {
      pruneNode(property, child, at, dropped);
    }
  }
}

/** A node without a type that keeps anything keeps null as well. */
function isOpen(node: SchemaNode): boolean {
  return node.preserveUnknown && node.type === '';
}
