import { expect, test } from '@jest/globals';

import { httpIntegrationType } from '../function-url/prelude.ts';
import { answered } from '../testing.ts';
import { parseAnswer1, parseRouteAnswer } from './answer.ts';

const parse = (value: unknown) => parseAnswer1(Buffer.from(JSON.stringify(value)));
const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 'a']));
/** The name with those letters in capitals whose bits are set. */
const spelling = (name: string, bits: number) =>
  [...name].map((char, at) => ((bits >> at) & 1 ? char.toUpperCase() : char)).join('');
const json = ['Content-Type', 'application/json'];

test.each<[reason: string, given: object, want: object]>([
  ['only a status', { statusCode: 204 }, { status: 204, headers: json, body: '' }],
  ['a status in words', { statusCode: '201', body: 'x' }, { status: 201, headers: json, body: 'x' }],
  [
    'headers of one value and of many',
    {
      statusCode: 200,
      headers: { 'content-type': 'text/plain', a: 1 },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
    },
    {
      status: 200,
      headers: ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'content-type', 'text/plain', 'a', '1'],
      body: '',
    },
  ],
  [
    'what is in both is sent once',
    { statusCode: 200, headers: { 'X-A': '1', 'x-b': '2' }, multiValueHeaders: { 'x-a': ['1', '3'] } },
    { status: 200, headers: [...json, 'x-a', '1', 'x-a', '3', 'x-b', '2'], body: '' },
  ],
  [
    'bytes',
    { statusCode: 200, body: 'AAH/', isBase64Encoded: true },
    { status: 200, headers: json, body: Buffer.from([0, 1, 255]) },
  ],
  [
    'what belongs to the connection is left out',
    { statusCode: 200, headers: { Connection: 'close', 'x-kappa-fault': 'x' } },
    { status: 200, headers: json, body: '' },
  ],
])('parseAnswer1: %s', (_reason, given, want) => {
  expect(parse(given)).toEqual({ kind: 'answer', answer: want });
});

test.each<[reason: string, given: unknown]>([
  ['a text', 'hello'],
  ['null', null],
  ['no status', { body: 'x' }],
  ['a status that is none', { statusCode: 99 }],
  ['a body that is no text', { statusCode: 200, body: {} }],
  ['headers that are no object', { statusCode: 200, headers: [] }],
  ['values that are no list', { statusCode: 200, multiValueHeaders: { a: 'b' } }],
  ['a value with a line of its own', { statusCode: 200, multiValueHeaders: { a: ['b\r\nc: d'] } }],
  ['more values than an answer may have', { statusCode: 200, multiValueHeaders: { a: Array(257).fill('b') } }],
  ['more names than an answer may have', { statusCode: 200, headers: names(257) }],
  ['a name that is none', { statusCode: 200, headers: { 'a b': 'c' } }],
])('parseAnswer1: %s is no answer', (_reason, given) => {
  expect(parse(given).kind).toBe('malformed');
});

test('parseAnswer1: headers without number are refused before they are compared', () => {
  const values = Array.from({ length: 200_000 }, (_, n) => String(n));
  const spellings = Object.fromEntries(
    Array.from({ length: 16_384 }, (_, n) => [spelling('set-cookie-header', n), '-']),
  );
  const parsed = parse({ statusCode: 200, headers: spellings, multiValueHeaders: { 'set-cookie-header': values } });
  expect(parsed).toEqual({ kind: 'malformed', problem: 'more than 256 headers' });
});

test('parseAnswer1: no JSON is no answer', () => {
  expect(parseAnswer1(Buffer.from('{')).kind).toBe('malformed');
});

test('parseRouteAnswer: only 2.0 takes any JSON for a body', () => {
  const plain = answered('{"a":1}');
  expect(parseRouteAnswer(plain, '2.0')).toMatchObject({ kind: 'answer', answer: { status: 200 } });
  expect(parseRouteAnswer(plain, '1.0')).toMatchObject({ kind: 'malformed' });
});

test('parseRouteAnswer: an answer that was streamed came whole', () => {
  const payload = Buffer.concat([Buffer.from('{"statusCode":202}'), Buffer.alloc(8), Buffer.from('body')]);
  const outcome = answered(payload, { contentType: httpIntegrationType });
  expect(parseRouteAnswer(outcome, '1.0')).toMatchObject({ kind: 'answer', answer: { status: 202 } });
});
