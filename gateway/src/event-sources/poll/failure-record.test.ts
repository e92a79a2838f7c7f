import { expect, test } from '@jest/globals';

import { type FailureSource, failureKey, failureRecord } from './failure-record.ts';

const source: FailureSource = {
  requestId: 'c9b8fa9f-5a7f-4abc-8f9c-0c604cde93a5',
  functionArn: 'arn:aws:lambda:us-east-2:123456789012:function:myfunction:$LATEST',
  condition: 'RetryAttemptsExhausted',
  invokeCount: 3,
  executedVersion: '$LATEST',
  decidedMs: Date.UTC(2026, 10, 14, 0, 38, 6, 21),
  info: ['KinesisBatchInfo', { shardId: 'shardId-000000000001', batchSize: 500 }],
};

test('a queue or a topic hears where the records are', () => {
  expect(JSON.parse(failureRecord(source, null))).toEqual({
    requestContext: {
      requestId: source.requestId,
      functionArn: source.functionArn,
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '2026-11-14T00:38:06.021Z',
    KinesisBatchInfo: { shardId: 'shardId-000000000001', batchSize: 500 },
  });
});

test('what never ran has no response; a bucket has the event', () => {
  const old: FailureSource = { ...source, condition: 'RecordAgeExceeded', invokeCount: 0, executedVersion: null };
  const record: unknown = JSON.parse(failureRecord(old, '{"Records":[]}'));
  expect(record).not.toHaveProperty('responseContext');
  expect(record).toHaveProperty('payload', '{"Records":[]}');
});

test('its place in a bucket', () => {
  expect(failureKey('0f0f', 'shardId-000000000001', source)).toBe(
    `aws/lambda/0f0f/shardId-000000000001/2026/11/14/2026-11-14T00.38.06-${source.requestId}`,
  );
});
