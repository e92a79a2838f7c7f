import { serializationError } from '../errors.ts';
import type { Shape, StructureShape } from './shapes.ts';

/**
 * Makes the SDK's value of a parsed JSON value: blobs become Buffers, timestamps Dates; members that are null or unknown
 * are left out, as AWS does.
 *
 * @returns undefined for null
 * @throws LambdaError SerializationException for a value of the wrong type, in AWS's words
 */
export function fromJson(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  switch (shape.kind) {
    case 'structure':
      return structureFromJson(shape, value);
    case 'list':
      return listOf(value).map((entry) => fromJson(shape.member, entry) ?? null);
    case 'map':
      // fromEntries defines `__proto__` like any other key
      return Object.fromEntries(
        Object.entries(objectOf(value, 'Expected map or null')).map(([key, entry]) => [
          key,
          fromJson(shape.value, entry) ?? null,
        ]),
      );
    default:
      return scalarFromJson(shape.kind, value);
  }
}

/** The members of a structure that travel in the body: all but some of an input. */
export function structureFromJson(shape: StructureShape, value: unknown): Readonly<Record<string, unknown>> {
  const fields = objectOf(value, 'Expected null');
  const made: Record<string, unknown> = {};
  for (const { name, wireName, location, shape: type } of shape.members) {
    const isHere = location === 'body' && Object.hasOwn(fields, wireName);
    const converted = isHere ? fromJson(type, fields[wireName]) : undefined;
    if (converted !== undefined) made[name] = converted;
  }
  return made;
}

type ScalarKind = Exclude<Shape['kind'], 'structure' | 'list' | 'map'>;

function scalarFromJson(kind: ScalarKind, value: unknown): unknown {
  if (Array.isArray(value)) throw serializationError(listNotExpected);
  if (typeof value === 'object') throw serializationError(structureNotExpected);
  switch (kind) {
    case 'string':
      return typeof value === 'string' ? value : wrongType(value, kind);
    case 'boolean':
      return typeof value === 'boolean' ? value : wrongType(value, kind);
    case 'integer':
    case 'long':
      return Number.isInteger(value) ? value : wrongType(value, kind);
    case 'double':
      return typeof value === 'number' ? value : wrongType(value, kind);
    case 'timestamp':
      return typeof value === 'number' ? dateOf(value * 1000) : wrongType(value, kind);
    case 'blob':
      return typeof value === 'string' ? bytesOf(value) : wrongType(value, kind);
  }
}

/**
 * The same for a text out of path, query or header.
 *
 * @throws LambdaError SerializationException
 */
export function fromText(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : wrongType(text, shape.kind);
    case 'integer':
    case 'long':
      return /^[+-]?\d+$/.test(text) ? Number(text) : wrongType(text, shape.kind);
    case 'double':
      return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : wrongType(text, shape.kind);
    case 'timestamp':
      return dateOf(/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text));
    default:
      throw new Error(`a ${shape.kind} does not travel outside the body`);
  }
}

const listNotExpected = 'Start of list found where not expected';
const structureNotExpected = 'Start of structure or map found where not expected.';

function objectOf(value: unknown, otherwise: string): Readonly<Record<string, unknown>> {
  if (Array.isArray(value)) throw serializationError(listNotExpected);
  if (!isObject(value)) throw serializationError(otherwise);
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw serializationError(typeof value === 'object' ? structureNotExpected : 'Expected list or null');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** With AWS's article, which is the same for all of them. */
const typeNames: Readonly<Record<ScalarKind, string>> = {
  string: 'a String',
  boolean: 'an Boolean',
  integer: 'an Integer',
  long: 'a Long',
  double: 'a Double',
  timestamp: 'a Timestamp',
  blob: 'a Blob',
};

function wrongType(value: unknown, kind: ScalarKind): never {
  const token = typeof value === 'boolean' ? String(value) : typeof value;
  throw serializationError(`${token.toUpperCase()}_VALUE can not be converted to ${typeNames[kind]}`);
}

function dateOf(ms: number): Date {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw serializationError('The timestamp is not one.');
  return date;
}

/** Node's decoder passes over what is not base64: then fewer bytes come out than the text's length says. */
function bytesOf(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const isWhole =
    bytes.length === Math.floor(((base64.length - padding) * 3) / 4) && (base64.length - padding) % 4 !== 1;
  if (!isWhole || base64.includes('-') || base64.includes('_'))
    throw serializationError('The blob is not valid base64.');
  return bytes;
}
