import { expect, test } from '@jest/globals';
import { decodeProtobuf } from './protobuf.ts';
import { codeOf } from './testing.ts';

/** One length-delimited field. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  return Buffer.from([...bytes, left]);
}

const number = (tag: number, value: number): Buffer => Buffer.concat([varint(tag << 3), varint(value)]);
const entry = (key: string, value: string): Buffer => Buffer.concat([field(1, key), field(2, value)]);

function envelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const type = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, raw), field(3, ''), field(4, '')]);
}

test('a Secret has its labels, its bytes as base64 and no empty fields', () => {
  const metadata = Buffer.concat([
    field(1, 'name'),
    field(2, ''),
    field(5, ''),
    field(8, ''),
    field(11, entry('a', 'b')),
    field(11, entry('c', '')),
  ]);
  const raw = Buffer.concat([field(1, metadata), field(2, entry('key', 'value')), field(3, 'Opaque'), number(5, 1)]);
  expect(decodeProtobuf(envelope('v1', 'Secret', raw))).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'name', labels: { a: 'b', c: '' } },
    data: { key: Buffer.from('value').toString('base64') },
    type: 'Opaque',
    immutable: true,
  });
});

test('repeated messages, numbers and both kinds of IntOrString', () => {
  const port = (target: Buffer): Buffer => field(1, Buffer.concat([field(1, 'p'), number(3, 300), field(4, target)]));
  const spec = Buffer.concat([
    port(Buffer.concat([number(1, 0), number(2, 8080), field(3, '')])),
    port(Buffer.concat([number(1, 1), number(2, 0), field(3, 'http')])),
  ]);
  expect(decodeProtobuf(envelope('v1', 'Service', field(2, spec)))).toMatchObject({
    spec: {
      ports: [
        { port: 300, targetPort: 8080 },
        { port: 300, targetPort: 'http' },
      ],
    },
  });
});

test('times are text, the zero time is absent', () => {
  const times = Buffer.concat([field(3, Buffer.concat([number(1, 1767225600), number(2, 5_000)])), field(4, '')]);
  expect(decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', field(2, times)))).toMatchObject({
    spec: { acquireTime: '2026-01-01T00:00:00.000005Z' },
  });
});

test('a negative number is negative', () => {
  const minusOne = Buffer.concat([varint(1 << 3), Buffer.from('ffffffffffffffffff01', 'hex')]);
  expect(decodeProtobuf(envelope('v1', 'DeleteOptions', minusOne))).toMatchObject({ gracePeriodSeconds: -1 });
});

test('fields that nobody knows are passed over', () => {
  const raw = Buffer.concat([field(99, 'x'), number(98, 7), field(2, entry('a', 'b'))]);
  expect(decodeProtobuf(envelope('v1', 'ConfigMap', raw))).toMatchObject({ data: { a: 'b' } });
});

test('a kind that is not in the table is not decoded', () => {
  expect(decodeProtobuf(envelope('v1', 'Pod', Buffer.alloc(0)))).toBeNull();
});

test.each<[reason: string, bytes: Buffer]>([
  ['no magic', Buffer.from('nope')],
  ['no type', Buffer.from('k8s\0')],
  ['a length beyond the end', envelope('v1', 'ConfigMap', Buffer.from([0x12, 0x7f]))],
  ['a number without an end', envelope('v1', 'ConfigMap', Buffer.from([0xff, 0xff]))],
])('%s is a bad request', (_reason, bytes) => {
  expect(codeOf(() => decodeProtobuf(bytes))).toBe(400);
});
