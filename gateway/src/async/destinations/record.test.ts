import { describe, expect, test } from '@jest/globals';

import type { AttemptResult, Progress } from '../../queue/event.ts';
import { asyncEvent } from '../testing.ts';
import { messageOf } from './message.ts';
import { boundedRecord, errorMessageOf, invocationRecord } from './record.ts';
import { recordKey } from './s3.ts';

const decidedMs = Date.parse('2026-11-22T01:02:03.456Z');
const payload = Buffer.from('{"errorType":"Error","errorMessage":"on purpose","trace":[]}');
const failed: AttemptResult = { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled', payload };
const progress: Progress = { attempts: 3, refusals: 0, last: failed };

test('a record of a failure, byte for byte', () => {
  const event = asyncEvent({ payload: Buffer.from('{"big": 12345678901234567890}') });
  expect(invocationRecord({ event, progress, condition: 'RetriesExhausted', decidedMs })).toBe(
    '{"version":"1.0","timestamp":"2026-11-22T01:02:03.456Z",' +
      '"requestContext":{"requestId":"11111111-2222-4333-8444-555555555555","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST",' +
      '"condition":"RetriesExhausted","approximateInvokeCount":3},' +
      '"requestPayload":{"big": 12345678901234567890},' +
      '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},' +
      '"responsePayload":{"errorType":"Error","errorMessage":"on purpose","trace":[]}}',
  );
});

describe('a record', () => {
  const recordOf = (over: Partial<Parameters<typeof invocationRecord>[0]>) =>
    JSON.parse(invocationRecord({ event: asyncEvent(), progress, condition: 'RetriesExhausted', decidedMs, ...over }));

  test('of a success counts the run, and has no functionError', () => {
    const last = { statusCode: 200, executedVersion: '7', payload: Buffer.from('"fine"') };
    const record = recordOf({ condition: 'Success', progress: { attempts: 1, refusals: 0, last } });
    expect(record.requestContext).toMatchObject({ condition: 'Success', approximateInvokeCount: 2 });
    expect(record.responseContext).toEqual({ statusCode: 200, executedVersion: '7' });
    expect(record.responsePayload).toBe('fine');
  });

  test('of what never ran has no response', () => {
    const record = recordOf({ condition: 'ZeroReservedConcurrency', progress: { attempts: 0, refusals: 0 } });
    expect(Object.keys(record)).toEqual(['version', 'timestamp', 'requestContext', 'requestPayload']);
    expect(record.requestContext.approximateInvokeCount).toBe(0);
  });

  test('names the qualifier that was asked for', () => {
    const invokedArn = 'arn:aws:lambda:us-east-1:000000000000:function:hello:live';
    expect(recordOf({ event: asyncEvent({ invokedArn, qualifier: 'live' }) }).requestContext.functionArn).toBe(
      invokedArn,
    );
  });

  test.each<[reason: string, last: AttemptResult]>([
    ['that was cut', { statusCode: 200, payload: Buffer.from('{"a":1}'), payloadCut: true }],
    ['that is no JSON', { statusCode: 200, payload: Buffer.from('{"a":1') }],
  ])('is JSON with an answer %s: it is a text', (_reason, last) => {
    expect(recordOf({ progress: { attempts: 0, refusals: 0, last } }).responsePayload).toMatch(/^\{"a":1/);
  });
});

describe('a record as an event of a function', () => {
  const source = { event: asyncEvent(), progress, condition: 'RetriesExhausted', decidedMs } as const;

  test('is the same where it is small', () => {
    expect(boundedRecord(source).toString()).toBe(invocationRecord(source));
  });

  test.each<[reason: string, payload: string, answer: string]>([
    ['text', JSON.stringify('x'.repeat(1_000_000)), 'x'.repeat(200_000)],
    ['what grows when it is written as a text', JSON.stringify('"'.repeat(500_000)), '\u0000'.repeat(262_144)],
    ['characters of several bytes', JSON.stringify('€'.repeat(340_000)), '€'.repeat(80_000)],
  ])('is of 1 MiB at most: %s', (_reason, text, answer) => {
    const last = { ...failed, payload: Buffer.from(answer) };
    const event = asyncEvent({ payload: Buffer.from(text) });
    const record = boundedRecord({ ...source, event, progress: { ...progress, last } });
    expect(record.length).toBeLessThanOrEqual(1024 * 1024);
    const { requestPayload, responsePayload, requestContext } = JSON.parse(record.toString());
    expect(text.startsWith(requestPayload.slice(0, 10_000))).toBe(true);
    expect(answer.startsWith(responsePayload.slice(0, 10_000))).toBe(true);
    expect(requestContext.requestId).toBe(event.id);
  });
});

test('a dead-letter queue gets the event, and why it is there in attributes', () => {
  const telling = { event: asyncEvent(), progress, condition: 'RetriesExhausted', decidedMs } as const;
  expect(messageOf({ ...telling, kind: 'deadLetter', arn: 'arn', namespace: 'default' })).toEqual({
    body: '{"a":1}',
    attributes: {
      RequestID: { DataType: 'String', StringValue: '11111111-2222-4333-8444-555555555555' },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { DataType: 'String', StringValue: 'on purpose' },
    },
  });
});

test('what never ran has the status that a caller would have got', () => {
  const source = {
    event: asyncEvent(),
    progress: { attempts: 0, refusals: 0 },
    decidedMs,
    arn: 'arn',
    namespace: 'default',
  };
  const { attributes } = messageOf({ ...source, kind: 'deadLetter', condition: 'ZeroReservedConcurrency' });
  expect(attributes['ErrorCode']?.StringValue).toBe('429');
  expect(attributes['ErrorMessage']?.StringValue).toBe('ZeroReservedConcurrency');
});

test.each<[reason: string, payload: Buffer | undefined, want: string]>([
  ['the text of an error object', payload, 'on purpose'],
  ['what is no error object', Buffer.from('"oh"'), '"oh"'],
  ['nothing at all: the condition', undefined, 'EventAgeExceeded'],
  ['an empty one: the whole object', Buffer.from('{"errorMessage":""}'), '{"errorMessage":""}'],
  ['an empty answer: the condition', Buffer.alloc(0), 'EventAgeExceeded'],
  ['at most 1 KiB', Buffer.from(JSON.stringify({ errorMessage: 'x'.repeat(2000) })), 'x'.repeat(1024)],
  ['whole characters', Buffer.from(JSON.stringify({ errorMessage: `${'x'.repeat(1022)}€` })), 'x'.repeat(1022)],
])('an error message: %s', (_reason, bytes, want) => {
  const last = { statusCode: 200, ...(bytes !== undefined && { payload: bytes }) };
  expect(errorMessageOf({ attempts: 1, refusals: 0, last }, 'EventAgeExceeded')).toBe(want);
});

test('what SQS and SNS would refuse is written otherwise', () => {
  const last = {
    statusCode: 200,
    payload: Buffer.from(JSON.stringify({ errorMessage: 'a\u0000b\u001bc\ud800\t\n\uffff€😀' })),
  };
  const event = asyncEvent({ payload: Buffer.from('"\uffff"') });
  const source = { event, progress: { attempts: 1, refusals: 0, last }, decidedMs, arn: 'arn', namespace: 'default' };
  const { body, attributes } = messageOf({ ...source, kind: 'deadLetter', condition: 'RetriesExhausted' });
  expect(body).toBe('"\ufffd"');
  expect(attributes['ErrorMessage']?.StringValue).toBe('a\ufffdb\ufffdc\ufffd\t\n\ufffd€😀');
});

test('where a record lies in a bucket', () => {
  expect(recordKey({ event: asyncEvent(), decidedMs })).toBe(
    'aws/lambda/async/hello/2026/11/22/2026-11-22T01.02.03-11111111-2222-4333-8444-555555555555',
  );
});
