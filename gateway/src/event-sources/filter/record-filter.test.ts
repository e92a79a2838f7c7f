import { describe, expect, test } from '@jest/globals';

import type { Filterable } from '../record.ts';
import type { SourceTraits } from '../source.ts';
import { recordFilter } from './record-filter.ts';

const sqs: Pick<SourceTraits, 'dataKeys' | 'onMismatch'> = { dataKeys: ['body'], onMismatch: 'drop' };
const kafka: Pick<SourceTraits, 'dataKeys' | 'onMismatch'> = { dataKeys: ['key', 'value'], onMismatch: 'metadataOnly' };
const message = (body: string): Filterable => ({ metadata: { messageId: 'm1' }, data: { body } });
const record = (value: string, topic = 'orders'): Filterable => ({ metadata: { topic }, data: { key: 'k1', value } });

const passes = (patterns: readonly object[], traits: typeof sqs, filterable: Filterable): boolean =>
  recordFilter(
    patterns.map((each) => JSON.stringify(each)),
    traits,
  )({ filterable: () => filterable });

describe('text and JSON in the body of a message', () => {
  const json = '{"code": "BBBB", "n": 3}';
  test.each<[reason: string, patterns: readonly object[], body: string, want: boolean]>([
    ['no filter', [], json, true],
    ['JSON, and it matches', [{ body: { code: ['BBBB'] } }], json, true],
    ['JSON, and it does not', [{ body: { code: ['AAAA'] } }], json, false],
    ['JSON after white space', [{ body: { n: [3] } }], `\n ${json}`, true],
    ['text', [{ body: ['hello'] }], 'hello', true],
    ['another text', [{ body: ['hello'] }], 'goodbye', false],
    ['a prefix of the text', [{ body: [{ prefix: 'he' }] }], 'hello', true],
    ['text where JSON is wanted', [{ body: { code: ['BBBB'] } }], 'BBBB', false],
    ['broken JSON is text', [{ body: { code: ['BBBB'] } }], '{"code": "BBBB"', false],
    ['broken JSON as a text', [{ body: [{ prefix: '{' }] }], '{"code', true],
    ['JSON where text is wanted', [{ body: [{ prefix: '{' }] }], json, false],
    ['a number is text', [{ body: ['5'] }], '5', true],
    ['a list is JSON', [{ body: { code: ['b'] } }], '[{"code": "a"}, {"code": "b"}]', true],
    ['the pattern says nothing of the body', [{ messageId: ['m1'] }], 'hello', true],
    ['one filter of two', [{ body: { code: ['AAAA'] } }, { body: { n: [3] } }], json, true],
    ['$or of both forms', [{ $or: [{ body: ['hello'] }, { body: { n: [3] } }] }], json, true],
    ['$or of both forms, the other one', [{ $or: [{ body: ['hello'] }, { body: { n: [3] } }] }], 'hello', true],
    ['not there, where text is: it is no JSON', [{ body: { code: [{ exists: false }] } }], 'hello', false],
  ])('%s', (_reason, patterns, body, want) => {
    expect(passes(patterns, sqs, message(body))).toBe(want);
  });
});

describe('Kafka: of another form, the rest of the record counts', () => {
  test.each<[reason: string, patterns: readonly object[], filterable: Filterable, want: boolean]>([
    ['text where JSON is wanted', [{ value: { a: [1] } }], record('plain'), true],
    ['the rest does not match', [{ topic: ['other'], value: { a: [1] } }], record('plain'), false],
    ['JSON where text is wanted', [{ value: ['x'] }], record('{"a": 2}'), true],
    ['the key is looked at, too', [{ key: ['k2'], value: { a: [1] } }], record('plain'), false],
    ['of the same form it must match', [{ value: { a: [1] } }], record('{"a": 2}'), false],
  ])('%s', (_reason, patterns, filterable, want) => {
    expect(passes(patterns, kafka, filterable)).toBe(want);
  });
});

test('without filters a record is not parsed', () => {
  const filter = recordFilter([], sqs);
  const never = (): never => {
    throw new Error('it was looked at');
  };
  expect(filter({ filterable: never })).toBe(true);
});

test('a filter that is no pattern is named', () => {
  expect(() => recordFilter(['{"body": ["a"]}', '{"body": "a"}'], sqs)).toThrow('filter 2: body must be an object');
});
