import { validateRules } from './cel-validation.ts';
import { describeFieldErrors, type FieldError } from './field-error.ts';
import { clone } from './json.ts';
import { SchemaError, type SchemaNode } from './schema-node.ts';
import { applyDefaultsTo } from './shape.ts';
import { validateValue } from './value-validation.ts';

/**
 * Refuses a schema by which objects could not be pruned, merged or defaulted.
 *
 * @throws SchemaError for a field without a type, a keyed list without usable keys, or a default that does not fit or breaks a rule
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function checkStructural(node: SchemaNode, path: string): void {
  const isOpen = node.preserveUnknown || node.intOrString;
  if (node.type === '' && !isOpen)
    throw new SchemaError(`${path}.type`, 'must not be empty for specified object fields');
  if (node.listType === 'map') checkKeys(node, path);
  if (node.defaultValue !== undefined) checkDefault(node, path);
  for (const [key, child] of node.properties) checkStructural(child, `${path}.properties[${key}]`);
  if (node.items !== null) checkStructural(node.items, `${path}.items`);
  if (node.additional !== null) checkStructural(node.additional, `${path}.additionalProperties`);
}

function checkKeys(node: SchemaNode, path: string): void {
  if (node.listMapKeys.length === 0) {
    throw new SchemaError(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map');
  }
  for (const key of node.listMapKeys) {
    const property = node.items?.properties.get(key);
    const isGiven = node.items?.required.includes(key) === true || property?.defaultValue !== undefined;
    if (property === undefined || !isGiven) {
      throw new SchemaError(`${path}.items.properties[${key}]`, 'a key must be declared, and required or defaulted');
    }
  }
}

/** The rules see it as it is written, without the defaults of fields within: those are filled in later, as on the server. */
function checkDefault(node: SchemaNode, path: string): void {
  const value = clone(node.defaultValue);
  applyDefaultsTo(node, value);
  const errors: FieldError[] = [];
  validateValue({ node, value, old: undefined, path: `${path}.default` }, errors);
  if (errors.length === 0)
    validateRules({ node, value: node.defaultValue, old: undefined, path: `${path}.default` }, errors);
  if (errors.length > 0) throw new SchemaError(`${path}.default`, describeFieldErrors(errors));
}
