import { isRecord, type JsonObject } from './json.ts';
import { type FieldType, type Message, messageOf } from './protobuf-messages.ts';
import { badRequest } from './status.ts';

/** What a Kubernetes protobuf body begins with. */
const magic = Buffer.from('k8s\0');

/** Content type of Kubernetes' protobuf envelope. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

/**
 * Decodes a Kubernetes protobuf body into the same object that JSON would give. Typed Go clients (kubectl's `create
 * configmap`, `create token` …) send nothing else. Only the kinds in the table are known.
 * @returns null when the kind is not in the table. @throws ApiError 400 for bytes that are no such message
 */
export function decodeProtobuf(body: Buffer): JsonObject | null {
  if (!body.subarray(0, 4).equals(magic)) throw badRequest('the body is not a Kubernetes protobuf message');
  const envelope = decodeMessage(new Reader(body.subarray(4)), {
    1: ['typeMeta', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }],
    2: ['raw', 'bytes'],
  });
  const { typeMeta, raw } = envelope;
  if (!isRecord(typeMeta)) throw badRequest('the protobuf message has no type');
  const apiVersion = String(typeMeta['apiVersion'] ?? '');
  const kind = String(typeMeta['kind'] ?? '');
  const message = messageOf(apiVersion, kind);
  if (message === undefined) return null;
  const fields = decodeMessage(new Reader(Buffer.from(typeof raw === 'string' ? raw : '', 'base64')), message);
  return { apiVersion, kind, ...fields };
}

/** Reads protobuf's wire format. @throws ApiError 400 when the bytes end too early */
class Reader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) break;
      this.#position += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw badRequest('the protobuf message is damaged');
  }

  bytes(): Buffer {
    const length = Number(this.varint());
    const end = this.#position + length;
    if (length < 0 || end > this.#bytes.length) throw badRequest('the protobuf message is damaged');
    const result = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return result;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 2) this.bytes();
    else if (wireType === 1 || wireType === 5) this.#position += wireType === 1 ? 8 : 4;
    else throw badRequest('the protobuf message is damaged');
  }
}

function decodeMessage(reader: Reader, message: Message): JsonObject {
  const result: JsonObject = {};
  while (!reader.isAtEnd) {
    const tag = Number(reader.varint());
    const field = message[tag >>> 3];
    const wireType = tag & 7;
    if (field === undefined || wireType !== wireTypeOf(field[1])) reader.skip(wireType);
    else setField(result, field[0], field[1], reader);
  }
  return result;
}

function wireTypeOf(type: FieldType): number {
  return type === 'int' || type === 'optionalInt' || type === 'bool' ? 0 : 2;
}

function setField(result: JsonObject, name: string, type: FieldType, reader: Reader): void {
  if (typeof type === 'object' && 'list' in type) {
    const before = result[name];
    result[name] = [...(Array.isArray(before) ? before : []), decodeValue(type.list, reader)];
    return;
  }
  if (typeof type === 'object' && 'map' in type) {
    const before = result[name];
    const entry = decodeMessage(new Reader(reader.bytes()), { 1: ['key', 'string'], 2: ['value', type.map] });
    result[name] = { ...(isRecord(before) ? before : {}), [String(entry['key'] ?? '')]: entry['value'] ?? '' };
    return;
  }
  const value = decodeValue(type, reader);
  if (!isAbsent(type, value)) result[name] = value;
}

/** Go writes empty strings and zero numbers of fields that are not set. */
function isAbsent(type: FieldType, value: unknown): boolean {
  return value === null || (type === 'string' && value === '') || (type === 'int' && value === 0);
}

function decodeValue(type: FieldType, reader: Reader): unknown {
  if (type === 'int' || type === 'optionalInt') return Number(reader.varint());
  if (type === 'bool') return reader.varint() !== 0n;
  const bytes = reader.bytes();
  if (type === 'string') return bytes.toString('utf8');
  if (type === 'bytes') return bytes.toString('base64');
  if (type === 'time' || type === 'microTime') return decodeTime(bytes, type);
  if (type === 'intOrString') return decodeIntOrString(bytes);
  if ('list' in type || 'map' in type) throw badRequest('the protobuf message is damaged');
  return decodeMessage(new Reader(bytes), type);
}

function decodeTime(bytes: Buffer, type: 'time' | 'microTime'): string | null {
  const { seconds, nanos } = decodeMessage(new Reader(bytes), { 1: ['seconds', 'int'], 2: ['nanos', 'int'] });
  if (typeof seconds !== 'number') return null;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (type === 'time') return `${whole}Z`;
  const micros = Math.floor((typeof nanos === 'number' ? nanos : 0) / 1000);
  return `${whole}.${String(micros).padStart(6, '0')}Z`;
}

function decodeIntOrString(bytes: Buffer): number | string {
  const value = decodeMessage(new Reader(bytes), { 1: ['type', 'int'], 2: ['int', 'int'], 3: ['text', 'string'] });
  return value['type'] === 1 ? String(value['text'] ?? '') : Number(value['int'] ?? 0);
}
