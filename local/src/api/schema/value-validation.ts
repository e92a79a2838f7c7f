import { childPath, type FieldError, fieldError, notSupported, tooLong, tooMany } from './field-error.ts';
import { hasFormat } from './formats.ts';
import { deepEqual, isObject, type JsonObject } from './json.ts';
import type { SchemaNode, ValueChecks } from './schema-node.ts';

/** A value, its schema, where it stands, and what stood there before (undefined: nothing to compare with). */
export interface Site {
  readonly node: SchemaNode;
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
}

/** Types, bounds, enums, patterns, formats, required fields and combinators; appends to `errors`. */
export function validateValue(site: Site, errors: FieldError[]): void {
  const { node, value, old, path } = site;
  if (old !== undefined && deepEqual(old, value)) return;
  if (value === null && node.nullable) return;
  const type = typeMismatch(node, value);
  checkEnum(node.checks, value, path, errors);
  if (type !== null) {
    const found = jsonType(value);
    errors.push(fieldError(path, 'TypeInvalid', `${path} in body must be of type ${type}: "${found}"`, found));
    return;
  }
  if (typeof value === 'string') checkText(node.checks, value, path, errors);
  else if (typeof value === 'number') checkNumber(node.checks, value, path, errors);
  else if (Array.isArray(value)) checkList(site, value, errors);
  else if (isObject(value)) checkObject(site, value, errors);
  checkCombinators(site, errors);
}

/** The children of a value that a change can be followed into: fields and the items of keyed lists. */
export function childSites(site: Site): Site[] {
  const { node, value, path } = site;
  if (Array.isArray(value)) return itemSites(site, value);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const property = node.properties.get(key) ?? node.additional;
    if (property === null) return [];
    const old = isObject(site.old) && Object.hasOwn(site.old, key) ? site.old[key] : undefined;
    return [{ node: property, value: child, old, path: childPath(path, key) }];
  });
}

function itemSites({ node, value, old, path }: Site, items: readonly unknown[]): Site[] {
  const item = node.items;
  if (item === null) return [];
  const before = node.listType === 'map' && Array.isArray(old) && value !== null ? old : [];
  return items.map((one, index) => {
    const match = before.find((candidate) => sameKeys(node.listMapKeys, candidate, one));
    return { node: item, value: one, old: match, path: `${path}[${index}]` };
  });
}

/** True when two items of a keyed list are the same entry. */
export function sameKeys(keys: readonly string[], a: unknown, b: unknown): boolean {
  return isObject(a) && isObject(b) && keys.every((key) => deepEqual(a[key], b[key]));
}

/** The expected type when the value has another one, else null. */
function typeMismatch(node: SchemaNode, value: unknown): string | null {
  if (node.intOrString) {
    return typeof value === 'string' || Number.isInteger(value) ? null : 'integer,string';
  }
  if (node.type === '') return null;
  const found = jsonType(value);
  if (found === node.type || (node.type === 'number' && found === 'integer')) return null;
  return node.type;
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkEnum(checks: ValueChecks, value: unknown, path: string, errors: FieldError[]): void {
  if (checks.enum === null || checks.enum.some((one) => deepEqual(one, value))) return;
  errors.push(notSupported(path, value, checks.enum));
}

function checkText(checks: ValueChecks, value: string, path: string, errors: FieldError[]): void {
  const length = [...value].length;
  const refuse = (detail: string): number =>
    errors.push(fieldError(path, 'Invalid', `${path} in body ${detail}`, value));
  if (length > checks.maxLength) errors.push(tooLong(path, checks.maxLength));
  else if (length < checks.minLength) refuse(`should be at least ${checks.minLength} chars long`);
  else if (checks.pattern !== null && !checks.pattern.regExp.test(value)) {
    refuse(`should match '${checks.pattern.text}'`);
  }
  if (checks.format !== '' && !hasFormat(checks.format, value)) {
    errors.push(fieldError(path, 'TypeInvalid', `${path} in body must be of type ${checks.format}: "${value}"`, value));
  }
}

function checkNumber(checks: ValueChecks, value: number, path: string, errors: FieldError[]): void {
  const refuse = (detail: string): number =>
    errors.push(fieldError(path, 'Invalid', `${path} in body ${detail}`, value));
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = checks;
  if (exclusiveMinimum ? value <= minimum : value < minimum) {
    refuse(`should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  }
  if (exclusiveMaximum ? value >= maximum : value > maximum) {
    refuse(`should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  }
  if (multipleOf !== null && value % multipleOf !== 0) refuse(`should be a multiple of ${multipleOf}`);
}

function checkList(site: Site, value: readonly unknown[], errors: FieldError[]): void {
  const { minItems, maxItems } = site.node.checks;
  if (value.length > maxItems) errors.push(tooMany(site.path, value.length, maxItems));
  if (value.length < minItems) {
    const detail = `${site.path} in body should have at least ${minItems} items`;
    errors.push(fieldError(site.path, 'Invalid', detail, value.length));
  }
  for (const child of childSites(site)) validateValue(child, errors);
}

function checkObject(site: Site, value: JsonObject, errors: FieldError[]): void {
  const { minProperties, maxProperties } = site.node.checks;
  const size = Object.keys(value).length;
  for (const key of site.node.required) {
    if (!Object.hasOwn(value, key)) errors.push(fieldError(childPath(site.path, key), 'Required', ''));
  }
  if (size > maxProperties) errors.push(tooMany(site.path, size, maxProperties));
  if (size < minProperties) {
    const detail = `${site.path} in body should have at least ${minProperties} properties`;
    errors.push(fieldError(site.path, 'Invalid', detail, size));
  }
  for (const child of childSites(site)) validateValue(child, errors);
}

/** The server reports these without a field: the path stands in the text. */
function checkCombinators(site: Site, errors: FieldError[]): void {
  const { allOf, anyOf, oneOf, not } = site.node.checks;
  const refuse = (detail: string): number =>
    errors.push(fieldError('<nil>', 'Invalid', `"${site.path}" must ${detail}`, ''));
  for (const node of allOf) validateValue({ ...site, node }, errors);
  const passing = (nodes: readonly SchemaNode[]): number => nodes.filter((node) => isValid({ ...site, node })).length;
  if (anyOf.length > 0 && passing(anyOf) === 0) refuse('validate at least one schema (anyOf)');
  if (oneOf.length > 0) {
    const count = passing(oneOf);
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    if (count !== 1) refuse(`validate one and only one schema (oneOf). ${found}`);
  }
  if (not !== null && isValid({ ...site, node: not })) refuse('not validate the schema (not)');
}

function isValid(site: Site): boolean {
  const errors: FieldError[] = [];
  validateValue({ ...site, old: undefined }, errors);
  return errors.length === 0;
}
