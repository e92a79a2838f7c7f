import type { _Record } from '@aws-sdk/client-dynamodb-streams';

import type { SourceRecord } from '../record.ts';

/** Where changes come from. */
export interface TableStreamName {
  readonly arn: string;
  readonly region: string;
}

/**
 * A change of a table as Lambda has it: values in DynamoDB's own JSON, binary ones base64, the time in seconds. Changes of one item keep their order, by its keys.
 *
 * @param nowMs when it was read, for a server that does not say when it came
 * @see AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB", example event
 */
export function toDynamoRecord({ arn, region }: TableStreamName, record: _Record, nowMs: number): SourceRecord {
  const { eventID, eventName, eventVersion = '1.1', dynamodb = {}, userIdentity } = record;
  const { ApproximateCreationDateTime, Keys, SequenceNumber = '', ...others } = dynamodb;
  const arrivedMs = ApproximateCreationDateTime?.getTime() ?? nowMs;
  const keys = plain(Keys ?? {});
  const metadata = {
    eventID,
    eventName,
    eventVersion,
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: arrivedMs / 1_000,
      Keys: keys,
      ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, plain(value)])),
      SequenceNumber,
    },
    // Items that the table itself has removed since their time was over.
    ...(userIdentity !== undefined && {
      userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId },
    }),
    eventSourceARN: arn,
  };
  const text = JSON.stringify(metadata);
  return {
    id: SequenceNumber,
    key: JSON.stringify(keys),
    arrivedMs,
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => ({ metadata, data: {} }),
  };
}

/** A value as JSON has it: bytes are base64. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
