import { isObject, type JsonObject, listOr, objectOr, textOr } from './json.ts';
import { isEmpty, type PathSet, parseFieldsV1, toFieldsV1, union } from './path-set.ts';

/** One writer of an object and the fields it owns. */
export interface ManagerEntry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** RFC 3339 instant of the last change of this entry. */
  readonly time: string;
  /** `''` for the object itself. */
  readonly subresource: string;
  readonly fields: PathSet;
}

/** Updaters beyond this many are merged into one entry, so that the list stays bounded. */
const maxUpdaters = 10;

/** Reads `metadata.managedFields`; entries that make no sense are dropped. */
export function readManagers(object: JsonObject | null): ManagerEntry[] {
  return listOr(objectOr(object?.['metadata'])['managedFields'])
    .filter(isObject)
    .map((entry) => ({
      manager: textOr(entry['manager']),
      operation: entry['operation'] === 'Apply' ? 'Apply' : 'Update',
      apiVersion: textOr(entry['apiVersion']),
      time: textOr(entry['time']),
      subresource: textOr(entry['subresource']),
      fields: parseFieldsV1(entry['fieldsV1']),
    }));
}

/** A copy of the object with these managers, sorted as the API server sorts them; without managers the field goes. */
export function writeManagers(object: JsonObject, managers: readonly ManagerEntry[]): JsonObject {
  const { managedFields: _old, ...metadata } = objectOr(object['metadata']);
  const kept = capUpdaters(managers.filter((entry) => !isEmpty(entry.fields))).sort(compareEntries);
  const managedFields = kept.map(toWire);
  return { ...object, metadata: kept.length === 0 ? metadata : { ...metadata, managedFields } };
}

/** True for the same writer through the same door. An applier is one writer whatever version it applies. */
export function isSameManager(a: Omit<ManagerEntry, 'fields' | 'time'>, b: typeof a): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

function toWire(entry: ManagerEntry): JsonObject {
  const { manager, operation, apiVersion, time, subresource, fields } = entry;
  const wire = { apiVersion, fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(fields), manager, operation };
  const timed = time === '' ? wire : { ...wire, time };
  return subresource === '' ? timed : { ...timed, subresource };
}

function compareEntries(a: ManagerEntry, b: ManagerEntry): number {
  const byText = (x: string, y: string): number => (x === y ? 0 : x < y ? -1 : 1);
  return byText(a.operation, b.operation) || byText(a.time, b.time) || byText(a.manager, b.manager);
}

function capUpdaters(entries: readonly ManagerEntry[]): ManagerEntry[] {
  const updaters = entries.filter((entry) => entry.operation === 'Update').sort(compareEntries);
  const surplus = updaters.slice(0, Math.max(0, updaters.length - maxUpdaters + 1));
  const [oldest] = surplus;
  if (updaters.length <= maxUpdaters || oldest === undefined) return [...entries];
  const fields = surplus.map((entry) => entry.fields).reduce(union);
  return [...entries.filter((entry) => !surplus.includes(entry)), { ...oldest, manager: 'ancient-changes', fields }];
}
