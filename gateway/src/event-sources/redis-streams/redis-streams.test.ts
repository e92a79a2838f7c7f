import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';

import { TestRedis } from '../../queue/testing-redis.ts';
import type { AddressGuard } from '../address-guard.ts';
import { recordFilter } from '../filter/record-filter.ts';
import { mappingView } from '../mapping/testing-view.ts';
import type { QueueMessage } from '../record.ts';
import type { OpenQueue } from '../source.ts';
import { queueContract } from '../source-contract.ts';
import { SourceProblem } from '../source-problem.ts';
import { openDeps } from '../testing-open.ts';
import { wireTo } from '../testing-wire.ts';
import { redisStreams } from './source.ts';

let server: TestRedis;
/** Of who sends, and of who looks. */
let client: Redis;
let streams = 0;
const opened: OpenQueue[] = [];
const problems: SourceProblem[] = [];
beforeAll(async () => {
  server = await TestRedis.start();
  client = new Redis(server.url, { retryStrategy: () => 100 });
  client.on('error', () => undefined);
}, 120_000);
afterEach(async () => {
  problems.length = 0;
  for (const queue of opened.splice(0)) await queue.close();
});
afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});

const group = 'billing';
const newStream = (): string => {
  streams += 1;
  return `orders-${streams}`;
};

async function open(stream: string, secret?: Readonly<Record<string, string>>): Promise<OpenQueue> {
  const redis = { server: server.url, stream, consumerGroup: group };
  const sourceAccessConfigurations =
    secret === undefined ? [] : [{ type: 'BASIC_AUTH' as const, uri: 'secret://user' }];
  const deps = openDeps('http://127.0.0.1:1', secret === undefined ? {} : { 'secret://user': secret });
  const mapping = mappingView({ redis, sourceAccessConfigurations });
  const queue = await redisStreams.open(mapping, { ...deps, onProblem: (problem) => void problems.push(problem) });
  if (queue.kind !== 'queue') throw new Error('no queue');
  opened.push(queue);
  return queue;
}

async function make(): Promise<{ readonly stream: string; readonly queue: OpenQueue }> {
  const stream = newStream();
  await client.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  return { stream, queue: await open(stream) };
}

/** As if a minute had gone by: what is pending may be claimed. */
async function pass(stream: string): Promise<void> {
  const pending = await client.xpending(stream, group, '-', '+', 1_000);
  for (const row of pending)
    if (Array.isArray(row))
      await client.call('XCLAIM', stream, group, 'kappa', 0, String(row[0]), 'IDLE', 60_000, 'JUSTID');
}

const never = new AbortController().signal;
const take = (queue: OpenQueue, max = 10, waitMs = 100): Promise<readonly QueueMessage[]> =>
  queue.receive({ max, waitMs, signal: never });
const bodyOf = ({ text }: QueueMessage): string => JSON.parse(text).fields.body;
const send = async (stream: string, ...bodies: readonly string[]): Promise<void> => {
  for (const body of bodies) await client.xadd(stream, '*', 'body', body);
};

queueContract('Redis Streams', {
  traits: redisStreams.traits,
  bodyOf: ({ fields }) => String(Reflect.get(Object(fields), 'body')),
  start: async () => {
    const { stream, queue } = await make();
    return {
      queue,
      send: (...bodies) => send(stream, ...bodies),
      pass: () => pass(stream),
      end: async () => void (await client.del(stream)),
    };
  },
});

test('a record as a function gets it, and filters that look into its fields', async () => {
  const { stream, queue } = await make();
  const id = await client.xadd(stream, '*', 'total', '120', 'kind', 'ü', 'kind', 'last');
  const binary = await client.xadd(stream, '*', 'picture', Buffer.from([0xff, 0]));
  const messages = await take(queue);
  const metadata = { id, stream, deliveryCount: 1, isBase64Encoded: false, eventSource: 'kappa:redis-streams' };
  expect(JSON.parse(queue.eventOf(messages))).toEqual({
    Records: [
      { ...metadata, fields: { total: '120', kind: 'last' } },
      { ...metadata, id: binary, isBase64Encoded: true, fields: { picture: '/wA=' } },
    ],
  });
  expect(messages[0]?.arrivedMs).toBe(Number(id?.split('-')[0]));
  const passing = (pattern: object) =>
    messages.filter(recordFilter([JSON.stringify(pattern)], redisStreams.traits)).length;
  expect(passing({ fields: { kind: ['last'] } })).toBe(1);
  expect(passing({ fields: { kind: [{ exists: false }] } })).toBe(1);
  expect(passing({ isBase64Encoded: [true] })).toBe(1);
}, 60_000);

test('in the order of the stream, from its oldest entry on', async () => {
  const stream = newStream();
  const sent = Array.from({ length: 250 }, (_, at) => `body ${at}`);
  await send(stream, ...sent);
  const queue = await open(stream);
  const seen: string[] = [];
  for (let takes = 0; takes < 50 && seen.length < sent.length; takes += 1)
    seen.push(...(await take(queue, 1_000)).map(bodyOf));
  expect(seen).toEqual(sent);
}, 60_000);

test('a gateway dies before it acknowledges: another one gets it when nobody has held it for a minute, counted', async () => {
  const { stream, queue } = await make();
  await send(stream, 'a');
  const [first] = await take(queue);
  if (first === undefined) throw new Error('an entry');
  await queue.close();
  const other = await open(stream);
  expect(await take(other)).toEqual([]); // it may run there still
  await pass(stream);
  expect(await other.settle([first], 'hold')).toEqual([]); // who lives holds it
  expect(await take(other)).toEqual([]);
  await pass(stream);
  expect((await take(other)).map(({ id, receives }) => [id, receives])).toEqual([[first.id, 2]]);
}, 60_000);

test('what is held is kept for longer than its minute, as long as a function runs', async () => {
  const { stream, queue } = await make();
  await send(stream, 'a');
  const messages = await take(queue);
  const idle = async () => Number(((await client.xpending(stream, group, '-', '+', 1))[0] as unknown[])[2]);
  await pass(stream);
  expect(await idle()).toBeGreaterThanOrEqual(60_000);
  await queue.settle(messages, 'hold');
  expect(await idle()).toBeLessThan(30_000);
  expect(queue.holdMs).toBe(60_000);
}, 60_000);

test('the answer to an acknowledgement is lost: it is done all the same, or comes once more', async () => {
  const { stream, queue } = await make();
  await send(stream, 'a', 'b');
  const messages = await take(queue);
  server.signal('SIGSTOP');
  const lost = queue.settle(messages, 'delete').catch((error: SourceProblem) => error.reason);
  await pause(500); // it is on its way by now, or was not sent: both must be right
  await queue.close();
  expect(await lost).toBe('Unreachable');
  server.signal('SIGCONT');
  const other = await open(stream);
  expect(await other.settle(messages, 'delete')).toEqual([]); // once more costs nothing
  await pass(stream);
  expect(await take(other)).toEqual([]);
}, 60_000);

test('trimmed by hand: what was given out is told as lost, and the others go on', async () => {
  const { stream, queue } = await make();
  await send(stream, 'a', 'b', 'c');
  const messages = await take(queue);
  await pass(stream);
  await client.xtrim(stream, 'MAXLEN', 1);
  expect((await take(queue)).map(bodyOf)).toEqual(['c']);
  expect(problems.map(({ reason, message }) => [reason, message])).toEqual([
    ['PositionLost', expect.stringMatching(new RegExp(`^2 entries were trimmed .*${messages[0]?.id}`))],
  ]);
}, 60_000);

test('what can never be run is put beside the stream', async () => {
  const { stream, queue } = await make();
  await send(stream, 'too large');
  expect(await queue.settle(await take(queue), 'reject')).toEqual([]);
  expect(await client.xrange(`${stream}:dead`, '-', '+')).toEqual([[expect.any(String), ['body', 'too large']]]);
  expect(await client.xpending(stream, group)).toEqual([0, null, null, null]);
}, 60_000);

test('the server is killed in the middle: all 1,000 entries are read', async () => {
  const { stream, queue } = await make();
  const sent = Array.from({ length: 1_000 }, (_, at) => `body ${at}`);
  await Promise.all(sent.map((body) => client.xadd(stream, '*', 'body', body)));
  const seen = new Set<string>();
  let isKilled = false;
  for (let takes = 0; takes < 300 && seen.size < sent.length; takes += 1) {
    const messages = await take(queue, 100).catch(() => pause(100, []));
    const isDone = await queue.settle(messages, 'delete').then(
      () => true,
      () => false,
    );
    if (isDone) for (const message of messages) seen.add(bodyOf(message));
    else await pass(stream).catch(() => undefined);
    if (isKilled || seen.size < 300) continue;
    isKilled = true;
    await server.kill();
    await server.restart();
    await pass(stream);
  }
  expect([...seen].sort()).toEqual(sent.sort());
}, 120_000);

test('no stream: told; it is read when it is there; deleted and made again: read on', async () => {
  const stream = newStream();
  await expect(open(stream)).rejects.toMatchObject({ reason: 'SourceNotFound' });
  await send(stream, 'a');
  const queue = await open(stream);
  expect((await take(queue)).map(bodyOf)).toEqual(['a']);
  await client.del(stream);
  await expect(take(queue)).rejects.toMatchObject({ reason: 'SourceNotFound' });
  await send(stream, 'b');
  await expect(take(queue)).rejects.toMatchObject({ reason: 'SourceNotFound' }); // the group is made
  expect((await take(queue)).map(bodyOf)).toEqual(['b']);
}, 60_000);

test.each<[reason: string, problem: string, secret: Readonly<Record<string, string>>]>([
  ['a wrong password', 'AccessDenied', { username: 'shop', password: 'topsecret' }],
  ['a user without rights', 'AccessDenied', { username: 'shop', password: 'right' }],
  ['no password', 'CredentialsMissing', { username: 'shop' }],
])(
  '%s: told, without a secret',
  async (_reason, reason, secret) => {
    await client.call('ACL', 'SETUSER', 'shop', 'on', '>right', '+ping', '+info');
    const problem = await open(newStream(), secret).catch((error: unknown) => error);
    expect(problem).toMatchObject({ reason });
    expect(String(problem)).not.toMatch(/topsecret/);
  },
  60_000,
);

test('something else under the key', async () => {
  const key = newStream();
  await client.set(key, 'text');
  await expect(open(key)).rejects.toMatchObject({ reason: 'InvalidSource' });
}, 60_000);

test('the server of a mapping: nowhere that the guard refuses, also when the connection comes back', async () => {
  const { stream } = await make();
  const { port, cut, end } = await wireTo(() => connect(server.url));
  const refused = new SourceProblem('InvalidSource', 'not for mappings');
  let isBad = true;
  const deps = openDeps('');
  const guard: AddressGuard = (host) => (isBad ? Promise.reject(refused) : deps.guard(host));
  const openAt = async (at: string): Promise<OpenQueue> => {
    const mapping = mappingView({ redis: { server: at, stream, consumerGroup: group } });
    const queue = await redisStreams.open(mapping, { ...deps, guard });
    if (queue.kind !== 'queue') throw new Error('no queue');
    opened.push(queue);
    return queue;
  };
  for (const host of ['127.0.0.1', 'localhost']) await expect(openAt(`redis://${host}:${port}`)).rejects.toBe(refused);
  isBad = false;
  // What the client would take for settings of its own does nothing.
  const queue = await openAt(`redis://localhost:${port}/0?path=/nowhere&lookup=none`);
  await client.xadd(stream, '*', 'body', 'a');
  expect((await take(queue)).map(bodyOf)).toEqual(['a']);
  isBad = true;
  cut();
  while ((await take(queue).catch((error: unknown) => error)) !== refused) await pause(50);
  await queue.close();
  end();
  await expect(openAt('redis:///x')).rejects.toMatchObject({ reason: 'InvalidSource' });
}, 120_000);
