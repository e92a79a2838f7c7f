import { readFileSync } from 'node:fs';

import { compilePattern } from './pattern.ts';
import type { MemberRow, ModelTable, ShapeRow } from './table.ts';

/** What must become of a request. */
export type Verdict = 'accepted' | 'SerializationException' | 'ValidationException' | 'InvalidParameterValueException';

const table = JSON.parse(
  readFileSync(new URL('../generated/lambda-model.json', import.meta.url), 'utf8'),
) as ModelTable;

/**
 * A second opinion on requests, straight from the rows of the table: as simple as possible, without texts and without speed.
 *
 * @param raw members as they travel: JSON values in the body, text in path, query and headers
 */
export function verdictOn(operation: string, raw: Readonly<Record<string, unknown>>): Verdict {
  const input = rowOf(table.operations[operation]?.input);
  const members = Object.entries(input.members ?? {}).map(([name, row]) => ({
    name,
    value: raw[name],
    ...placed(row),
  }));
  if (!members.every(({ value, shape, isText, name }) => isReadable(shape, value, isText, name === input.payload)))
    return 'SerializationException';
  const runtime = members.find(({ name, shape }) => name === 'Runtime' && shape.enum !== undefined);
  const others = members.filter((member) => member !== runtime);
  const isGood = others.every(({ name, value, shape, isText }) => {
    if (isAbsent(value)) return !input.required?.includes(name);
    return isWithin(shape, isText ? untexted(shape, value) : value);
  });
  if (!isGood) return 'ValidationException';
  if (runtime === undefined || isAbsent(runtime.value) || isWithin(runtime.shape, runtime.value)) return 'accepted';
  return 'InvalidParameterValueException';
}

function placed(row: MemberRow): { readonly shape: ShapeRow; readonly isText: boolean } {
  return typeof row === 'string' ? { shape: rowOf(row), isText: false } : { shape: rowOf(row.shape), isText: true };
}

function rowOf(name = ''): ShapeRow {
  const row = table.shapes[name];
  if (row === undefined) throw new Error(`no shape ${name}`);
  return row;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isReadable(shape: ShapeRow, value: unknown, isText: boolean, isPayload: boolean): boolean {
  if (isAbsent(value) || (isPayload && shape.type === 'blob')) return true;
  if (isText) return Array.isArray(value) || isReadable(shape, untexted(shape, value), false, false);
  const isObject = typeof value === 'object' && !Array.isArray(value);
  switch (shape.type) {
    case 'structure':
      return (
        isObject &&
        Object.entries(shape.members ?? {}).every(([name, row]) =>
          isReadable(placed(row).shape, Reflect.get(value, name), false, false),
        )
      );
    case 'list':
      return Array.isArray(value) && value.every((entry) => isReadable(rowOf(shape.member), entry, false, false));
    case 'map':
      return isObject && Object.values(value).every((entry) => isReadable(rowOf(shape.value), entry, false, false));
    case 'blob':
      return (
        typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.replace(/=+$/, '').length % 4 !== 1
      );
    case 'timestamp':
      return typeof value === 'number' && Math.abs(value) <= 8.64e12;
    case 'integer':
    case 'long':
      return Number.isInteger(value);
    case 'double':
      return typeof value === 'number';
    default:
      return typeof value === shape.type;
  }
}

/** The JSON value that a text stands for; itself when it stands for none. */
function untexted(shape: ShapeRow, value: unknown): unknown {
  const text = String(value);
  if (shape.type === 'timestamp') return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (shape.type === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  if (shape.type === 'integer' || shape.type === 'long') return /^[+-]?\d+$/.test(text) ? Number(text) : text;
  return value;
}

function isWithin(shape: ShapeRow, value: unknown): boolean {
  if (isAbsent(value)) return false;
  const { min = lowest[shape.type] ?? 0, max = highest[shape.type] ?? Number.POSITIVE_INFINITY } = shape;
  const fits = (size: number): boolean => size >= min && size <= max;
  switch (shape.type) {
    case 'structure':
      return Object.entries(shape.members ?? {}).every(([name, row]) => {
        const member: unknown = Reflect.get(Object(value), name);
        return isAbsent(member) ? !shape.required?.includes(name) : isWithin(placed(row).shape, member);
      });
    case 'list': {
      const entries = value as readonly unknown[];
      return fits(entries.length) && entries.every((entry) => isWithin(rowOf(shape.member), entry));
    }
    case 'map': {
      const entries = Object.entries(value);
      return (
        fits(entries.length) &&
        entries.every(([key, entry]) => isWithin(rowOf(shape.key), key) && isWithin(rowOf(shape.value), entry))
      );
    }
    case 'string': {
      const text = String(value);
      const hasForm = shape.pattern === undefined || compilePattern(shape.pattern).test(text);
      return fits([...text].length) && hasForm && (shape.enum === undefined || shape.enum.includes(text));
    }
    case 'blob':
      return fits(Buffer.from(String(value), 'base64').length);
    case 'boolean':
    case 'timestamp':
      return true;
    default:
      return fits(Number(value));
  }
}

const lowest: Readonly<Record<string, number>> = {
  integer: -(2 ** 31),
  long: -(2 ** 63),
  double: Number.NEGATIVE_INFINITY,
};
const highest: Readonly<Record<string, number>> = { integer: 2 ** 31 - 1, long: 2 ** 63 - 1 };
