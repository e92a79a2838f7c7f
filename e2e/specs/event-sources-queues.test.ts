import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rabbitUser, TestRabbit } from '@kappa/gateway/testing-rabbitmq';
import { TestRedis } from '@kappa/gateway/testing-redis';
import { freePort } from '@kappa/gateway/testing-servers';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Queues of RabbitMQ and streams of Redis as event sources in local mode. The function appends to a file what it gets; every body that says so
 * fails the first time.
 */

const LIMIT_MS = 120_000;
const code = `
import { appendFileSync, existsSync } from 'node:fs';
export const handler = async ({ rmqMessagesByQueue, Records }) => {
  const messages = rmqMessagesByQueue === undefined
    ? Records.map(({ fields }) => fields.body)
    : Object.values(rmqMessagesByQueue).flat().map(({ data }) => Buffer.from(data, 'base64').toString());
  const mark = process.env.MARK;
  if (messages.includes('fails once') && !existsSync(mark + '.failed')) {
    appendFileSync(mark + '.failed', 'x');
    throw new Error('on purpose');
  }
  appendFileSync(mark, messages.map((body) => JSON.stringify(body) + '\\n').join(''));
};
`;

let folder: string;
let kappa: TestPlatform;
let rabbit: TestRabbit;
let redis: TestRedis;
let redisPort: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-queues-spec-'));
  rabbit = await TestRabbit.start();
  redisPort = await freePort();
  redis = await TestRedis.start('--port', String(redisPort));
  kappa = await startTestPlatform({ examples: false });
}, 600_000);
afterAll(async () => {
  await kappa?.stop();
  await redis?.stop();
  await rabbit?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const sent = [...Array.from({ length: 1_000 }, (_, at) => `event ${at}`), 'fails once'];

/** Makes a function and a mapping of that name. */
async function make(name: string, spec: object): Promise<void> {
  const files = [{ path: 'index.mjs', content: code }];
  const environment = [{ name: 'MARK', value: join(folder, name) }];
  const usual = { apiVersion: 'kappa.dev/v1alpha1', metadata: { name, namespace: 'default' } };
  const fn = { runtime: 'nodejs24.x', handler: 'index.handler', code: { inline: { files } }, environment };
  await kappa.applyReady({ ...usual, kind: 'Function', spec: fn });
  await kappa.kubectl.apply({ ...usual, kind: 'EventSourceMapping', spec: { functionName: name, ...spec } });
}

/** Waits until all that was sent has run. */
async function allRun(name: string): Promise<void> {
  let missing = sent;
  const look = async (): Promise<boolean> => {
    const got = new Set(
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    );
    missing = sent.filter((body) => !got.has(body));
    return missing.length === 0;
  };
  try {
    await eventually(`all events of ${name} have run`, look, LIMIT_MS);
  } catch (error) {
    const { status } = await kappa.kubectl.json<{ status?: object }>(['esm', name]);
    const last = kappa.lines.slice(-40).join('\n');
    throw new Error(`${missing.length} are missing: ${JSON.stringify(status)}\n${last}`, { cause: error });
  }
}

test('a queue of RabbitMQ: 1,000 messages and one that fails once, none is lost', async () => {
  await kappa.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'rabbit-user', namespace: 'default' },
    stringData: rabbitUser,
  });
  await rabbit.send('orders', sent);
  await make('rabbit', {
    eventSourceArn: 'arn:aws:mq:us-east-1:000000000000:broker:rabbit:b-1',
    servers: [rabbit.address],
    queues: ['orders'],
    sourceAccessConfigurations: [
      { type: 'BASIC_AUTH', uri: 'secret://rabbit-user' },
      { type: 'VIRTUAL_HOST', uri: 'shop' },
    ],
  });
  await allRun('rabbit');
}, 300_000);

test('a stream of Redis: 1,000 entries and one that fails once, none is lost', async () => {
  for (let at = 0; at < sent.length; at += 100)
    await Promise.all(sent.slice(at, at + 100).map((body) => redis.command('XADD', 'clicks', '*', 'body', body)));
  await make('stream', {
    redis: { server: `redis://127.0.0.1:${redisPort}`, stream: 'clicks', consumerGroup: 'billing' },
  });
  await allRun('stream');
  await eventually('all are acknowledged', async () => {
    return (await redis.command('XPENDING', 'clicks', 'billing')).startsWith('*4\r\n:0\r\n');
  });
  expect(await redis.command('XLEN', 'clicks')).toBe(`:${sent.length}\r\n`);
}, 300_000);
