import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Connection, type Envelope } from 'rabbitmq-client';

import type { AddressGuard } from '../address-guard.ts';
import { recordFilter } from '../filter/record-filter.ts';
import { mappingView } from '../mapping/testing-view.ts';
import type { QueueMessage } from '../record.ts';
import type { OpenQueue } from '../source.ts';
import { queueContract } from '../source-contract.ts';
import { SourceProblem } from '../source-problem.ts';
import { openDeps } from '../testing-open.ts';
import { freePort } from '../testing-servers.ts';
import { type Wire, wireTo } from '../testing-wire.ts';
import { rabbitmq } from './source.ts';
import { rabbitUser, TestRabbit } from './testing-rabbitmq.ts';

/*
 * RabbitMQ itself, as Debian has it.
 */

const arn = 'arn:aws:mq:us-east-1:000000000000:broker:orders:b-1';
let server: TestRabbit;
/** Of who sends, in the virtual host `shop`. */
let client: Connection;
let queues = 0;
const opened: OpenQueue[] = [];
beforeAll(async () => {
  server = await TestRabbit.start();
  client = new Connection({
    hosts: [server.address.slice(7)],
    ...rabbitUser,
    vhost: 'shop',
    retryLow: 100,
    retryHigh: 500,
  });
  client.on('error', () => undefined);
}, 600_000);
afterEach(async () => {
  for (const queue of opened.splice(0)) await queue.close();
});
afterAll(async () => {
  client?.unsafeDestroy();
  await server?.stop();
}, 60_000);

const user = { type: 'BASIC_AUTH', uri: 'secret://user' } as const;
const shop = { type: 'VIRTUAL_HOST', uri: 'shop' } as const;

async function open(
  name: string,
  more: object = {},
  secret: Readonly<Record<string, string>> = rabbitUser,
  guard = openDeps('').guard,
) {
  const sourceAccessConfigurations = [user, shop];
  const spec = { eventSourceArn: arn, servers: [server.address], queues: [name], sourceAccessConfigurations, ...more };
  const deps = { ...openDeps('http://127.0.0.1:1', { 'secret://user': secret }), guard };
  const queue = await rabbitmq.open(mappingView(spec), deps);
  if (queue.kind !== 'queue') throw new Error('no queue');
  opened.push(queue);
  return queue;
}

/** A queue in `shop`; what it is made with, e.g. its dead-letter exchange. */
async function make(args: Readonly<Record<string, unknown>> = {}): Promise<string> {
  queues += 1;
  const queue = `orders-${queues}`;
  await client.queueDeclare({ queue, durable: true, arguments: args });
  return queue;
}

/** Sends bytes as they are; answers when the server has them. */
async function send(queue: string, bodies: readonly string[], more: Envelope = {}): Promise<void> {
  const publisher = client.createPublisher({ confirm: true });
  for (const [at, body] of bodies.entries())
    await publisher.send({ routingKey: queue, durable: true, messageId: `id-${at}`, ...more }, Buffer.from(body));
  await publisher.close();
}

const never = new AbortController().signal;
const bodyOf = ({ text }: QueueMessage): string => Buffer.from(JSON.parse(text).data, 'base64').toString();

async function receive(queue: OpenQueue, count: number, max = 10): Promise<readonly QueueMessage[]> {
  const messages: QueueMessage[] = [];
  while (messages.length < count) messages.push(...(await queue.receive({ max, waitMs: 1_000, signal: never })));
  return messages;
}

queueContract('RabbitMQ', {
  traits: rabbitmq.traits,
  bodyOf: ({ data }) => Buffer.from(String(data), 'base64').toString(),
  start: async () => {
    const name = await make();
    return {
      queue: await open(name),
      send: (...bodies) => send(name, bodies),
      pass: async () => undefined,
      end: async () => void (await client.queueDelete(name)),
    };
  },
});

test('an event as on Lambda, and filters that look into it', async () => {
  const name = await make();
  const headers = { colour: 'red', n: 5, isNew: true, list: ['a', 1] };
  const more = {
    contentType: 'application/json',
    priority: 3,
    expiration: '60000',
    timestamp: 2_021,
    correlationId: 'c',
  };
  await send(name, ['{"total": 9007199254740993.10}'], { headers, appId: 'shop', type: 't', ...more });
  const [message] = await receive(await open(name), 1);
  if (message === undefined) throw new Error('no message');
  const queue = await open(name);
  expect(JSON.parse(queue.eventOf([message]))).toEqual({
    eventSource: 'aws:rmq',
    eventSourceArn: arn,
    rmqMessagesByQueue: {
      [`${name}::shop`]: [
        {
          basicProperties: {
            contentType: 'application/json',
            contentEncoding: null,
            headers: { colour: { bytes: [114, 101, 100] }, n: 5, isNew: true, list: [{ bytes: [97] }, 1] },
            deliveryMode: 2,
            priority: 3,
            correlationId: 'c',
            replyTo: null,
            expiration: '60000',
            messageId: 'id-0',
            timestamp: 'Jan 1, 1970, 12:33:41 AM',
            type: 't',
            userId: null,
            appId: 'shop',
            clusterId: null,
            bodySize: 30,
          },
          redelivered: false,
          data: Buffer.from('{"total": 9007199254740993.10}').toString('base64'), // to the byte
        },
      ],
    },
  });
  expect(message.arrivedMs).toBe(2_021_000);
  const passes = (pattern: object): boolean => recordFilter([JSON.stringify(pattern)], rabbitmq.traits)(message);
  expect(passes({ data: { total: [{ numeric: ['>', 100] }] } })).toBe(true);
  expect(passes({ data: { total: [{ numeric: ['<', 100] }] } })).toBe(false);
  expect(passes({ basicProperties: { appId: ['shop'] } })).toBe(true);
  expect(passes({ basicProperties: { appId: ['other'] } })).toBe(false);
}, 60_000);

test('in the order of the queue; what was let go stands where it stood', async () => {
  const name = await make();
  const sent = Array.from({ length: 30 }, (_, at) => `body ${at}`);
  await send(name, sent);
  const queue = await open(name);
  const first = await receive(queue, 5, 5);
  await queue.settle(first, 'release');
  const all = await receive(queue, 30, 100);
  expect(all.map(bodyOf)).toEqual(sent);
  expect(all.map(({ receives }) => receives)).toEqual(sent.map((_, at) => (at < 5 ? 2 : 1)));
}, 60_000);

test('what can never be run goes to the dead-letter exchange; of a queue that counts, what has failed too often too', async () => {
  const dead = await make();
  const letters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
  const name = await make({ ...letters, 'x-queue-type': 'quorum', 'x-delivery-limit': 1 });
  await send(name, ['too large', 'poison']);
  const queue = await open(name);
  const [large, poison] = await receive(queue, 2);
  if (large === undefined || poison === undefined) throw new Error('two messages');
  expect(await queue.settle([large], 'reject')).toEqual([]);
  expect((await receive(await open(dead), 1)).map(bodyOf)).toEqual(['too large']);
  await queue.settle([poison], 'leave');
  const again = await receive(queue, 1);
  expect(again.map(({ id, receives }) => [id, receives])).toEqual([[poison.id, 2]]);
  await queue.settle(again, 'leave');
  const letter = receive(await open(dead), 1);
  expect(await queue.receive({ max: 1, waitMs: 2_000, signal: never })).toEqual([]);
  expect(await queue.receive({ max: 1, waitMs: 2_000, signal: never })).toEqual([]);
  expect((await letter).map(bodyOf)).toEqual(['poison']);
}, 60_000);

test('what failed in a gateway that receives no more is given to another one', async () => {
  const name = await make();
  await send(name, ['a']);
  const draining = await open(name);
  await draining.settle(await receive(draining, 1), 'leave');
  expect((await receive(await open(name), 1)).map(bodyOf)).toEqual(['a']);
}, 60_000);

const wire = (): Promise<Wire> => wireTo(() => connect(server.server.port, '127.0.0.1'));

test('the connection is cut: it comes back by itself; what was settled is done, the rest is given once more', async () => {
  const line = await wire();
  const name = await make();
  await send(name, ['a', 'b', 'c']);
  const queue = await open(name, { servers: [`amqp://127.0.0.1:${line.port}`] });
  const messages = await receive(queue, 3, 3);
  const [a, b, c] = messages;
  if (a === undefined || b === undefined || c === undefined) throw new Error('three messages');
  expect(await queue.settle([a], 'delete')).toEqual([]);
  await queue.settle([c], 'leave');
  const waiting = queue.receive({ max: 1, waitMs: 60_000, signal: never });
  line.cut();
  await expect(waiting).rejects.toMatchObject({ reason: 'Unreachable' });
  const again = await eventuallyReceive(queue, 2);
  expect(again.map(bodyOf)).toEqual(['b', 'c']);
  // An acknowledgement of the old connection would end the new one.
  expect(await queue.settle([b], 'delete')).toEqual([b]);
  expect(await queue.settle(again, 'delete')).toEqual([]);
  line.end();
}, 60_000);

/** The same, over failures that come to an end. */
async function eventuallyReceive(queue: OpenQueue, count: number): Promise<readonly QueueMessage[]> {
  const messages: QueueMessage[] = [];
  while (messages.length < count) messages.push(...(await receiveIfSo(queue)));
  return messages;
}

const receiveIfSo = (queue: OpenQueue): Promise<readonly QueueMessage[]> =>
  queue.receive({ max: 100, waitMs: 1_000, signal: never }).catch(() => pause(100, []));

test('the server is killed in the middle: all 1,000 messages are read', async () => {
  const name = await make();
  const sent = Array.from({ length: 1_000 }, (_, at) => `body ${at}`);
  await send(name, sent);
  const queue = await open(name);
  const seen = new Set<string>();
  let isKilled = false;
  while (seen.size < sent.length) {
    const messages = await receiveIfSo(queue);
    const isDone = (await queue.settle(messages, 'delete')).length === 0;
    if (isDone) for (const message of messages) seen.add(bodyOf(message));
    if (isKilled || seen.size < 300) continue;
    isKilled = true;
    await server.server.stop();
    await server.server.restart();
  }
  expect([...seen].sort()).toEqual(sent.sort());
}, 120_000);

test('a queue that is deleted while it is polled is told, and read when it is there again', async () => {
  const name = await make();
  const queue = await open(name);
  const waiting = queue.receive({ max: 1, waitMs: 30_000, signal: never });
  await client.queueDelete(name);
  await expect(waiting.then(() => queue.receive({ max: 1, waitMs: 1, signal: never }))).rejects.toMatchObject({
    reason: 'SourceNotFound',
  });
  await client.queueDeclare({ queue: name, durable: true });
  await send(name, ['a']);
  expect((await eventuallyReceive(queue, 1)).map(bodyOf)).toEqual(['a']);
}, 60_000);

test.each<[reason: string, problem: string, more: object, secret: Readonly<Record<string, string>>]>([
  ['no such queue', 'SourceNotFound', { queues: ['none'] }, rabbitUser],
  ['no queue', 'InvalidSource', { queues: undefined }, rabbitUser],
  ['no address', 'InvalidSource', { servers: ['http://a@b/'] }, rabbitUser],
  ['a wrong password', 'AccessDenied', {}, { ...rabbitUser, password: 'topsecret' }],
  ['a user without rights', 'AccessDenied', {}, { username: 'nobody', password: 'nothing' }],
  ['no password', 'CredentialsMissing', {}, { username: 'billing' }],
  [
    'no such virtual host',
    'AccessDenied',
    { sourceAccessConfigurations: [user, { ...shop, uri: 'none' }] },
    rabbitUser,
  ],
  ['another virtual host', 'SourceNotFound', { sourceAccessConfigurations: [user] }, rabbitUser],
])(
  '%s: told, without a secret',
  async (_reason, reason, more, secret) => {
    const name = await make();
    const problem = await open(name, more, secret).catch((error: unknown) => error);
    expect(problem).toMatchObject({ reason });
    expect(String(problem)).not.toMatch(/topsecret|pässword/);
  },
  60_000,
);

test('nobody there', async () => {
  const servers = [`amqp://127.0.0.1:${await freePort()}`];
  await expect(open('orders', { servers })).rejects.toMatchObject({ reason: 'Unreachable' });
}, 60_000);

test('servers of a mapping: nowhere that the guard refuses, also when the connection comes back', async () => {
  const [name, line] = [await make(), await wire()];
  const refused = new SourceProblem('InvalidSource', 'not for mappings');
  let isBad = true;
  const guard: AddressGuard = (host) => (isBad ? Promise.reject(refused) : openDeps('').guard(host));
  const named = `amqp://localhost:${line.port}`;
  for (const at of [`amqp://127.0.0.1:${line.port}`, named])
    await expect(open(name, { servers: [at] }, rabbitUser, guard)).rejects.toBe(refused);
  isBad = false;
  const queue = await open(name, { servers: [named] }, rabbitUser, guard);
  isBad = true;
  line.cut();
  while ((await queue.receive({ max: 1, waitMs: 50, signal: never }).catch((error: unknown) => error)) !== refused)
    await pause(50);
  line.end();
}, 120_000);
