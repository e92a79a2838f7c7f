import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dynamoClient, makeTable, putItems, startDynamo } from '@kappa/gateway/testing-dynamodb';
import {
  kinesisClient,
  kinesisContract,
  makeStream,
  openTestStream,
  putRecords,
  removeStream,
} from '@kappa/gateway/testing-kinesis';
import { eventually } from '../src/eventually.ts';
import { Moto } from '../src/moto.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Kinesis (moto) and streams of DynamoDB (DynamoDB Local) as event sources in local mode. The function appends to a file what it gets.
 */

const LIMIT_MS = 90_000;
const code = `
import { appendFileSync } from 'node:fs';
export const handler = async ({ Records }) => {
  const got = Records.map(({ kinesis, dynamodb }) => {
    const body = kinesis ? Buffer.from(kinesis.data, 'base64').toString() : dynamodb.NewImage.body.S;
    return { body, key: kinesis ? kinesis.partitionKey : dynamodb.Keys.id.S };
  });
  if (got.some(({ body }) => body.startsWith('poison'))) throw new Error('on purpose');
  appendFileSync(process.env.MARK, got.map((each) => JSON.stringify(each) + '\\n').join(''));
};
`;

let moto: Moto;
let dynamoServer: Awaited<ReturnType<typeof startDynamo>>;
let kinesis: ReturnType<typeof kinesisClient>;
let dynamo: ReturnType<typeof dynamoClient>;
let queues: SQSClient;
let lambda: LambdaClient;
let kappa: TestPlatform;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-streams-'));
  moto = await Moto.start();
  dynamoServer = await startDynamo();
  const dynamoUrl = `http://127.0.0.1:${dynamoServer.port}`;
  const environment = {
    KAPPA_AWS_ENDPOINTS: JSON.stringify({
      AWS_ENDPOINT_URL_KINESIS: moto.url,
      AWS_ENDPOINT_URL_SQS: moto.url,
      AWS_ENDPOINT_URL_DYNAMODB_STREAMS: dynamoUrl,
    }),
    KAPPA_SHIP_ACCESS_KEY_ID: 'test',
    KAPPA_SHIP_SECRET_ACCESS_KEY: 'test',
  };
  kappa = await startTestPlatform({ examples: false, environment });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  lambda = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials });
  queues = new SQSClient({ endpoint: moto.url, region: 'us-east-1', credentials });
  kinesis = kinesisClient(moto.url);
  dynamo = dynamoClient(dynamoUrl);
}, 600_000);
afterAll(async () => {
  for (const client of [lambda, queues, kinesis, dynamo]) client?.destroy();
  await kappa?.stop();
  await dynamoServer?.stop();
  await moto?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function makeFunction(name: string): Promise<void> {
  await kappa.applyReady({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name },
    spec: {
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { inline: { files: [{ path: 'index.mjs', content: code }] } },
      environment: [{ name: 'MARK', value: join(folder, name) }],
    },
  });
}

/** A function of this name, and a mapping from the stream's beginning. */
async function map(name: string, arn: string, more: Partial<CreateEventSourceMappingCommandInput>): Promise<void> {
  await makeFunction(name);
  const input = { FunctionName: name, EventSourceArn: arn, StartingPosition: 'TRIM_HORIZON', ...more } as const;
  await lambda.send(new CreateEventSourceMappingCommand(input));
}

/** The same by kubectl: the Lambda API has no regions like DynamoDB Local's. */
async function mapByHand(name: string, eventSourceArn: string, more: object): Promise<void> {
  await makeFunction(name);
  await kappa.kubectl.apply({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'EventSourceMapping',
    metadata: { name },
    spec: { functionName: name, eventSourceArn, startingPosition: 'TRIM_HORIZON', ...more },
  });
}

interface Got {
  readonly body: string;
  readonly key: string;
}

/** Records that the function took, in that order. */
function gotBy(name: string): readonly Got[] {
  try {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

async function untilGot(name: string, count: number): Promise<readonly Got[]> {
  const bodies = (): number => new Set(gotBy(name).map(({ body }) => body)).size;
  await eventually(`${name} got ${count}`, async () => bodies() >= count, LIMIT_MS).catch((cause: unknown) => {
    throw new Error(`it got ${bodies()}; the platform said:\n${kappa.lines.slice(-60).join('\n')}`, { cause });
  });
  return gotBy(name);
}

/** Each key's records came in the order in which they were put. */
function expectOrder(got: readonly Got[], sent: readonly Got[]): void {
  const bodiesByKey = (all: readonly Got[]): object =>
    Object.fromEntries(
      [...Map.groupBy(all, ({ key }) => key)].map(([key, some]) => [key, [...new Set(some.map(({ body }) => body))]]),
    );
  expect(bodiesByKey(got)).toEqual(bodiesByKey(sent));
}

const thousand: readonly Got[] = Array.from({ length: 1_000 }, (_, at) => ({ body: `${at}`, key: `key-${at % 20}` }));

kinesisContract(() => ({ endpoint: moto.url, client: kinesis }));

test(
  'a record of Kinesis as on Lambda, and what a record of failure says of it',
  async () => {
    const arn = await makeStream(kinesis, 'shape');
    await putRecords(kinesis, 'shape', ['{"total":5}'], () => 'customer');
    const stream = await openTestStream(moto.url, arn);
    const [shard = { id: '', parents: [] }] = await stream.shards();
    const signal = new AbortController().signal;
    const { records } = await stream.read({ shard, from: { kind: 'start' }, max: 1, waitMs: 0, signal });
    const [record] = records;
    const sequenceNumber = record?.id ?? '';
    expect(JSON.parse(stream.eventOf(shard, records, {}))).toEqual({
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: 'customer',
            sequenceNumber,
            data: Buffer.from('{"total":5}').toString('base64'),
            approximateArrivalTimestamp: (record?.arrivedMs ?? 0) / 1_000,
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: `${shard.id}:${sequenceNumber}`,
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: expect.stringMatching(/^arn:aws:iam::\d{12}:role\//),
          awsRegion: 'us-east-1',
          eventSourceARN: arn,
        },
      ],
    });
    expect(record?.filterable().data).toEqual({ data: '{"total":5}' });
    const at = new Date(record?.arrivedMs ?? 0).toISOString();
    const range = { startSequenceNumber: sequenceNumber, endSequenceNumber: sequenceNumber };
    expect(stream.infoOf(shard, records)).toEqual([
      'KinesisBatchInfo',
      {
        shardId: shard.id,
        ...range,
        approximateArrivalOfFirstRecord: at,
        approximateArrivalOfLastRecord: at,
        batchSize: 1,
        streamArn: arn,
      },
    ]);
    await stream.close();
  },
  LIMIT_MS,
);

test(
  'a stream of Kinesis that is not there, and one that goes while it is read: told',
  async () => {
    await expect(openTestStream(moto.url, 'arn:aws:kinesis:us-east-1:123456789012:stream/none')).rejects.toMatchObject({
      reason: 'SourceNotFound',
    });
    await expect(openTestStream(moto.url, 'arn:aws:kinesis:us-east-1:123456789012:none')).rejects.toMatchObject({
      reason: 'InvalidSource',
    });
    const stream = await openTestStream(moto.url, await makeStream(kinesis, 'going'));
    await removeStream(kinesis, 'going');
    await expect(stream.shards()).rejects.toMatchObject({ reason: 'SourceNotFound' });
    await stream.close();
  },
  LIMIT_MS,
);

test(
  'Kinesis is read from a time on, and one to come is no mistake',
  async () => {
    const stream = await openTestStream(moto.url, await makeStream(kinesis, 'times'));
    const [shard = { id: '', parents: [] }] = await stream.shards();
    const signal = new AbortController().signal;
    const read = async (ms: number): Promise<readonly number[]> => {
      const { records } = await stream.read({ shard, from: { kind: 'since', ms }, max: 100, waitMs: 0, signal });
      return records.map(({ arrivedMs }) => arrivedMs);
    };
    await putRecords(kinesis, 'times', ['old'], () => 'key');
    const [oldMs = 0] = await read(0);
    await eventually('its clock has moved', async () => Date.now() > oldMs + 1, LIMIT_MS);
    await putRecords(kinesis, 'times', ['new'], () => 'key');
    const [, newMs = 0] = await read(oldMs);
    expect(newMs).toBeGreaterThan(oldMs);
    expect(await read(newMs)).toEqual([newMs]);
    expect(await read(Date.now() + 3_600_000)).toEqual([]);
    await stream.close();
  },
  LIMIT_MS,
);

test('1,000 records of Kinesis: every one is given to the function, each key in its order', async () => {
  const arn = await makeStream(kinesis, 'many', 2);
  const keys = new Map(thousand.map(({ body, key }) => [body, key]));
  await putRecords(kinesis, 'many', [...keys.keys()], (body) => keys.get(body) ?? '');
  await map('kinesis-many', arn, { BatchSize: 50, ParallelizationFactor: 2 });
  expectOrder(await untilGot('kinesis-many', 1_000), thousand);
}, 240_000);

test('a poison record of Kinesis is found by halves and told to the destination; the others run', async () => {
  const arn = await makeStream(kinesis, 'poison');
  const { QueueUrl = '' } = await queues.send(new CreateQueueCommand({ QueueName: 'told' }));
  await map('kinesis-poison', arn, {
    BatchSize: 100,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 1,
    DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:123456789012:told' } },
  });
  const bodies = Array.from({ length: 40 }, (_, at) => (at === 17 ? 'poison' : `fine ${at}`));
  await putRecords(kinesis, 'poison', bodies, () => 'key');
  const got = await untilGot('kinesis-poison', 39);
  expect(new Set(got.map(({ body }) => body))).toEqual(new Set(bodies.filter((body) => body !== 'poison')));
  let told = '';
  await eventually(
    'the destination is told',
    async () => {
      const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
      told = Messages[0]?.Body ?? '';
      return told !== '';
    },
    LIMIT_MS,
  );
  expect(JSON.parse(told)).toMatchObject({
    requestContext: { condition: 'RetryAttemptsExhausted' },
    KinesisBatchInfo: { batchSize: 1, startSequenceNumber: '18', endSequenceNumber: '18', streamArn: arn },
  });
}, 240_000);

test('1,000 changes of a table: every one is given to the function, each item in its order', async () => {
  const arn = await makeTable(dynamo, 'many');
  for (let at = 0; at < thousand.length; at += 20)
    await putItems(
      dynamo,
      'many',
      thousand.slice(at, at + 20).map(({ body, key }) => ({ id: { S: key }, body: { S: body } })),
    );
  await mapByHand('dynamo-many', arn, { batchSize: 50, parallelizationFactor: 2 });
  expectOrder(await untilGot('dynamo-many', 1_000), thousand);
}, 240_000);

test('a poison change of a table is found by halves and dropped after its tries; the others run', async () => {
  const arn = await makeTable(dynamo, 'poison');
  await mapByHand('dynamo-poison', arn, { batchSize: 100, bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 });
  const bodies = Array.from({ length: 40 }, (_, at) => (at === 17 ? 'poison' : `fine ${at}`));
  await putItems(
    dynamo,
    'poison',
    bodies.map((body, at) => ({ id: { S: `item-${at}` }, body: { S: body } })),
  );
  await untilGot('dynamo-poison', 39);
  await putItems(dynamo, 'poison', [{ id: { S: 'item-1' }, body: { S: 'after' } }]);
  const got = await untilGot('dynamo-poison', 40);
  expect(got.at(-1)).toEqual({ body: 'after', key: 'item-1' });
}, 240_000);
