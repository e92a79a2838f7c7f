import type { KinesisClient } from '@aws-sdk/client-kinesis';

import { type AwsResource, awsProblem } from '../aws-problem.ts';
import { type IteratorCalls, IteratorReader, type Portion } from '../iterator-reader.ts';
import type { Position, Shard, SourceRecord } from '../record.ts';
import { shardBatchInfo, shardEvent } from '../shard-batch.ts';
import type { BatchInfo, OpenDeps, OpenStream, ReadResult, ReadWish } from '../source.ts';
import { connectKinesis, GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from './aws-kinesis.ts';
import { isExpired, iteratorProblem } from './errors.ts';
import { type StreamName, toKinesisRecord } from './record.ts';

/** A stream, as its ARN names it. */
export interface KinesisStreamName extends StreamName {
  readonly name: string;
}

/** Connects to a stream, and sees that it is there. @throws SourceProblem */
export async function openKinesis(stream: KinesisStreamName, deps: OpenDeps): Promise<OpenStream> {
  const config = deps.aws('AWS_ENDPOINT_URL_KINESIS', stream.arn);
  const client = connectKinesis(config);
  const resource = { name: `stream ${stream.name}`, endpoint: config.endpoint };
  const opened = new KinesisStream({ stream, client, resource, now: deps.now });
  try {
    await opened.shards(deps.signal);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface StreamParts {
  readonly stream: KinesisStreamName;
  readonly client: KinesisClient;
  readonly resource: AwsResource;
  readonly now: () => number;
}

class KinesisStream implements OpenStream, IteratorCalls {
  readonly kind = 'stream';
  /** Of one call, as the service has it. */
  readonly maxRecords = 10_000;
  /** The service allows five calls a second for each shard. */
  readonly restMs = 200;
  readonly #parts: StreamParts;
  readonly #reader = new IteratorReader(this);

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  async shards(abortSignal?: AbortSignal): Promise<readonly Shard[]> {
    const options = abortSignal === undefined ? {} : { abortSignal };
    const { client, stream, resource } = this.#parts;
    const shards: Shard[] = [];
    let token: string | undefined;
    do {
      const place = token === undefined ? { StreamName: stream.name } : { NextToken: token };
      const answer = await client.send(new ListShardsCommand(place), options).catch((error: unknown) => {
        throw awsProblem(error, resource);
      });
      for (const { ShardId: id, ParentShardId, AdjacentParentShardId } of answer.Shards ?? []) {
        const parents = [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined);
        if (id !== undefined) shards.push({ id, parents });
      }
      token = answer.NextToken;
    } while (token !== undefined);
    return shards;
  }

  read(wish: ReadWish): Promise<ReadResult> {
    return this.#reader.read(wish);
  }

  async iterator(shard: Shard, from: Position, abortSignal: AbortSignal): Promise<string> {
    const { client, stream, resource } = this.#parts;
    const place = { StreamName: stream.name, ShardId: shard.id, ...this.#startOf(from) };
    try {
      const { ShardIterator } = await client.send(new GetShardIteratorCommand(place), { abortSignal });
      if (ShardIterator === undefined) throw new Error('it gave no iterator');
      return ShardIterator;
    } catch (error) {
      throw from.kind === 'after' ? iteratorProblem(error, resource) : awsProblem(error, resource);
    }
  }

  async records(
    { id }: Shard,
    ShardIterator: string,
    Limit: number,
    abortSignal: AbortSignal,
  ): Promise<Portion | null> {
    const { client, stream, resource, now } = this.#parts;
    try {
      const answer = await client.send(new GetRecordsCommand({ ShardIterator, Limit }), { abortSignal });
      return {
        records: (answer.Records ?? []).map((record) => toKinesisRecord(stream, id, record, now())),
        next: answer.NextShardIterator ?? null,
        behindMs: answer.MillisBehindLatest ?? null,
      };
    } catch (error) {
      if (isExpired(error)) return null;
      throw awsProblem(error, resource);
    }
  }

  eventOf(_shard: Shard, records: readonly SourceRecord[], extra: Readonly<Record<string, unknown>>): string {
    return shardEvent(records, extra);
  }

  infoOf(shard: Shard, records: readonly SourceRecord[]): BatchInfo {
    return shardBatchInfo('KinesisBatchInfo', shard, records, this.#parts.stream.arn);
  }

  close(): Promise<void> {
    this.#parts.client.destroy();
    return Promise.resolve();
  }

  #startOf(
    from: Position,
  ): Pick<
    ConstructorParameters<typeof GetShardIteratorCommand>[0],
    'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'
  > {
    if (from.kind === 'start') return { ShardIteratorType: 'TRIM_HORIZON' };
    if (from.kind === 'after') return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: from.id };
    // A time to come is refused, and clocks differ.
    return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(Math.min(from.ms, this.#parts.now())) };
  }
}
