import type { Shard, SourceRecord } from './record.ts';
import type { BatchInfo } from './source.ts';

/** The event of Kinesis and DynamoDB: all records in one list. @param extra members of tumbling windows */
export function shardEvent(records: readonly SourceRecord[], extra: Readonly<Record<string, unknown>>): string {
  const head = JSON.stringify({ ...extra, Records: [] }).slice(0, -2);
  return `${head}${records.map(({ text }) => text).join(',')}]}`;
}

/** What a record of failure says of a batch of these: from where to where it went. @param name e.g. `KinesisBatchInfo` */
export function shardBatchInfo(
  name: string,
  { id: shardId }: Shard,
  records: readonly SourceRecord[],
  streamArn: string,
): BatchInfo {
  const [first, last] = [records[0], records.at(-1)];
  const range = first !== undefined &&
    last !== undefined && {
      startSequenceNumber: first.id,
      endSequenceNumber: last.id,
      approximateArrivalOfFirstRecord: new Date(first.arrivedMs).toISOString(),
      approximateArrivalOfLastRecord: new Date(last.arrivedMs).toISOString(),
    };
  return [name, { shardId, ...range, batchSize: records.length, streamArn }];
}
