import type { Answer } from '../../http/answer.ts';
import type { Operation } from './model.ts';
import type { Member, Shape, StructureShape } from './shapes.ts';

/**
 * Writes an operation's answer: status, headers and JSON body as the model says. Members that are null or undefined are left
 * out, unknown ones too. Of an event stream only the head is written.
 *
 * @param output the model's output by member name; blobs as bytes, timestamps as Dates
 */
export function renderOutput(operation: Operation, output: object, requestId: string): Answer {
  const values = new Map<string, unknown>(Object.entries(output));
  const headers = ['x-amzn-RequestId', requestId];
  let status = operation.status;
  for (const { name, location, wireName, shape } of operation.output?.members ?? []) {
    const value = values.get(name);
    if (value === undefined || value === null) continue;
    if (location === 'statusCode') status = Number(value);
    if (location === 'header') headers.push(wireName, textOf(shape, value));
  }
  const body = operation.output === null || status === 204 ? '' : bodyOf(operation.output, values);
  if (typeof body === 'string' && body !== '') headers.unshift('Content-Type', 'application/json');
  return { status, headers, body };
}

function bodyOf(output: StructureShape, values: ReadonlyMap<string, unknown>): string | Buffer {
  const { payload } = output;
  if (payload === null) return JSON.stringify(toJsonMembers(output.members.filter(isInBody), values));
  if (payload.shape.kind === 'structure' && payload.shape.isEventStream) return '';
  const value = values.get(payload.name);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value === undefined || value === null ? '' : JSON.stringify(toJson(payload.shape, value));
}

function isInBody({ location }: Member): boolean {
  return location === 'body';
}

function toJson(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'structure':
      return toJsonMembers(shape.members, new Map(Object.entries(Object(value))));
    case 'list':
      return Array.isArray(value) ? value.map((entry) => toJson(shape.member, entry)) : [];
    case 'map':
      return Object.fromEntries(Object.entries(Object(value)).map(([key, entry]) => [key, toJson(shape.value, entry)]));
    case 'timestamp':
      return value instanceof Date ? value.getTime() / 1000 : value;
    case 'blob':
      return value instanceof Uint8Array
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
        : value;
    default:
      return value;
  }
}

function toJsonMembers(members: readonly Member[], values: ReadonlyMap<string, unknown>): object {
  const made: Record<string, unknown> = {};
  for (const { name, wireName, shape } of members) {
    const value = values.get(name);
    if (value !== undefined && value !== null) made[wireName] = toJson(shape, value);
  }
  return made;
}

function textOf(shape: Shape, value: unknown): string {
  if (value instanceof Date) throw new Error(`${shape.name}: no header of the model holds a time`);
  return String(value);
}
