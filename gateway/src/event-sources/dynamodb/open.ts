import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';

import type { AwsResource } from '../aws-problem.ts';
import { type IteratorCalls, IteratorReader, type Portion } from '../iterator-reader.ts';
import type { Position, Shard, SourceRecord } from '../record.ts';
import { shardBatchInfo, shardEvent } from '../shard-batch.ts';
import type { BatchInfo, OpenDeps, OpenStream, ReadResult, ReadWish } from '../source.ts';
import {
  DynamoDBStreamsClient as Client,
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from './aws-dynamodb.ts';
import { isExpired, streamProblem } from './errors.ts';
import { type TableStreamName, toDynamoRecord } from './record.ts';

/** Shards are read at the same time. */
const MAX_SOCKETS = 256;

/** A table's stream, as its ARN names it. */
export interface DynamoStreamName extends TableStreamName {
  readonly table: string;
}

/** Connects to a table's stream, and sees that it is there. @throws SourceProblem */
export async function openDynamo(stream: DynamoStreamName, deps: OpenDeps): Promise<OpenStream> {
  const config = deps.aws('AWS_ENDPOINT_URL_DYNAMODB_STREAMS', stream.arn);
  const sockets = { maxSockets: MAX_SOCKETS };
  const client = new Client({
    ...config,
    requestHandler: { ...config.requestHandler, httpAgent: sockets, httpsAgent: sockets },
  });
  const resource = { name: `stream of table ${stream.table}`, endpoint: config.endpoint };
  const opened = new DynamoStream({ stream, client, resource, now: deps.now });
  try {
    await opened.shards(deps.signal);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface StreamParts {
  readonly stream: DynamoStreamName;
  readonly client: DynamoDBStreamsClient;
  readonly resource: AwsResource;
  readonly now: () => number;
}

class DynamoStream implements OpenStream, IteratorCalls {
  readonly kind = 'stream';
  /** Of one call, as the service has it. */
  readonly maxRecords = 1_000;
  /** Lambda reads each shard four times a second. */
  readonly restMs = 250;
  readonly #parts: StreamParts;
  readonly #reader = new IteratorReader(this);

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  async shards(abortSignal?: AbortSignal): Promise<readonly Shard[]> {
    const options = abortSignal === undefined ? {} : { abortSignal };
    const { client, stream } = this.#parts;
    const shards: Shard[] = [];
    let last: string | undefined;
    do {
      const place = { StreamArn: stream.arn, ...(last !== undefined && { ExclusiveStartShardId: last }) };
      const { StreamDescription } = await client.send(new DescribeStreamCommand(place), options).catch(this.#explain);
      for (const { ShardId: id, ParentShardId: parent } of StreamDescription?.Shards ?? [])
        if (id !== undefined) shards.push({ id, parents: parent === undefined ? [] : [parent] });
      last = StreamDescription?.LastEvaluatedShardId;
    } while (last !== undefined);
    return shards;
  }

  read(wish: ReadWish): Promise<ReadResult> {
    return this.#reader.read(wish);
  }

  /** There is none by time: the reader leaves out what is older. */
  async iterator(shard: Shard, from: Position, abortSignal: AbortSignal): Promise<string> {
    const { client, stream } = this.#parts;
    const start =
      from.kind === 'after'
        ? ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: from.id } as const)
        : ({ ShardIteratorType: 'TRIM_HORIZON' } as const);
    const command = new GetShardIteratorCommand({ StreamArn: stream.arn, ShardId: shard.id, ...start });
    const { ShardIterator } = await client.send(command, { abortSignal }).catch(this.#explain);
    return ShardIterator ?? this.#explain(new Error('it gave no iterator'));
  }

  async records(
    _shard: Shard,
    ShardIterator: string,
    Limit: number,
    abortSignal: AbortSignal,
  ): Promise<Portion | null> {
    const { client, stream, now } = this.#parts;
    try {
      const answer = await client.send(new GetRecordsCommand({ ShardIterator, Limit }), { abortSignal });
      return {
        records: (answer.Records ?? []).map((record) => toDynamoRecord(stream, record, now())),
        next: answer.NextShardIterator ?? null,
        behindMs: null,
      };
    } catch (error) {
      return isExpired(error) ? null : this.#explain(error);
    }
  }

  eventOf(_shard: Shard, records: readonly SourceRecord[], extra: Readonly<Record<string, unknown>>): string {
    return shardEvent(records, extra);
  }

  infoOf(shard: Shard, records: readonly SourceRecord[]): BatchInfo {
    return shardBatchInfo('DDBStreamBatchInfo', shard, records, this.#parts.stream.arn);
  }

  close(): Promise<void> {
    this.#parts.client.destroy();
    return Promise.resolve();
  }

  readonly #explain = (error: unknown): never => {
    throw streamProblem(error, this.#parts.resource);
  };
}
