import type { Caller } from './caller.ts';
import type { KubeObject } from './object.ts';
import type { ResourceType } from './resource.ts';
import { applyDefaults, prune } from './schema/structural.ts';
import { badRequest } from './status.ts';

/**
 * Drops unknown fields and fills in defaults. What was dropped is refused, warned of or passed over as the caller asks.
 * @throws ApiError 400 with Strict
 */
export function shape(type: ResourceType, object: KubeObject, caller: Caller): void {
  refuseUnknown(type, prune(type.schema, object), caller);
  applyDefaults(type.schema, object);
}

/** Treats unknown fields as the caller asks. @throws ApiError 400 with Strict */
export function refuseUnknown(type: ResourceType, fields: readonly string[], caller: Caller): void {
  if (fields.length === 0 || caller.fieldValidation === 'Ignore') return;
  const messages = fields.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (caller.fieldValidation === 'Strict') {
    const subject = `${type.kind} in version ${JSON.stringify(type.version)}`;
    throw badRequest(`${subject} cannot be handled as a ${type.kind}: strict decoding error: ${messages.join(', ')}`);
  }
  caller.warnings.push(...messages);
}
