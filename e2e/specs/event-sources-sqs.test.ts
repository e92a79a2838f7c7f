import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { elasticMqArn, startElasticMq } from '@kappa/gateway/testing-elasticmq';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Queues of SQS (ElasticMQ) as event sources in local mode, from the mapping to the deleted message. The function appends to a file what it gets.
 */

const LIMIT_MS = 60_000;
const code = `
import { appendFileSync } from 'node:fs';
export const handler = async ({ Records }, { awsRequestId }) => {
  const got = Records.map(({ messageId, body, attributes, eventSourceARN }) => ({
    messageId, body, receives: attributes.ApproximateReceiveCount, eventSourceARN, awsRequestId,
  }));
  appendFileSync(process.env.MARK, got.map((each) => JSON.stringify(each) + '\\n').join(''));
  const bodies = Records.map(({ body }) => body);
  if (bodies.some((body) => body.startsWith('slow'))) await new Promise((resolve) => setTimeout(resolve, 300));
  if (bodies.some((body) => body.startsWith('throw'))) throw new Error('on purpose');
  const failed = Records.filter(({ body }) => body.startsWith('fail')).map(({ messageId }) => ({ itemIdentifier: messageId }));
  return { batchItemFailures: failed };
};
`;

let server: Awaited<ReturnType<typeof startElasticMq>>;
let kappa: TestPlatform;
let lambda: LambdaClient;
let queues: SQSClient;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-sqs-'));
  server = await startElasticMq();
  const endpoint = `http://127.0.0.1:${server.port}`;
  const environment = {
    KAPPA_AWS_ENDPOINTS: JSON.stringify({ AWS_ENDPOINT_URL_SQS: endpoint }),
    KAPPA_SHIP_ACCESS_KEY_ID: 'test',
    KAPPA_SHIP_SECRET_ACCESS_KEY: 'test',
  };
  kappa = await startTestPlatform({ examples: false, environment });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  lambda = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials });
  queues = new SQSClient({ endpoint, region: 'us-east-1', credentials });
}, 600_000);
afterAll(async () => {
  lambda?.destroy();
  queues?.destroy();
  await kappa?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function makeQueue(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
  const Attributes = { VisibilityTimeout: '2', ...attributes };
  const { QueueUrl = '' } = await queues.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  return QueueUrl;
}

/** With a dead-letter queue of its own, NAME-dead. */
async function makeQueueWithDead(name: string, maxReceiveCount: number): Promise<{ url: string; dead: string }> {
  const dead = await makeQueue(`${name}-dead`);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: elasticMqArn(`${name}-dead`), maxReceiveCount });
  return { url: await makeQueue(name, { RedrivePolicy }), dead };
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

async function map(name: string, more: Partial<CreateEventSourceMappingCommandInput> = {}): Promise<string> {
  const input = { FunctionName: name, EventSourceArn: elasticMqArn(name), ...more };
  const { UUID = '' } = await lambda.send(new CreateEventSourceMappingCommand(input));
  return UUID;
}

async function send(url: string, bodies: readonly string[]): Promise<void> {
  for (let at = 0; at < bodies.length; at += 10) {
    const Entries = bodies.slice(at, at + 10).map((MessageBody, place) => ({ Id: `${place}`, MessageBody }));
    await queues.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
  }
}

interface Run {
  readonly messageId: string;
  readonly body: string;
  readonly receives: string;
  readonly eventSourceARN: string;
  readonly awsRequestId: string;
}

/** Records that the function got, in that order. */
function runsOf(name: string): readonly Run[] {
  try {
    return readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** Messages that are there, seen or not. */
async function sizeOf(url: string): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await queues.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...AttributeNames] }),
  );
  return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}

const isEmpty = (url: string): Promise<void> =>
  eventually(`${url} is empty`, async () => (await sizeOf(url)) === 0, LIMIT_MS).then(
    () => undefined,
    (cause: unknown) => {
      throw new Error(`the platform said:\n${kappa.lines.slice(-60).join('\n')}`, { cause });
    },
  );

test('1,000 messages: every one is given to the function, in batches, and deleted', async () => {
  const url = await makeQueue('many');
  await makeFunction('many');
  await map('many', { BatchSize: 10 });
  const bodies = Array.from({ length: 1_000 }, (_, at) => `message ${at}`);
  await send(url, bodies);
  await isEmpty(url);
  const runs = runsOf('many');
  expect(new Set(runs.map(({ body }) => body))).toEqual(new Set(bodies));
  expect(runs[0]).toMatchObject({ eventSourceARN: elasticMqArn('many'), receives: '1' });
  expect(new Set(runs.map(({ awsRequestId }) => awsRequestId)).size).toBeLessThan(runs.length);
}, 240_000);

test('what the function names as failed comes back and goes to the dead-letter queue; the others run once', async () => {
  const { url, dead } = await makeQueueWithDead('partial', 3);
  await makeFunction('partial');
  await map('partial', { FunctionResponseTypes: ['ReportBatchItemFailures'] });
  await send(url, ['fine 1', 'fail', 'fine 2']);
  await eventually('it is in the dead-letter queue', async () => (await sizeOf(dead)) === 1, LIMIT_MS);
  await isEmpty(url);
  const runs = runsOf('partial').map(({ body }) => body);
  expect(runs.filter((body) => body === 'fail')).toHaveLength(3);
  expect(runs.filter((body) => body !== 'fail').sort()).toEqual(['fine 1', 'fine 2']);
}, 240_000);

test('a batch that fails as a whole comes back as a whole, and a filter lets the rest be', async () => {
  const { url, dead } = await makeQueueWithDead('whole', 2);
  await makeFunction('whole');
  const Filters = [{ Pattern: JSON.stringify({ body: [{ prefix: 'throw' }] }) }];
  await map('whole', { FilterCriteria: { Filters } });
  await send(url, ['throw', 'not wanted']);
  await eventually('it is in the dead-letter queue', async () => (await sizeOf(dead)) === 1, LIMIT_MS);
  await isEmpty(url);
  expect(runsOf('whole').map(({ body }) => body)).toEqual(['throw', 'throw']);
}, 240_000);

test('a function with a concurrency of one: messages wait, and none of them is given up for that', async () => {
  const { url, dead } = await makeQueueWithDead('narrow', 1);
  await makeFunction('narrow');
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'narrow', ReservedConcurrentExecutions: 1 }));
  await map('narrow', { BatchSize: 1 });
  const bodies = Array.from({ length: 30 }, (_, at) => `slow ${at}`);
  await send(url, bodies);
  await isEmpty(url);
  expect(await sizeOf(dead)).toBe(0);
  expect(
    runsOf('narrow')
      .map(({ body }) => body)
      .sort(),
  ).toEqual([...bodies].sort());
}, 240_000);

test('a mapping by kubectl, switched off and on, and gone', async () => {
  const url = await makeQueue('by-hand');
  await makeFunction('by-hand');
  const mapping = (enabled: boolean): object => ({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'EventSourceMapping',
    metadata: { name: 'by-hand' },
    spec: { functionName: 'by-hand', eventSourceArn: elasticMqArn('by-hand'), enabled },
  });
  await kappa.kubectl.apply(mapping(true));
  await send(url, ['first']);
  await isEmpty(url);
  await kappa.kubectl.apply(mapping(false));
  await send(url, ['second']);
  await kappa.kubectl.apply(mapping(true));
  await isEmpty(url);
  await kappa.kubectl.ok(['delete', 'esm', 'by-hand']);
  expect(runsOf('by-hand').map(({ body }) => body)).toEqual(['first', 'second']);
}, 240_000);

test('a gateway that is killed in the middle loses nothing', async () => {
  const url = await makeQueue('killed');
  await makeFunction('killed');
  const UUID = await map('killed', { BatchSize: 1 });
  const bodies = Array.from({ length: 60 }, (_, at) => `slow ${at}`);
  await send(url, bodies);
  await eventually('some have run', async () => runsOf('killed').length >= 5, LIMIT_MS);
  await kappa.kill('gateway');
  await kappa.start('gateway');
  await isEmpty(url);
  expect(new Set(runsOf('killed').map(({ body }) => body))).toEqual(new Set(bodies));
  await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
}, 240_000);

test('a queue that is not there is told, and read as soon as it is; states as on Lambda', async () => {
  await makeFunction('late');
  const UUID = await map('late');
  const get = () => lambda.send(new GetEventSourceMappingCommand({ UUID }));
  const became = (what: object) =>
    eventually(
      `it is ${JSON.stringify(what)}`,
      async () => {
        const found = await get();
        expect(found).toMatchObject(what);
        return true;
      },
      LIMIT_MS,
    );
  await became({
    State: 'Enabled',
    StateTransitionReason: expect.stringContaining('late'),
    LastProcessingResult: expect.stringMatching(/^PROBLEM: .*late/),
  });
  const url = await makeQueue('late');
  await send(url, ['first']);
  await isEmpty(url);
  await became({ State: 'Enabled', StateTransitionReason: 'USER_INITIATED', LastProcessingResult: 'OK' });
  expect(await lambda.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 5 }))).toMatchObject({
    State: 'Updating',
    BatchSize: 5,
  });
  await became({ State: 'Enabled', BatchSize: 5 });
  const { State } = await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
  expect(State).toBe('Disabling');
  await became({ State: 'Disabled' });
  const told = ['Normal Disabled', 'Normal Polling', 'Warning SourceNotFound'];
  await eventually('its events are there', async () => {
    const { items } = await kappa.kubectl.json<{ items: Told[] }>(['events.events.k8s.io']);
    const found = items
      .filter(({ regarding }) => regarding.uid === UUID)
      .map(({ type, reason }) => `${type} ${reason}`);
    expect([...new Set(found)].sort()).toEqual(told);
    return true;
  });
  expect(await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))).toMatchObject({ State: 'Deleting' });
  await expect(get()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
}, 240_000);

interface Told {
  readonly regarding: { readonly uid: string };
  readonly type: string;
  readonly reason: string;
}
