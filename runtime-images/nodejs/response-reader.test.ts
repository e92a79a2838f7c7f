import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ResponseReader } from './response-reader.mjs';

const withLength =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Name: Zoë\r\nContent-Length: 7\r\n\r\n{"a":1}';
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Name: Zoë\r\n\r\n3\r\n{"a\r\n4;ext=1\r\n":1}\r\n0\r\nTrailer: x\r\n\r\n';

test.each([
  ['with a length', withLength],
  ['in chunks', chunked],
])('a response %s is read whatever pieces it comes in', (_reason, text) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (sizes) => {
      const reader = new ResponseReader();
      let rest = Buffer.from(`${text}`);
      let message = null;
      for (const size of [...sizes, rest.length]) {
        if (rest.length === 0) break;
        expect(message).toBeNull();
        message = reader.push(rest.subarray(0, size));
        rest = rest.subarray(size);
      }
      expect(message).toMatchObject({ status: 200, headers: { 'x-name': 'Zoë' }, keepAlive: true });
      expect(message?.body.toString()).toBe('{"a":1}');
    }),
  );
});

test('one reader reads one response after the other', () => {
  const reader = new ResponseReader();
  for (const text of [chunked, withLength, chunked])
    expect(reader.push(Buffer.from(text))?.body.toString()).toBe('{"a":1}');
});

test.each<[reason: string, text: string, want: object]>([
  ['no body', 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n', { status: 202, keepAlive: true }],
  [
    'the server closes',
    'HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    { keepAlive: false },
  ],
])('%s', (_reason, text, want) => {
  expect(new ResponseReader().push(Buffer.from(text))).toMatchObject(want);
});

test.each<[reason: string, text: string]>([
  ['another protocol', 'SSH-2.0-x\r\n\r\n'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'],
  ['more bytes than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab'],
  ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`],
])('nonsense is refused: %s', (_reason, text) => {
  expect(() => new ResponseReader().push(Buffer.from(text))).toThrow('runtime API');
});
