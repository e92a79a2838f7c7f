import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { parseUrlAnswer } from './answer.ts';

const parse = (value: unknown) =>
  parseUrlAnswer(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const answer = (value: unknown) => {
  const parsed = parse(value);
  if (parsed.kind !== 'answer') throw new Error(parsed.problem);
  const { status, headers, body } = parsed.answer;
  return { status, headers: [...headers], body: body.toString() };
};
const json = ['Content-Type', 'application/json'];

test.each<[reason: string, payload: unknown, want: { status: number; headers: string[]; body: string }]>([
  [
    'an object without statusCode is the body',
    { message: 'hi' },
    { status: 200, headers: json, body: '{"message":"hi"}' },
  ],
  ['a text is the body, as JSON', '"hello"', { status: 200, headers: json, body: '"hello"' }],
  ['null', 'null', { status: 200, headers: json, body: 'null' }],
  ['an array', [1, 2], { status: 200, headers: json, body: '[1,2]' }],
  [
    'an inner statusCode means nothing',
    { a: { statusCode: 500 } },
    { status: 200, headers: json, body: '{"a":{"statusCode":500}}' },
  ],
  ['a bare statusCode', { statusCode: 204 }, { status: 204, headers: json, body: '' }],
  ['status as text', { statusCode: '201', body: 'x' }, { status: 201, headers: json, body: 'x' }],
  [
    'the code’s own type and headers',
    { statusCode: 200, headers: { 'content-type': 'text/html', 'X-A': 1, 'X-B': true, 'X-C': null }, body: '<p>' },
    { status: 200, headers: ['content-type', 'text/html', 'X-A', '1', 'X-B', 'true'], body: '<p>' },
  ],
  [
    'cookies are one header each',
    { statusCode: 200, cookies: ['a=1; Path=/', 'b=2'], body: '' },
    { status: 200, headers: [...json, 'Set-Cookie', 'a=1; Path=/', 'Set-Cookie', 'b=2'], body: '' },
  ],
  [
    'base64',
    { statusCode: 200, body: Buffer.from('bytes').toString('base64'), isBase64Encoded: true },
    { status: 200, headers: json, body: 'bytes' },
  ],
  [
    'framing is Kappa’s own',
    {
      statusCode: 200,
      headers: {
        'Transfer-Encoding': 'chunked',
        Connection: 'close',
        'Content-Length': '1',
        'Keep-Alive': 'x',
        Upgrade: 'h2c',
        Trailer: 'a',
        TE: 'x',
        'x-kappa-fault': 'caller',
        'x-amzn-RequestId': 'forged',
      },
      body: 'abc',
    },
    { status: 200, headers: json, body: 'abc' },
  ],
  [
    'no headers, no body',
    { statusCode: 302, headers: null, cookies: null, body: null },
    { status: 302, headers: json, body: '' },
  ],
])('parseUrlAnswer: %s', (_reason, payload, want) => {
  expect(answer(payload)).toEqual(want);
});

describe('malformed answers are told, never sent', () => {
  test.each<[reason: string, payload: unknown]>([
    ['not JSON', 'hello'],
    ['half JSON that names statusCode', '{"statusCode": 200'],
    ['status 99', { statusCode: 99 }],
    ['status 100', { statusCode: 100 }],
    ['status 600', { statusCode: 600 }],
    ['status 200.5', { statusCode: 200.5 }],
    ['status text', { statusCode: 'OK' }],
    ['status null', { statusCode: null }],
    ['status 200 with a line', { statusCode: '200\r\nX: y' }],
    ['a body that is an object', { statusCode: 200, body: {} }],
    ['a body that is a number', { statusCode: 200, body: 1 }],
    ['headers that are an array', { statusCode: 200, headers: [] }],
    ['a header that is an object', { statusCode: 200, headers: { a: {} } }],
    ['CR LF in a value', { statusCode: 200, headers: { a: 'b\r\nSet-Cookie: x=y' } }],
    ['LF in a value', { statusCode: 200, headers: { a: 'b\nc' } }],
    ['NUL in a value', { statusCode: 200, headers: { a: '\0' } }],
    ['a value beyond latin-1', { statusCode: 200, headers: { a: '€' } }],
    ['CR LF in a name', { statusCode: 200, headers: { 'a\r\nb': 'c' } }],
    ['a space in a name', { statusCode: 200, headers: { 'a b': 'c' } }],
    ['an empty name', { statusCode: 200, headers: { '': 'c' } }],
    ['CR LF in a cookie', { statusCode: 200, cookies: ['a=b\r\nX: y'] }],
    ['a cookie that is a number in an object', { statusCode: 200, cookies: [{}] }],
    ['cookies that are a text', { statusCode: 200, cookies: 'a=b' }],
    [
      '10,000 headers',
      { statusCode: 200, headers: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`h${n}`, 'x'])) },
    ],
    ['headers of a megabyte', { statusCode: 200, headers: { a: 'x'.repeat(1_000_000) } }],
  ])('%s', (_reason, payload) => {
    expect(parse(payload).kind).toBe('malformed');
  });
});

test('whatever a function answers, what would be sent has clean headers', () => {
  const anything = fc.record({
    statusCode: fc.oneof(fc.integer(), fc.anything()),
    headers: fc.oneof(fc.dictionary(fc.string(), fc.anything()), fc.anything()),
    cookies: fc.oneof(fc.array(fc.string()), fc.anything()),
    body: fc.anything(),
  });
  fc.assert(
    fc.property(fc.oneof(anything, fc.anything()), (value) => {
      let text: string;
      try {
        text = JSON.stringify(value) ?? 'null';
      } catch {
        return; // BigInt and circles are no JSON
      }
      const parsed = parse(text);
      if (parsed.kind === 'malformed') return;
      expect(parsed.answer.status).toBeGreaterThanOrEqual(200);
      for (const part of parsed.answer.headers) expect(part).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
    }),
    { numRuns: 500 },
  );
});

test('__proto__ as a header is a header', () => {
  expect(answer('{"statusCode":200,"headers":{"__proto__":"x"},"body":""}').headers).toEqual([
    ...json,
    '__proto__',
    'x',
  ]);
});
