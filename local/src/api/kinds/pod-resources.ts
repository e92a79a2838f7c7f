import { isRecord, type JsonObject, record } from '../json.ts';
import { type FieldError, fieldError } from '../schema/field-error.ts';
import { parseQuantity } from './quantity.ts';

/** Checks the quantities of one container: they are quantities, not negative, and no request is above its limit. */
export function validateResources(resources: unknown, path: string): FieldError[] {
  if (!isRecord(resources)) return [];
  const [requests, limits] = [record(resources['requests']), record(resources['limits'])];
  return [
    ...validateQuantities(limits, `${path}.limits`),
    ...validateQuantities(requests, `${path}.requests`),
    ...validateRequests(requests, limits, `${path}.requests`),
  ];
}

const quantityRule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function validateQuantities(quantities: JsonObject, path: string): FieldError[] {
  return Object.entries(quantities).flatMap(([name, quantity]) => {
    const value = parseQuantity(quantity);
    if (value === null) return [fieldError(`${path}[${name}]`, 'Invalid', quantityRule, quantity)];
    if (value >= 0) return [];
    return [fieldError(`${path}[${name}]`, 'Invalid', 'must be greater than or equal to 0', quantity)];
  });
}

function validateRequests(requests: JsonObject, limits: JsonObject, path: string): FieldError[] {
  return Object.entries(requests).flatMap(([name, request]) => {
    const [asked, limit] = [parseQuantity(request), parseQuantity(limits[name])];
    if (asked === null || limit === null || asked <= limit) return [];
    return [
      fieldError(path, 'Invalid', `must be less than or equal to ${name} limit of ${String(limits[name])}`, request),
    ];
  });
}
