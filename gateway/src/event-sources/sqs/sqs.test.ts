import {
  CreateQueueCommand,
  DeleteQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { mappingView } from '../mapping/testing-view.ts';
import type { QueueMessage } from '../record.ts';
import type { OpenQueue } from '../source.ts';
import { queueContract } from '../source-contract.ts';
import { openDeps } from '../testing-open.ts';
import { freePort, type TestServer } from '../testing-servers.ts';
import { sqs, sqsTraits } from './source.ts';
import { elasticMqArn, startElasticMq } from './testing-elasticmq.ts';

/*
 * SQS on ElasticMQ, a real server of its protocol.
 */

const installMs = 600_000;
let server: TestServer;
let client: SQSClient;
let queues = 0;
const endpoint = (): string => `http://127.0.0.1:${server.port}`;

beforeAll(async () => {
  server = await startElasticMq();
  client = new SQSClient({ ...openDeps(endpoint()).aws('', ''), maxAttempts: 5 });
}, installMs);
afterAll(async () => {
  client?.destroy();
  await server?.stop();
});

interface Made {
  readonly url: string;
  readonly queue: OpenQueue;
}

async function open(name: string): Promise<OpenQueue> {
  const opened = await sqs.open(mappingView({ eventSourceArn: elasticMqArn(name) }), openDeps(endpoint()));
  if (opened.kind !== 'queue') throw new Error('no queue');
  return opened;
}

async function make(attributes: Readonly<Record<string, string>> = {}, suffix = ''): Promise<Made> {
  queues += 1;
  const name = `queue-${queues}${suffix}`;
  const { QueueUrl: url = '' } = await client.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '1', ...attributes } }),
  );
  return { url, queue: await open(name) };
}

queueContract('SQS', {
  traits: sqsTraits,
  bodyOf: ({ body }) => String(body),
  start: async () => {
    const { url, queue } = await make();
    return {
      queue,
      send: async (...bodies) => {
        for (let at = 0; at < bodies.length; at += 10) {
          const Entries = bodies.slice(at, at + 10).map((MessageBody, place) => ({ Id: `${place}`, MessageBody }));
          await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
        }
      },
      pass: async () => undefined,
      end: async () => void (await client.send(new DeleteQueueCommand({ QueueUrl: url }))),
    };
  },
});

async function receiveOne(queue: OpenQueue): Promise<QueueMessage> {
  for (;;) {
    const [message] = await queue.receive({ max: 1, waitMs: 1_000, signal: new AbortController().signal });
    if (message !== undefined) return message;
  }
}

test('a message as a function gets it, of a FIFO queue with attributes and a trace', async () => {
  const { url, queue } = await make({ FifoQueue: 'true', ContentBasedDeduplication: 'true' }, '.fifo');
  await client.send(
    new SendMessageCommand({
      QueueUrl: url,
      MessageBody: 'hello',
      MessageGroupId: 'group',
      MessageAttributes: {
        n: { DataType: 'Number', StringValue: '5' },
        b: { DataType: 'Binary', BinaryValue: Buffer.from('x') },
      },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-5e-ab' } },
    }),
  );
  const message = await receiveOne(queue);
  const { Records } = JSON.parse(queue.eventOf([message]));
  expect(Records).toEqual([
    {
      messageId: message.id,
      receiptHandle: message.handle,
      body: 'hello',
      attributes: expect.objectContaining({
        ApproximateReceiveCount: '1',
        SentTimestamp: String(message.arrivedMs),
        MessageGroupId: 'group',
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d+$/),
      }),
      messageAttributes: {
        n: { stringValue: '5', stringListValues: [], binaryListValues: [], dataType: 'Number' },
        b: { binaryValue: 'eA==', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
      },
      md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
      md5OfBody: '5d41402abc4b2a76b9719d911017c592',
      eventSource: 'aws:sqs',
      eventSourceARN: expect.stringMatching(/^arn:aws:sqs:us-east-1:000000000000:queue-\d+\.fifo$/),
      awsRegion: 'us-east-1',
    },
  ]);
  expect(message).toMatchObject({ key: 'group', receives: 1, traceId: 'Root=1-5e-ab' });
  await queue.close();
}, 60_000);

test('who left it too often finds it in the dead-letter queue of the queue, and who only held it does not', async () => {
  const dead = await make();
  const redrive = { deadLetterTargetArn: elasticMqArn(dead.url.split('/').at(-1) ?? ''), maxReceiveCount: 2 };
  const { url, queue } = await make({ RedrivePolicy: JSON.stringify(redrive) });
  await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'poison' }));
  const first = await receiveOne(queue);
  for (let times = 0; times < 5; times += 1) expect(await queue.settle([first], 'hold')).toEqual([]);
  expect(await queue.settle([first], 'leave')).toEqual([]);
  const second = await receiveOne(queue);
  expect(second.receives).toBe(2);
  await queue.settle([second], 'leave');
  const gone = receiveOne(dead.queue);
  // The server moves it when somebody asks for it once more.
  expect(await queue.receive({ max: 1, waitMs: 3_000, signal: new AbortController().signal })).toEqual([]);
  expect((await gone).id).toBe(first.id);
  await queue.close();
  await dead.queue.close();
}, 60_000);

test('a time-out that the queue gets while it is polled lets nobody else have what is held', async () => {
  const { url, queue } = await make({ VisibilityTimeout: '300' });
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '0' } }));
  await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'a' }));
  const message = await receiveOne(queue);
  expect(await queue.receive({ max: 1, waitMs: 0, signal: new AbortController().signal })).toEqual([]);
  expect(await queue.settle([message], 'delete')).toEqual([]);
  await queue.close();
}, 60_000);

test('an old handle is told as failed, the others are settled', async () => {
  const { url, queue } = await make();
  await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'a' }));
  const message = await receiveOne(queue);
  const other = { ...message, handle: 'none of this queue' };
  expect(await queue.settle([other, message], 'delete')).toEqual([other]);
  await queue.close();
}, 60_000);

test.each<[reason: string, arn: string, problem: string]>([
  ['no such queue', 'arn:aws:sqs:us-east-1:000000000000:none', 'SourceNotFound'],
  ['no queue', 'arn:aws:sqs:us-east-1', 'InvalidSource'],
])(
  '%s',
  async (_reason, eventSourceArn, reason) => {
    await expect(sqs.open(mappingView({ eventSourceArn }), openDeps(endpoint()))).rejects.toMatchObject({ reason });
  },
  60_000,
);

test('nobody there', async () => {
  const address = `http://user:secret@127.0.0.1:${await freePort()}`;
  const problem = await sqs
    .open(mappingView({ eventSourceArn: elasticMqArn('q') }), openDeps(address))
    .catch((error: unknown) => error);
  expect(problem).toMatchObject({ reason: 'Unreachable' });
  expect(String(problem)).not.toContain('secret');
}, 60_000);

test('a queue that is deleted while it is polled', async () => {
  const { url, queue } = await make();
  await client.send(new DeleteQueueCommand({ QueueUrl: url }));
  await expect(queue.receive({ max: 1, waitMs: 0, signal: new AbortController().signal })).rejects.toMatchObject({
    reason: 'SourceNotFound',
  });
  await queue.close();
}, 60_000);
