import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { eventKeeper } from '../../async/accept.ts';
import { BufferBudget } from '../../http/buffer-budget.ts';
import { controlApp } from '../../http/control-app.ts';
import { type EventQueue, QueueUnavailable } from '../../queue/event-queue.ts';
import { defaultLimits } from '../../queue/queue-limits.ts';
import { SqliteQueue } from '../../queue/sqlite-queue.ts';
import { KnownSources, type Values } from '../../registry/known-sources.ts';
import type { PushMapping, PushSource } from '../push-mapping.ts';
import { type PushDoorDeps, pushDoor } from './door.ts';

const line = 'default/hello';
let folder: string;
let queue: EventQueue;
let server: Server | undefined;
let secrets: Record<string, Values>;
let counted: [string, number][];
let refused: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-door-'));
  queue = new SqliteQueue(join(folder, 'events.db'), { ...defaultLimits, eventsPerLine: 3 });
  [secrets, counted, refused] = [{ 'default/door': { token: 'sesame\n' } }, [], []];
});
afterEach(async () => {
  await new Promise((done) => (server === undefined ? done(null) : server.close(done)));
  server = undefined;
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

function mapping(name: string, source: PushSource, over: Partial<PushMapping> = {}): PushMapping {
  return {
    uid: name,
    namespace: 'default',
    name,
    generation: 1,
    createdMs: 0,
    functionObjectName: 'hello',
    qualifier: null,
    isEnabled: true,
    source,
    filters: [],
    tokenSecretRef: { name: 'door', key: 'token' },
    ...over,
  };
}

const cloudEvents: PushSource = { kind: 'cloudEvents', cloudEvents: {} };
const all = [
  mapping('ce', cloudEvents),
  mapping('filtered', cloudEvents, { filters: ['{"data": {"total": [{"numeric": [">", 100]}]}}'] }),
  mapping('broken', cloudEvents, { filters: ['{'] }),
  mapping('stopped', cloudEvents, { isEnabled: false }),
  mapping('lost', cloudEvents, { tokenSecretRef: { name: 'gone', key: 'token' } }),
  mapping('s3', { kind: 's3', s3: { suffix: '.png' } }),
  mapping('s3', { kind: 's3', s3: {} }, { namespace: 'west', tokenSecretRef: null }),
  mapping('hourly', { kind: 'schedule', schedule: { expression: 'rate(1 hour)', timezone: 'UTC', missed: 'One' } }),
];
const budget = new BufferBudget(8 * 1024 * 1024);

/** Sends to a door whose events lie in a real queue. */
async function send(
  path: string,
  body: string | Buffer,
  {
    headers = {},
    method = 'POST',
    ...over
  }: { headers?: Record<string, string>; method?: string } & Partial<PushDoorDeps> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const door = pushDoor({
    mappingOf: (key) => all.find(({ namespace, name }) => key === `${namespace}/${name}`),
    hearsOfMappings: () => true,
    addresseeOf: () => ({
      line,
      invokedArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
      accountId: '000000000000',
    }),
    sources: new KnownSources({
      read: async ({ namespace, name }) => secrets[`${namespace}/${name}`] ?? null,
      now: () => 0,
      schedule: () => () => undefined,
    }),
    sns: { keyOf: () => Promise.reject(new Error('not asked')), confirm: async () => undefined },
    keep: eventKeeper({ queue, now: () => 1_000, onReceived: () => undefined }),
    budget,
    metrics: { pushed: ({ name }, result, events) => void counted.push([`${name} ${result}`, events]) },
    regionOf: (namespace) => (namespace === 'default' ? 'us-east-1' : 'eu-west-1'),
    now: () => 1_000,
    onRefused: (err) => void refused.push(err),
    ...over,
  });
  const app = controlApp({
    admin: null,
    blobs: null,
    code: null,
    lambdaApi: null,
    pushDoor: door,
    onError: () => undefined,
  });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const signed = { authorization: 'Bearer sesame', connection: 'close', ...headers };
  const init = { method, headers: signed, ...(method === 'GET' ? {} : { body: new Uint8Array(Buffer.from(body)) }) };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
  const text = await answer.text();
  await new Promise((done) => server?.close(done));
  server = undefined;
  return { status: answer.status, text };
}

const event = (id: string, data: unknown = {}) => ({ specversion: '1.0', id, source: '/s', type: 't', data });
const json = { 'content-type': 'application/cloudevents+json' };
const batch = { 'content-type': 'application/cloudevents-batch+json' };
const kept = async (): Promise<readonly unknown[]> => {
  const leased = await queue.lease(line, { count: 100, nowMs: 1e15, leaseMs: 1, maxBytes: 1e9 });
  return leased.map((one) => JSON.parse(one.event.payload.toString()));
};

test('202 once the event lies in the queue', async () => {
  expect(await send('/events/default/ce', JSON.stringify(event('1')), { headers: json })).toEqual({
    status: 202,
    text: '',
  });
  expect(await kept()).toEqual([event('1')]);
  expect(counted).toEqual([['ce accepted', 1]]);
  expect(budget.usedBytes).toBe(0);
});

test('an event that is sent again while it waits is kept once', async () => {
  for (let tries = 0; tries < 2; tries += 1)
    expect((await send('/events/default/ce', JSON.stringify(event('1')), { headers: json })).status).toBe(202);
  expect(await kept()).toHaveLength(1);
});

test('a batch that has no room is refused; sent again it is taken, and each of it is there once', async () => {
  const four = JSON.stringify(['1', '2', '3', '4'].map((id) => event(id)));
  expect((await send('/events/default/ce', four, { headers: batch })).status).toBe(429);
  const leased = await queue.lease(line, { count: 1, nowMs: 1e14, leaseMs: 1e14, maxBytes: 1e9 });
  for (const { lease } of leased) await queue.settle(lease, { kind: 'done' });
  const rest = JSON.stringify(['2', '3', '4'].map((id) => event(id)));
  expect((await send('/events/default/ce', rest, { headers: batch })).status).toBe(202);
  expect(new Set((await kept()).map((one) => JSON.stringify(one))).size).toBe(3);
});

test('filters look at the event; 204 when nobody wants it', async () => {
  const body = (total: number) => JSON.stringify(event(String(total), { total }));
  expect((await send('/events/default/filtered', body(99), { headers: json })).status).toBe(204);
  expect((await send('/events/default/filtered', body(101), { headers: json })).status).toBe(202);
  expect(await kept()).toEqual([event('101', { total: 101 })]);
  expect(counted).toEqual([
    ['filtered filtered', 1],
    ['filtered accepted', 1],
  ]);
});

test('a bucket tells, too', async () => {
  const record = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'b' }, object: { key: 'a+b.png' } } };
  const other = { ...record, s3: { ...record.s3, object: { key: 'c.txt' } } };
  expect((await send('/events/default/s3', JSON.stringify({ Records: [record, other] }))).status).toBe(202);
  expect(await kept()).toEqual([{ Records: [record] }]);
});

test("a bucket's server that has no region has that of the mapping's namespace", async () => {
  const record = { eventName: 's3:ObjectCreated:Put', s3: { bucket: { name: 'b' }, object: { key: 'a.png' } } };
  for (const namespace of ['default', 'west'])
    expect((await send(`/events/${namespace}/s3`, JSON.stringify({ Records: [record] }))).status).toBe(202);
  const records = (await kept()).flatMap((event) => Object(event).Records);
  expect(records.map(({ awsRegion }) => awsRegion).sort()).toEqual(['eu-west-1', 'us-east-1']);
});

test.each([
  ['a bearer token', { authorization: 'bearer sesame' }, '', 202],
  ['a password', { authorization: `Basic ${Buffer.from('any:sesame').toString('base64')}` }, '', 202],
  ['the query', { authorization: '' }, '?token=sesame', 202],
  ['nothing', { authorization: '' }, '', 401],
  ['another one', { authorization: 'Bearer sesam' }, '', 401],
  ['an empty one', { authorization: 'Bearer  ' }, '?token=', 401],
  ['another scheme', { authorization: 'Digest sesame' }, '', 401],
])('the token as %s', async (_how, headers, query, status) => {
  const answer = await send(`/events/default/ce${query}`, JSON.stringify(event('1')), {
    headers: { ...json, ...headers },
  });
  expect(answer.status).toBe(status);
  expect(answer.text).not.toContain('sesame');
  expect(await kept()).toHaveLength(status === 202 ? 1 : 0);
});

test.each<[reason: string, status: number, text: string, path: string, more: Parameters<typeof send>[2]]>([
  ['no such mapping', 404, 'no event source mapping', '/events/default/none', {}],
  ['a schedule', 404, 'no event source mapping', '/events/default/hourly', {}],
  ['a longer path', 404, 'no event source mapping', '/events/default/ce/more', {}],
  ['another method', 405, 'sent by POST', '/events/default/ce', { method: 'GET' }],
  ['a mapping that is not known yet', 500, 'Send it again', '/events/default/none', { hearsOfMappings: () => false }],
  ['one that is stopped', 409, 'is disabled', '/events/default/stopped', {}],
  ['a filter that cannot be read', 409, 'A filter cannot be read', '/events/default/broken', {}],
  ['a Secret that is missing', 503, 'The Secret gone of default/lost has no token', '/events/default/lost', {}],
  ['what is no CloudEvent', 400, 'no CloudEvent', '/events/default/ce', { headers: { 'content-type': 'text/plain' } }],
  [
    'a store that does not confirm',
    503,
    'did not confirm',
    '/events/default/ce',
    {
      keep: eventKeeper({
        queue: { put: () => Promise.reject(new QueueUnavailable('silent')) },
        now: () => 0,
        onReceived: () => undefined,
      }),
    },
  ],
])('refused: %s', async (_reason, status, text, path, more) => {
  const answer = await send(path, JSON.stringify(event('1')), { headers: json, ...more });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
  expect(await kept()).toEqual([]);
  expect(refused).toHaveLength(1);
  expect(budget.usedBytes).toBe(0);
});

test('a MiB is taken, and not one byte more', async () => {
  const whole = JSON.stringify(event('1', ''));
  const fill = (bytes: number) => JSON.stringify(event('1', 'x'.repeat(bytes - whole.length)));
  expect((await send('/events/default/ce', fill(1_048_577), { headers: json })).status).toBe(413);
  expect((await send('/events/default/ce', fill(1_048_576), { headers: json })).status).toBe(202);
  expect(await kept()).toHaveLength(1);
});
