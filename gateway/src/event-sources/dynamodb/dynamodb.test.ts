import {
  type AttributeValue,
  DeleteItemCommand,
  DeleteTableCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { mappingView } from '../mapping/testing-view.ts';
import type { Position, Shard, SourceRecord } from '../record.ts';
import type { OpenStream } from '../source.ts';
import { streamContract } from '../source-contract.ts';
import { openDeps } from '../testing-open.ts';
import { freePort, type TestServer } from '../testing-servers.ts';
import { dynamodb, dynamodbTraits } from './source.ts';
import { dynamoClient, makeTable, startDynamo } from './testing-dynamodb.ts';

/*
 * Streams of tables on DynamoDB Local, a real server of the protocol.
 */

const LIMIT_MS = 120_000;
let server: TestServer;
let client: DynamoDBClient;
let tables = 0;
const endpoint = (): string => `http://127.0.0.1:${server.port}`;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await startDynamo();
  client = dynamoClient(endpoint());
}, 600_000);
afterAll(async () => {
  client?.destroy();
  await server?.stop();
});

interface Made {
  readonly table: string;
  readonly arn: string;
  readonly stream: OpenStream;
}

async function open(eventSourceArn: string): Promise<OpenStream> {
  const opened = await dynamodb.open(mappingView({ eventSourceArn }), openDeps(endpoint()));
  if (opened.kind !== 'stream') throw new Error('no stream');
  return opened;
}

async function make(): Promise<Made> {
  tables += 1;
  const table = `table-${tables}`;
  const arn = await makeTable(client, table);
  return { table, arn, stream: await open(arn) };
}

const put = (TableName: string, Item: Record<string, AttributeValue>): Promise<unknown> =>
  client.send(new PutItemCommand({ TableName, Item }));

async function firstShard(stream: OpenStream): Promise<Shard> {
  const [shard] = await stream.shards();
  if (shard === undefined) throw new Error('no shard');
  return shard;
}

async function read(stream: OpenStream, from: Position, count: number): Promise<readonly SourceRecord[]> {
  const shard = await firstShard(stream);
  const records: SourceRecord[] = [];
  let position = from;
  while (records.length < count) {
    const result = await stream.read({ shard, from: position, max: 100, waitMs: 500, signal });
    records.push(...result.records);
    position = result.next;
  }
  return records;
}

streamContract('DynamoDB Streams', {
  traits: dynamodbTraits,
  bodyOf: (record) => JSON.parse(JSON.stringify(record)).dynamodb.NewImage.body.S,
  limitMs: LIMIT_MS,
  start: async () => {
    const { table, stream } = await make();
    return {
      stream,
      put: async (...bodies) => {
        for (const body of bodies) await put(table, { id: { S: 'one' }, body: { S: body } });
      },
      end: async () => void (await client.send(new DeleteTableCommand({ TableName: table }))),
    };
  },
});

test(
  'inserted, modified and removed, with images as on Lambda; what failed is named by its range',
  async () => {
    const { table, arn, stream } = await make();
    await put(table, {
      id: { S: 'a' },
      n: { N: '1.50' },
      b: { B: Buffer.from('x') },
      m: { M: { l: { L: [{ NULL: true }] } } },
    });
    await put(table, { id: { S: 'a' }, bs: { BS: [Buffer.from('y')] }, is: { BOOL: true } });
    await client.send(new DeleteItemCommand({ TableName: table, Key: { id: { S: 'a' } } }));
    const records = await read(stream, { kind: 'start' }, 3);
    const shard = await firstShard(stream);
    const { Records } = JSON.parse(stream.eventOf(shard, records, {}));
    const first = { id: { S: 'a' }, n: { N: '1.5' }, b: { B: 'eA==' }, m: { M: { l: { L: [{ NULL: true }] } } } };
    const second = { id: { S: 'a' }, bs: { BS: ['eQ=='] }, is: { BOOL: true } };
    const like = (eventName: string, images: object, at: number): object => ({
      eventID: expect.any(String),
      eventName,
      eventVersion: expect.stringMatching(/^1\.\d$/),
      eventSource: 'aws:dynamodb',
      awsRegion: 'ddblocal',
      dynamodb: {
        ApproximateCreationDateTime: (records[at]?.arrivedMs ?? 0) / 1_000,
        Keys: { id: { S: 'a' } },
        ...images,
        SequenceNumber: records[at]?.id,
        SizeBytes: expect.any(Number),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: arn,
    });
    expect(Records).toEqual([
      like('INSERT', { NewImage: first }, 0),
      like('MODIFY', { OldImage: first, NewImage: second }, 1),
      like('REMOVE', { OldImage: second }, 2),
    ]);
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set(['{"id":{"S":"a"}}']));
    expect(stream.infoOf(shard, records)).toEqual([
      'DDBStreamBatchInfo',
      {
        shardId: shard.id,
        startSequenceNumber: records[0]?.id,
        endSequenceNumber: records[2]?.id,
        approximateArrivalOfFirstRecord: expect.stringMatching(/Z$/),
        approximateArrivalOfLastRecord: expect.stringMatching(/Z$/),
        batchSize: 3,
        streamArn: arn,
      },
    ]);
    await stream.close();
  },
  LIMIT_MS,
);

test(
  'what is older than the beginning is left out',
  async () => {
    const { table, stream } = await make();
    await put(table, { id: { S: 'a' } });
    const [{ arrivedMs } = { arrivedMs: 0 }] = await read(stream, { kind: 'start' }, 1);
    const shard = await firstShard(stream);
    const later = await stream.read({
      shard,
      from: { kind: 'since', ms: arrivedMs + 1 },
      max: 10,
      waitMs: 500,
      signal,
    });
    expect(later.records).toEqual([]);
    expect(await read(stream, { kind: 'since', ms: arrivedMs }, 1)).toHaveLength(1);
    await stream.close();
  },
  LIMIT_MS,
);

test.each<[what: string, arn: string, reason: string]>([
  [
    'no such stream',
    'arn:aws:dynamodb:ddblocal:000000000000:table/none/stream/2026-01-01T00:00:00.000',
    'SourceNotFound',
  ],
  ['a table without its stream', 'arn:aws:dynamodb:us-east-1:000000000000:table/orders', 'InvalidSource'],
])(
  '%s is told',
  async (_what, arn, reason) => {
    await expect(open(arn)).rejects.toMatchObject({ reason });
  },
  LIMIT_MS,
);

test(
  'nobody there',
  async () => {
    const { arn, stream } = await make();
    await stream.close();
    const address = `http://user:secret@127.0.0.1:${await freePort()}`;
    const problem = await Promise.resolve(dynamodb.open(mappingView({ eventSourceArn: arn }), openDeps(address))).catch(
      (error: unknown) => error,
    );
    expect(problem).toMatchObject({ reason: 'Unreachable' });
    expect(String(problem)).not.toContain('secret');
  },
  LIMIT_MS,
);
