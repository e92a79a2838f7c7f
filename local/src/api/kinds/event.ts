import { at, text } from '../json.ts';
import { copy, type KubeObject } from '../object.ts';
import type { Strategy } from '../resource.ts';
import { type FieldError, fieldError } from '../schema/field-error.ts';

/** Names of the same field in events.k8s.io/v1 and in v1. Events are stored as v1. */
const renamed: readonly (readonly [modern: string, core: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

/** A stored event as events.k8s.io/v1 shows it. */
export function toModernEvent(event: KubeObject): KubeObject {
  return rename(event, 'events.k8s.io/v1', renamed);
}

/** An events.k8s.io/v1 event as it is stored. */
export function toCoreEvent(event: KubeObject): KubeObject {
  return rename(
    event,
    'v1',
    renamed.map(([modern, core]) => [core, modern]),
  );
}

function rename(
  event: KubeObject,
  apiVersion: string,
  pairs: readonly (readonly [to: string, from: string])[],
): KubeObject {
  const result = copy(event);
  result.apiVersion = apiVersion;
  for (const [to, from] of pairs) {
    if (result[from] === undefined) continue;
    result[to] = result[from];
    delete result[from];
  }
  return result;
}

function validate(event: KubeObject): FieldError[] {
  const involved = text(at(event, 'involvedObject', 'namespace'));
  const namespace = event.metadata.namespace ?? '';
  const isRight = involved === namespace || (involved === '' && namespace === 'default');
  return isRight ? [] : [fieldError('involvedObject.namespace', 'Invalid', 'does not match event.namespace', involved)];
}

/** Events that are written through v1. */
export const eventStrategy: Strategy = { validate: (event, live) => (live === null ? validate(event) : []) };

/** The newer API insists on who reports and what was done; stored field names. */
const requiredByModern = ['eventTime', 'reportingComponent', 'reportingInstance', 'action', 'reason'] as const;

function modernName(field: string): string {
  return renamed.find(([, core]) => core === field)?.[0] ?? field;
}

function validateModern(event: KubeObject): FieldError[] {
  const missing = requiredByModern.filter((field) => text(event[field]) === '');
  const errors = missing.map((field) => fieldError(modernName(field), 'Required', ''));
  if (event['type'] === 'Normal' || event['type'] === 'Warning') return errors;
  return [...errors, fieldError('type', 'Invalid', 'has invalid value', event['type'])];
}

/** Events that are written through events.k8s.io, in the stored form. */
export const modernEventStrategy: Strategy = {
  validate: (event, live) => (live === null ? [...validate(event), ...validateModern(event)] : []),
};

function reader(...path: readonly string[]): (event: KubeObject) => string {
  return (event) => text(at(event, ...path));
}

const objectFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

/** Field selectors of events; both spellings work in both groups. */
export const eventFields: Readonly<Record<string, (event: KubeObject) => string>> = {
  ...Object.fromEntries(objectFields.map((field) => [`involvedObject.${field}`, reader('involvedObject', field)])),
  ...Object.fromEntries(objectFields.map((field) => [`regarding.${field}`, reader('involvedObject', field)])),
  reason: reader('reason'),
  type: reader('type'),
  reportingComponent: reader('reportingComponent'),
  reportingController: reader('reportingComponent'),
  source: (event) => text(at(event, 'source', 'component')) || text(event['reportingComponent']),
};
