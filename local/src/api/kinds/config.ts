import { child, defaultTo, isRecord, isSameJson, type JsonObject, record } from '../json.ts';
import type { KubeObject } from '../object.ts';
import type { Strategy } from '../resource.ts';
import { type FieldError, fieldError } from '../schema/field-error.ts';

/** Total size of a Secret's or ConfigMap's values, bytes. */
const maxDataBytes = 1024 * 1024;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function mergeStringData(secret: KubeObject): void {
  const stringData = secret['stringData'];
  if (isRecord(stringData)) {
    const data = child(secret, 'data');
    for (const [key, value] of Object.entries(stringData)) data[key] = Buffer.from(String(value)).toString('base64');
  }
  delete secret['stringData'];
}

function validateKeys(field: string, data: JsonObject): FieldError[] {
  const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  return Object.keys(data)
    .filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === '.' || key.startsWith('..'))
    .map((key) => fieldError(`${field}[${key}]`, 'Invalid', rule, key));
}

function validateBase64(field: string, data: JsonObject): FieldError[] {
  return Object.entries(data)
    .filter(([, value]) => typeof value !== 'string' || !base64.test(value))
    .map(([key]) => fieldError(`${field}.${key}`, 'Invalid', 'illegal base64 data', '<redacted>'));
}

function validateSize(field: string, ...maps: readonly JsonObject[]): FieldError[] {
  const bytes = maps.flatMap((map) => Object.values(map)).reduce<number>((sum, value) => sum + String(value).length, 0);
  return bytes > maxDataBytes ? [fieldError(field, 'TooLong', `may not be more than ${maxDataBytes} bytes`)] : [];
}

function validateImmutable(object: KubeObject, live: KubeObject | null, fields: readonly string[]): FieldError[] {
  if (live === null || live['immutable'] !== true) return [];
  const message = 'field is immutable when `immutable` is set';
  const errors = object['immutable'] === true ? [] : [fieldError('immutable', 'Forbidden', message)];
  const changed = fields.filter((field) => !isSameJson(record(object[field]), record(live[field])));
  return [...errors, ...changed.map((field) => fieldError(field, 'Forbidden', message))];
}

/** Secrets: stringData becomes data, the type never changes. */
export const secretStrategy: Strategy = {
  prepareForCreate(secret) {
    mergeStringData(secret);
    defaultTo(secret, 'type', 'Opaque');
  },
  prepareForUpdate(secret, live) {
    mergeStringData(secret);
    defaultTo(secret, 'type', live['type']);
  },
  validate(secret, live) {
    const data = record(secret['data']);
    const isTypeKept = live === null || live['type'] === secret['type'];
    return [
      ...validateKeys('data', data),
      ...validateBase64('data', data),
      ...validateSize('data', data),
      ...(isTypeKept ? [] : [fieldError('type', 'Invalid', 'field is immutable', secret['type'])]),
      ...validateImmutable(secret, live, ['data']),
    ];
  },
};

/** ConfigMaps: keys, sizes, `immutable`. */
export const configMapStrategy: Strategy = {
  validate(configMap, live) {
    const data = record(configMap['data']);
    const binaryData = record(configMap['binaryData']);
    return [
      ...validateKeys('data', data),
      ...validateKeys('binaryData', binaryData),
      ...validateBase64('binaryData', binaryData),
      ...validateSize('', data, binaryData),
      ...validateImmutable(configMap, live, ['data', 'binaryData']),
    ];
  },
};
