import { expect, test } from '@jest/globals';

import { type Failures, readFailures } from './batch-failures.ts';

const ids = new Set(['a', 'b', 'orders-0:15']);
const none: Failures = { kind: 'none' };
const some = (...failed: string[]): Failures => ({ kind: 'some', ids: new Set(failed) });
const item = (itemIdentifier: unknown) => ({ itemIdentifier });

test.each<[reason: string, answer: unknown, want: object]>([
  ['null', null, none],
  ['an empty object', {}, none],
  ['an object about something else', { statusCode: 200 }, none],
  ['a text', 'done', none],
  ['a null list', { batchItemFailures: null }, none],
  ['an empty list', { batchItemFailures: [] }, none],
  ['one of them', { batchItemFailures: [item('b')] }, some('b')],
  ['the same one twice', { batchItemFailures: [item('b'), item('b')] }, some('b')],
  ["Kafka's pair", { batchItemFailures: [item({ partition: 'orders-0', offset: 15 })] }, some('orders-0:15')],
  ['all of them', { batchItemFailures: [item('a'), item('b'), item('orders-0:15')] }, { kind: 'all', why: null }],
  ['an unknown one', { batchItemFailures: [item('a'), item('z')] }, { kind: 'all' }],
  ['an empty one', { batchItemFailures: [item('')] }, { kind: 'all' }],
  ['a null one', { batchItemFailures: [item(null)] }, { kind: 'all' }],
  ['a misspelt key', { batchItemFailures: [{ messageId: 'a' }] }, { kind: 'all' }],
  ['no list', { batchItemFailures: 'a' }, { kind: 'all', why: 'batchItemFailures is no list' }],
])('%s', (_reason, answer, want) => {
  expect(readFailures(Buffer.from(JSON.stringify(answer)), ids)).toMatchObject(want);
});

test('no answer is a good one, broken JSON is none', () => {
  expect(readFailures(Buffer.alloc(0), ids)).toEqual(none);
  expect(readFailures(Buffer.from('{"batchItem'), ids)).toEqual({ kind: 'all', why: 'it is not JSON' });
});
