import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { echo, path, startServer, stopServers } from '../http/testing.ts';
import { type EventQueue, QueueUnavailable } from '../queue/event-queue.ts';
import { defaultLimits } from '../queue/queue-limits.ts';
import { SqliteQueue } from '../queue/sqlite-queue.ts';
import { fetchOnce } from '../testing.ts';
import { eventAcceptor } from './accept.ts';

const line = 'default/hello';
const id = '11111111-2222-4333-8444-555555555555'; // the server's own
const aMiB = 1_048_576;
let folder: string;
let queue: EventQueue;
let received: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-accept-'));
  queue = new SqliteQueue(join(folder, 'events.db'), { ...defaultLimits, eventsPerLine: 1 });
  received = [];
});
afterEach(async () => {
  await stopServers();
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Calls Invoke with InvocationType Event at a server whose events lie in a real queue. */
async function send(
  body: string | Buffer,
  {
    store = queue,
    headers = {},
    label = 'hello',
  }: { store?: Pick<EventQueue, 'put'>; headers?: object; label?: string } = {},
) {
  const onReceived = (name: string): void => void received.push(name);
  const accept = eventAcceptor({ queue: store, now: () => 1_700_000_000_000, onReceived });
  const { port, refused, budget } = await startServer(echo, { accept });
  const all = { 'X-Amz-Invocation-Type': 'Event', ...headers };
  const answer = await fetchOnce(port, { method: 'POST', path: path(label), body, headers: all });
  return { ...answer, text: answer.body.toString(), refused, budget };
}

test('202 without a body, and the event lies in the queue as it came', async () => {
  const { status, text, headers, budget } = await send('{"a": [1, 2]}', { label: 'hello:live' });
  expect({ status, text }).toEqual({ status: 202, text: '' });
  expect(headers['x-amzn-requestid']).toBe(id);
  expect(budget.usedBytes).toBe(0);
  const found = await queue.find(line, id);
  expect(found?.event).toMatchObject({
    qualifier: 'live',
    invokedArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello:live',
    accountId: '000000000000',
    acceptedMs: 1_700_000_000_000,
    traceId: 'Root=1-6553f100-111111112222433384445555',
  });
  expect(found?.event.payload.toString()).toBe('{"a": [1, 2]}');
  expect(received).toEqual([line]);
});

test('the chain of calls goes with the event, uncounted', async () => {
  await send('{}', { headers: { 'X-Amzn-Trace-Id': `Root=1-a-b;Lineage=68fd508a:15;Self=${'s'.repeat(2000)}` } });
  expect((await queue.find(line, id))?.event.traceId).toBe('Root=1-a-b;Lineage=68fd508a:15');
});

test('no bytes are {}', async () => {
  await send('');
  expect((await queue.find(line, id))?.event.payload.toString()).toBe('{}');
});

describe('sizes', () => {
  const textOf = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;

  test('1 MiB is taken', async () => {
    expect((await send(textOf(aMiB))).status).toBe(202);
  });

  test.each<[reason: string, headers: object]>([
    ['by its length', {}],
    ['while it comes', { 'Transfer-Encoding': 'chunked' }],
  ])('one byte more is not: %s', async (_reason, headers) => {
    const { status, text, budget } = await send(textOf(aMiB + 1), { headers });
    expect(status).toBe(413);
    expect(text).toContain('Request must be smaller than 1048576 bytes');
    expect(budget.usedBytes).toBe(0);
    expect(await queue.find(line, id)).toBeUndefined();
  });
});

const store = (err: Error): Pick<EventQueue, 'put'> => ({ put: () => Promise.reject(err) });

test.each<[reason: string, run: () => ReturnType<typeof send>, status: number, code: string, text: RegExp]>([
  ['no JSON', () => send('{"a":'), 400, 'InvalidRequestContentException', /Could not parse request body into json/],
  ['no such function', () => send('{}', { label: 'nobody' }), 404, 'ResourceNotFoundException', /Function not found/],
  ['no version yet', () => send('{}', { label: 'young' }), 409, 'ResourceConflictException', /Pending/],
  [
    'a store that does not confirm',
    () => send('{}', { store: store(new QueueUnavailable('no answer within 1 s')) }),
    503,
    'ServiceException',
    /may have been kept, or not: send it again/,
  ],
  [
    'a store with a bug',
    () => send('{}', { store: store(new Error('bug')) }),
    500,
    'ServiceException',
    /internal error/,
  ],
])('never 202: %s', async (_reason, run, status, code, text) => {
  const answer = await run();
  expect({ status: answer.status, code: answer.headers['x-amzn-errortype'] }).toEqual({ status, code });
  expect(answer.text).toMatch(text);
  expect(answer.refused).toHaveLength(1);
  expect(received).toEqual([]);
});

test('a full line: 429 that says what to do', async () => {
  const other = {
    id: 'another',
    line,
    invokedArn: 'arn',
    accountId: '000000000000',
    payload: Buffer.from('{}'),
    acceptedMs: 0,
  };
  await queue.put(other);
  const { status, headers, text } = await send('{}');
  expect({ status, code: headers['x-amzn-errortype'] }).toEqual({ status: 429, code: 'TooManyRequestsException' });
  expect(headers['retry-after']).toBe('5');
  expect(text).toMatch(/was not accepted. Send it again later/);
});
