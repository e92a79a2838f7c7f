import type { _Record } from '@aws-sdk/client-kinesis';

import type { SourceRecord } from '../record.ts';

/** Where records come from. */
export interface StreamName {
  readonly arn: string;
  readonly region: string;
  readonly account: string;
}

/**
 * A record of Kinesis as Lambda has it: data base64, the time in seconds. Filters find members of `kinesis` also beside it, as Lambda's do, and the data as `data`.
 *
 * @param nowMs when it was read, for a server that does not say when it came
 * @see AWS Lambda developer guide, "Using Lambda to process records from Amazon Kinesis Data Streams", example event
 */
export function toKinesisRecord(stream: StreamName, shard: string, record: _Record, nowMs: number): SourceRecord {
  const { PartitionKey: partitionKey = '', SequenceNumber: sequenceNumber = '', Data = new Uint8Array() } = record;
  const data = Buffer.from(Data.buffer, Data.byteOffset, Data.byteLength);
  const arrivedMs = record.ApproximateArrivalTimestamp?.getTime() ?? nowMs;
  const kinesis = {
    kinesisSchemaVersion: '1.0',
    partitionKey,
    sequenceNumber,
    approximateArrivalTimestamp: arrivedMs / 1_000,
  };
  const envelope = {
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shard}:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${stream.account}:role/kappa`,
    awsRegion: stream.region,
    eventSourceARN: stream.arn,
  };
  const text = JSON.stringify({ kinesis: { ...kinesis, data: data.toString('base64') }, ...envelope });
  return {
    id: sequenceNumber,
    key: partitionKey,
    arrivedMs,
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => ({ metadata: { ...kinesis, kinesis, ...envelope }, data: { data: data.toString() } }),
  };
}
