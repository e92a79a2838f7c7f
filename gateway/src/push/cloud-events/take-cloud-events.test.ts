import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from '@jest/globals';
import { CloudEvent, HTTP, type Message } from 'cloudevents';

import { takeCloudEvents } from './take-cloud-events.ts';

const attributes = { specversion: '1.0', id: '1', source: '/shop', type: 'order.placed' };
const take = (headers: IncomingHttpHeaders, body: string | Buffer, types?: readonly string[]) =>
  takeCloudEvents({ headers, body: Buffer.from(body) }, types === undefined ? {} : { types }, {
    uid: 'uid',
    isWanted: (event) => !('unwanted' in (event as object)),
  });
const payloads = (taken: ReturnType<typeof take>): readonly unknown[] =>
  taken.events.map(({ payload }) => JSON.parse(payload.toString()));
const structured = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
const batched = { 'content-type': 'application/cloudevents-batch+json' };
const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop', 'ce-type': 'order.placed' };

/** What the CNCF's own package sends. */
test.each<[reason: string, more: object]>([
  ['data of JSON', { data: { total: 12.5, items: ['a'] }, datacontenttype: 'application/json' }],
  ['a text', { data: 'hello ä', datacontenttype: 'text/plain' }],
  ['no data', {}],
  [
    'all attributes',
    { data: [], subject: 's', time: '2026-11-22T10:00:00.000Z', dataschema: 'https://example.com/s', level: 3 },
  ],
])('what the reference sends comes out: %s', (_reason, more) => {
  const event = new CloudEvent({ time: '2026-11-22T09:00:00.000Z', ...attributes, ...more });
  const want = JSON.parse(event.toString());
  const sent = (message: Message<unknown>) => take(lowerCase(message.headers), String(message.body ?? ''));
  expect(payloads(sent(HTTP.structured(event)))).toEqual([want]);
  const [inBinary] = payloads(sent(HTTP.binary(event)));
  // headers are texts, and data without a type is sent as JSON
  const texts = 'level' in more ? { level: '3' } : {};
  expect(inBinary).toEqual({ ...want, ...texts, datacontenttype: expect.any(String) });
});

function lowerCase(headers: Message<unknown>['headers']): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

test.each<[reason: string, type: string, body: Buffer, want: object]>([
  ['JSON is looked into', 'application/json; charset=utf-8', Buffer.from('{"a": 1}'), { data: { a: 1 } }],
  ['so is what is like it', 'application/vnd.shop+json', Buffer.from('[1]'), { data: [1] }],
  ['texts are texts', 'text/csv', Buffer.from('a;ä'), { data: 'a;ä' }],
  ['texts that are no UTF-8 are bytes', 'text/plain', Buffer.from([0x61, 0xe4]), { data_base64: 'YeQ=' }],
  ['all else is bytes', 'image/png', Buffer.from([0, 255, 1]), { data_base64: 'AP8B' }],
])('binary: %s', (_reason, type, body, want) => {
  expect(payloads(take({ ...binary, 'content-type': type }, body))).toEqual([
    { ...attributes, datacontenttype: type, ...want },
  ]);
});

test('binary: attributes are percent-encoded', () => {
  const [event] = payloads(take({ ...binary, 'ce-subject': 'Euro%20%E2%82%AC', 'ce-ext': '100%' }, ''));
  expect(event).toEqual({ ...attributes, subject: 'Euro €', ext: '100%' });
});

test.each<[reason: string, event: object, want: object]>([
  ['attributes', { subject: null, time: null, datacontenttype: null, ext: null }, {}],
  ['data beside bytes', { data: null, data_base64: 'AA==' }, { data_base64: 'AA==' }],
  ['bytes beside data', { data: { a: null }, data_base64: null }, { data: { a: null } }],
  ['bytes; data is null', { data: null, data_base64: null }, { data: null }],
])('null is as good as not there: %s', (_reason, event, want) => {
  const sent = { ...attributes, ...event };
  expect(payloads(take(structured, JSON.stringify(sent)))).toEqual([{ ...attributes, ...want }]);
});

test('a batch is as many events; those that nobody wants are counted', () => {
  const events = [attributes, { ...attributes, id: '2', unwanted: 1 }, { ...attributes, id: '3', type: 'other' }];
  const taken = take(batched, JSON.stringify(events), ['order.placed']);
  expect(payloads(taken)).toEqual([attributes]);
  expect(taken.filtered).toBe(2);
  expect(take(batched, '[]')).toEqual({ events: [], filtered: 0 });
});

test('source and id name an event', () => {
  const idOf = (event: object) => take(structured, JSON.stringify({ ...attributes, ...event })).events[0]?.id;
  expect(idOf({ data: 1 })).toBe(idOf({ data: 2 }));
  expect(idOf({ id: '2' })).not.toBe(idOf({}));
  expect(idOf({ source: '/other' })).not.toBe(idOf({}));
});

test.each<[reason: string, headers: IncomingHttpHeaders, body: string, text: string]>([
  ['no CloudEvent at all', { 'content-type': 'application/json' }, '{}', 'neither headers ce-specversion'],
  ['another format', { 'content-type': 'application/cloudevents+avro' }, '', 'not as application/cloudevents+avro'],
  ['no JSON', structured, '{', 'The body is no JSON'],
  ['a list', structured, '[]', 'it is no JSON object'],
  ['no list', batched, '{}', 'is a JSON list'],
  ['one of a batch', batched, JSON.stringify([attributes, {}]), 'specversion is missing'],
  ['an old version', structured, JSON.stringify({ ...attributes, specversion: '0.3' }), 'specversion is "0.3"'],
  ['no id', structured, JSON.stringify({ ...attributes, id: undefined }), 'attribute id is missing'],
  ['an id that is null', structured, JSON.stringify({ ...attributes, id: null }), 'attribute id is missing'],
  ['an empty source', structured, JSON.stringify({ ...attributes, source: '' }), 'attribute source is missing'],
  ['a number as type', structured, JSON.stringify({ ...attributes, type: 1 }), 'attribute type is missing'],
  ['no time', structured, JSON.stringify({ ...attributes, time: 'yesterday' }), 'time is "yesterday"'],
  ['a time that is none', structured, JSON.stringify({ ...attributes, time: '2026-13-01T00:00:00Z' }), 'time is'],
  ['two data', structured, JSON.stringify({ ...attributes, data: 1, data_base64: 'AA==' }), 'in place of data'],
  ['a name of an attribute', structured, JSON.stringify({ ...attributes, 'Bad-Name': 1 }), 'Bad-Name is no name'],
  ['an attribute that is an object', structured, JSON.stringify({ ...attributes, ext: {} }), 'ext is no text'],
  ['a subject that is a number', structured, JSON.stringify({ ...attributes, subject: 1 }), 'subject is 1, no text'],
  ['binary without an id', { ...binary, 'ce-id': undefined }, '', 'attribute id is missing'],
  ['binary that says JSON', { ...binary, 'content-type': 'application/json' }, '{', 'The body is no JSON'],
  ['a batch that is too long', batched, JSON.stringify(Array(1001).fill(attributes)), 'at most 1000'],
])('refused: %s', (_reason, headers, body, text) => {
  expect(() => take(headers, body)).toThrow(text);
});
