import { type FieldError, fieldError } from './field-error.ts';
import { deepEqual, isObject } from './json.ts';
import { childSites, type Site } from './value-validation.ts';

/** Refuses repeated items in lists of type set and map; appends to `errors`. */
export function validateListTypes(site: Site, errors: FieldError[]): void {
  const { node, value, old } = site;
  if (old !== undefined && deepEqual(old, value)) return;
  if (Array.isArray(value) && node.listType !== 'atomic') checkItems(site, value, errors);
  for (const child of childSites(site)) validateListTypes(child, errors);
}

function checkItems({ node, path }: Site, list: readonly unknown[], errors: FieldError[]): void {
  const isKeyed = node.listType === 'map';
  const stray = isKeyed ? list.findIndex((item) => item !== null && !isObject(item)) : -1;
  if (stray >= 0) {
    const detail = 'must be an object for an array of list-type map';
    errors.push(fieldError(`${path}[${stray}]`, 'Invalid', detail, list[stray]));
    return;
  }
  const keys = list.map((item) => (isKeyed ? keysOf(node.listMapKeys, item) : item));
  for (const index of repeated(keys)) errors.push(fieldError(`${path}[${index}]`, 'Duplicate', '', keys[index]));
}

/** Positions of the second appearance of each value that appears more than once. */
function repeated(values: readonly unknown[]): number[] {
  const seen = new Map<string, number>();
  return values.flatMap((value, index) => {
    const text = canonical(value);
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    return times === 1 ? [index] : [];
  });
}

function keysOf(keys: readonly string[], item: unknown): Record<string, unknown> {
  const source = isObject(item) ? item : {};
  return Object.fromEntries(keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]]])));
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    isObject(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one,
  );
}
