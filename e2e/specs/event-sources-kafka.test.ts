import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestKafka, testUsers } from '@kappa/gateway/testing-kafka';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Topics of Kafka 4.1 as event sources in local mode, from the mapping to the lag that the group shows. The function appends to a file what it gets.
 */

const LIMIT_MS = 120_000;
const code = `
import { appendFileSync } from 'node:fs';
export const handler = async ({ records, eventSource }, { awsRequestId }) => {
  const got = Object.values(records).flat().map(({ partition, offset, value }) => ({
    partition, offset, body: Buffer.from(value, 'base64').toString(), eventSource, awsRequestId,
  }));
  appendFileSync(process.env.MARK, got.map((each) => JSON.stringify(each) + '\\n').join(''));
  if (got.some(({ body }) => body.startsWith('slow'))) await new Promise((resolve) => setTimeout(resolve, 200));
  if (got.some(({ body }) => body.includes('throw'))) throw new Error('on purpose');
  const failed = got.filter(({ body }) => body.includes('fail'));
  const [topicPartition] = Object.keys(records);
  return { batchItemFailures: failed.map(({ offset }) => ({ itemIdentifier: { partition: topicPartition, offset } })) };
};
`;

let broker: TestKafka;
let admin: ReturnType<TestKafka['admin']>;
let producer: ReturnType<TestKafka['producer']>;
let kappa: TestPlatform;
let lambda: LambdaClient;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-kafka-spec-'));
  broker = await TestKafka.start();
  admin = broker.admin();
  producer = broker.producer();
  kappa = await startTestPlatform({ examples: false });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  lambda = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials });
}, 600_000);
afterAll(async () => {
  lambda?.destroy();
  await admin?.close();
  await producer?.close();
  await kappa?.stop();
  await broker?.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function makeTopic(topic: string, partitions = 1): Promise<void> {
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  const wanted = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }));
  const isThere = (): Promise<boolean> =>
    admin.listOffsets({ topics: [{ name: topic, partitions: wanted }] }).then(
      () => true,
      () => false,
    );
  await eventually(`there is the topic ${topic}`, isThere, LIMIT_MS);
}

/** Each text into a partition, by its place in the list. */
async function put(topic: string, bodies: readonly string[], partitions = 1): Promise<void> {
  const messages = bodies.map((body, at) => ({ topic, partition: at % partitions, value: Buffer.from(body) }));
  for (let at = 0; at < messages.length; at += 1_000) await producer.send({ messages: messages.slice(at, at + 1_000) });
}

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

/** Function, topic and group have one name. */
async function map(name: string, more: Partial<CreateEventSourceMappingCommandInput> = {}): Promise<void> {
  const input = {
    FunctionName: name,
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [broker.address] } },
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: name },
    Topics: [name],
    StartingPosition: 'TRIM_HORIZON' as const,
    ...more,
  };
  await lambda.send(new CreateEventSourceMappingCommand(input));
}

interface Run {
  readonly partition: number;
  readonly offset: number;
  readonly body: string;
  readonly eventSource: string;
  readonly awsRequestId: string;
}

/** Records that the function got, in that order. */
function runsOf(name: string): readonly Run[] {
  try {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

const bodiesOf = (name: string): readonly string[] => runsOf(name).map(({ body }) => body);

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(what, async () => holds(), LIMIT_MS).catch((cause: unknown) => {
    throw new Error(`the platform said:\n${kappa.lines.slice(-60).join('\n')}`, { cause });
  });
}

/** What the group has not read yet, of all partitions. */
async function lagOf(topic: string): Promise<number> {
  const [group] = await admin.listConsumerGroupOffsets({ groups: [topic] });
  const ends = await admin.listOffsets({
    topics: [{ name: topic, partitions: await partitionsOf(topic) }],
  });
  const read = new Map(
    group?.topics.flatMap(({ partitions }) => partitions.map((one) => [one.partitionIndex, one.committedOffset])),
  );
  const all = ends.flatMap(({ partitions }) => partitions);
  return all.reduce((sum, { partitionIndex, offset }) => sum + Number(offset - (read.get(partitionIndex) ?? 0n)), 0);
}

async function partitionsOf(topic: string): Promise<{ partitionIndex: number; timestamp: bigint }[]> {
  const { topics } = await admin.metadata({ topics: [topic] });
  const count = topics.get(topic)?.partitionsCount ?? 0;
  return Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }));
}

const isRead = (topic: string): Promise<void> => until(`${topic} is read`, async () => (await lagOf(topic)) === 0);

test('10,000 records of four partitions: every one, in the order of its partition, and the group shows it', async () => {
  await makeTopic('many', 4);
  await makeFunction('many');
  const bodies = Array.from({ length: 10_000 }, (_, at) => `record ${at}`);
  await put('many', bodies, 4);
  await map('many', { BatchSize: 100 });
  await isRead('many');
  const runs = runsOf('many');
  expect(new Set(runs.map(({ body }) => body))).toEqual(new Set(bodies));
  for (let partition = 0; partition < 4; partition += 1) {
    // A gateway that stands still for seconds may run its last batch again: the first time counts.
    const offsets = new Set(runs.filter((run) => run.partition === partition).map(({ offset }) => offset));
    expect([...offsets]).toEqual(Array.from({ length: 2_500 }, (_, at) => at));
  }
  expect(runs[0]).toMatchObject({ eventSource: 'SelfManagedKafka' });
  const sizes = new Map<string, number>();
  for (const { awsRequestId } of runs) sizes.set(awsRequestId, (sizes.get(awsRequestId) ?? 0) + 1);
  expect(Math.max(...sizes.values())).toBe(100);
}, 400_000);

test('records that the function names as failed are given up after their tries, into another topic; the others run on', async () => {
  await makeTopic('partial');
  await makeTopic('partial-dead');
  await makeFunction('partial');
  await put('partial', ['fine 1', 'fail', 'fine 2']);
  await map('partial', {
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 1,
    DestinationConfig: { OnFailure: { Destination: 'kafka://partial-dead' } },
  });
  await isRead('partial');
  expect(bodiesOf('partial').filter((body) => body === 'fine 1')).toHaveLength(1);
  expect(bodiesOf('partial')).toContain('fine 2');
  await makeFunction('partial-dead');
  await map('partial-dead');
  await until('the letter is read', () => bodiesOf('partial-dead').length > 0);
  expect(bodiesOf('partial-dead').map((body) => JSON.parse(body))).toEqual([
    expect.objectContaining({
      requestContext: expect.objectContaining({ condition: 'RetryAttemptsExhausted' }),
      KafkaBatchInfo: expect.objectContaining({ batchSize: 1, recordInfo: expect.objectContaining({ offset: '1' }) }),
      payload: expect.objectContaining({ records: { 'partial-0': [expect.objectContaining({ offset: 1 })] } }),
    }),
  ]);
}, 400_000);

test('a batch with a poison record is halved until it is alone, and given up; a filter lets the rest be', async () => {
  await makeTopic('poison');
  await makeFunction('poison');
  await put('poison', ['{"n":1}', '{"n":2,"throw":1}', '{"n":3}', '{"n":4}', '{"skip":1}']);
  await map('poison', {
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    FilterCriteria: { Filters: [{ Pattern: JSON.stringify({ value: { n: [{ numeric: ['>', 0] }] } }) }] },
  });
  await isRead('poison');
  const last = new Map(runsOf('poison').map((run) => [run.offset, run]));
  expect([...last.keys()].sort()).toEqual([0, 1, 2, 3]);
}, 400_000);

test('a gateway that is killed in the middle loses nothing, and a broker that is killed neither', async () => {
  await makeTopic('killed', 2);
  await makeFunction('killed');
  const bodies = Array.from({ length: 80 }, (_, at) => `slow ${at}`);
  await put('killed', bodies, 2);
  await map('killed', { BatchSize: 2 });
  await until('some have run', () => runsOf('killed').length >= 10);
  await kappa.kill('gateway');
  await kappa.start('gateway');
  await until('more have run', () => runsOf('killed').length >= 40);
  await broker.stop();
  await broker.restart();
  await isRead('killed');
  expect(new Set(bodiesOf('killed'))).toEqual(new Set(bodies));
}, 400_000);

test('a topic that is not there yet: told, and read when it is', async () => {
  await makeFunction('later');
  await map('later');
  await until('it is told', async () => {
    const text = await kappa.kubectl.ok(['get', 'esm', '-o', 'json']);
    return text.includes('SourceNotFound');
  });
  await makeTopic('later');
  await put('later', ['here']);
  await isRead('later');
  expect(bodiesOf('later')).toEqual(['here']);
}, 400_000);

test('a mapping by kubectl, logged in over TLS with a Secret, switched off and on', async () => {
  await makeTopic('by-hand');
  await makeFunction('by-hand');
  const members = { ...testUsers.member, 'ca.crt': broker.caCertificate };
  const data = Object.entries(members).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  await kappa.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'kafka-user' },
    data: Object.fromEntries(data),
  });
  const mapping = (enabled: boolean): object => ({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'EventSourceMapping',
    metadata: { name: 'by-hand' },
    spec: {
      functionName: 'by-hand',
      selfManaged: { bootstrapServers: [broker.securedAddress] },
      topics: ['by-hand'],
      startingPosition: 'TRIM_HORIZON',
      kafka: { consumerGroupId: 'by-hand' },
      sourceAccessConfigurations: [{ type: 'SASL_SCRAM_512_AUTH', uri: 'secret://kafka-user' }],
      enabled,
    },
  });
  await kappa.kubectl.apply(mapping(true));
  await put('by-hand', ['first']);
  await isRead('by-hand');
  await kappa.kubectl.apply(mapping(false));
  const stateOf = (): Promise<string> => kappa.kubectl.ok(['get', 'esm', 'by-hand', '-o', 'jsonpath={.status.state}']);
  await until('it is switched off', async () => (await stateOf()) === 'Disabled');
  await put('by-hand', ['second']);
  await kappa.kubectl.apply(mapping(true));
  await isRead('by-hand');
  expect(bodiesOf('by-hand')).toEqual(['first', 'second']);
}, 400_000);
