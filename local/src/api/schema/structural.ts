import { validateRules } from './cel-validation.ts';
import { type FieldError, fieldError } from './field-error.ts';
import type { JsonObject } from './json.ts';
import { validateListTypes } from './list-types.ts';
import { parseSchemaNode, type SchemaNode, withObjectFields } from './schema-node.ts';
import { applyDefaultsTo, pruneNode } from './shape.ts';
import { checkStructural } from './structural-check.ts';
import { validateValue } from './value-validation.ts';

export type { FieldError } from './field-error.ts';
export { SchemaError } from './schema-node.ts';

/** A structural schema of a whole object, compiled once per version of a CustomResourceDefinition or built-in kind. */
export interface CompiledSchema {
  readonly root: SchemaNode;
}

/**
 * Compiles the `openAPIV3Schema` of a CRD version. `apiVersion`, `kind` and `metadata` are added.
 *
 * @throws SchemaError when a pattern or a CEL rule does not compile, or the schema is not structural
 */
export function compileSchema(openAPIV3Schema: unknown): CompiledSchema {
  const root = parseSchemaNode(openAPIV3Schema, 'openAPIV3Schema');
  checkStructural(root, 'openAPIV3Schema');
  return compiled(root);
}

/** Compiles a schema of our own, which may leave the keys of lists out and is not checked. */
export function compileTrusted(source: unknown): CompiledSchema {
  return compiled(parseSchemaNode(source, 'schema'));
}

function compiled(root: SchemaNode): CompiledSchema {
  return { root: { ...root, embedded: true, properties: withObjectFields(new Map(root.properties)) } };
}

/** Fills in the defaults of missing fields, in place. Nulls where null is not allowed count as missing. */
export function applyDefaults(schema: CompiledSchema, object: JsonObject): void {
  applyDefaultsTo(schema.root, object);
}

/**
 * Removes fields that the schema does not know, and nulls that it does not allow and that have no default, in place.
 *
 * @returns paths of the unknown fields, such as `spec.colour`; nulls are not among them
 */
export function prune(schema: CompiledSchema, object: JsonObject): string[] {
  const dropped: string[] = [];
  pruneNode(schema.root, object, '', dropped);
  return dropped.sort();
}

/**
 * Checks an object as the API server checks a custom resource: value checks, unique list items, then CEL rules.
 * Rules are not run when a value is missing, too long or of the wrong kind, because their result would mislead.
 * On update a part that did not change is not refused (ratcheting), transition rules aside.
 *
 * @param oldObject the stored object on update, null on creation
 */
export function validate(schema: CompiledSchema, object: JsonObject, oldObject: JsonObject | null): FieldError[] {
  const old = oldObject ?? undefined;
  const errors: FieldError[] = [];
  validateValue({ node: schema.root, value: object, old, path: '' }, errors);
  validateListTypes({ node: schema.root, value: object, old, path: '' }, errors);
  if (!errors.some((error) => blocking.has(error.reason))) {
    validateRules({ node: schema.root, value: object, old, path: '' }, errors);
    return errors;
  }
  const notChecked =
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
  return [...errors, fieldError('<nil>', 'Invalid', notChecked, null)];
}

const blocking: ReadonlySet<string> = new Set(['NotSupported', 'Required', 'TooLong', 'TooMany', 'TypeInvalid']);
