import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { type Authenticator, openDoor } from '../auth/authenticator.ts';
import { type Asked, type Authorizer, accountsOnly } from '../auth/authorizer.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { controlApp } from '../http/control-app.ts';
import type { Settlement } from '../queue/event-queue.ts';
import { defaultLimits } from '../queue/queue-limits.ts';
import { SqliteQueue } from '../queue/sqlite-queue.ts';
import { fetchOnce, functionView, testRouting } from '../testing.ts';
import { makeEventsApi } from './events-api.ts';
import { asyncEvent } from './testing.ts';

const line = 'default/hello';
let folder: string;
let queue: SqliteQueue;
let server: Server;
let port: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-events-api-'));
  queue = new SqliteQueue(join(folder, 'events.db'), defaultLimits);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(over: { authorizer?: Authorizer; authenticator?: Authenticator } = {}): Promise<void> {
  const eventsApi = makeEventsApi({
    queue,
    directory: {
      locate: async (accountId, name) =>
        accountId === '000000000000' && name === 'hello' ? functionView() : undefined,
      namespacesOf: async (accountId) => (accountId === '000000000000' ? ['default', 'other'] : []),
    },
    authenticator: openDoor,
    authorizer: accountsOnly,
    budget: new BufferBudget(1_000_000),
    region: 'us-east-1',
    arnOf: testRouting.arnOf,
    now: () => 5000,
    onRefused: () => undefined,
    ...over,
  });
  const app = controlApp({
    admin: null,
    blobs: null,
    code: null,
    lambdaApi: null,
    eventsApi,
    onError: () => undefined,
  });
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = Number(Object(server.address()).port);
}

/** Events that have died, one millisecond after the other. */
async function die(count: number, name = line): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await queue.put(asyncEvent({ id: `event-${n}`, line: name }));
    const [leased] = await queue.lease(name, { count: 1, nowMs: 0, leaseMs: 1000, maxBytes: 1000 });
    if (leased === undefined) throw new Error('there is none');
    const last = { statusCode: 200, functionError: 'Unhandled', payload: Buffer.from('{"errorMessage":"oh"}') };
    const progress = { attempts: 3, refusals: 0, last };
    const dead: Settlement = { kind: 'dead', atMs: 1000 + n, condition: 'RetriesExhausted', progress };
    await queue.settle(leased.lease, dead);
  }
}

async function ask(method: string, path: string) {
  const { status, headers, body } = await fetchOnce(port, { method, path: `/kappa/v1/events/${path}` });
  return { status, code: headers['x-amzn-errortype'], json: JSON.parse(body.toString()) };
}

test('lists are in pages, newest first', async () => {
  await start();
  await die(3);
  const first = await ask('GET', 'hello?limit=2');
  expect(first.json.events).toMatchObject([{ requestId: 'event-2' }, { requestId: 'event-1' }]);
  expect(first.json.events[0]).toEqual({
    requestId: 'event-2',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST',
    state: 'dead',
    condition: 'RetriesExhausted',
    acceptedAt: '1970-01-01T00:00:00.000Z',
    at: '1970-01-01T00:00:01.002Z',
    attempts: 3,
    statusCode: 200,
    functionError: 'Unhandled',
    errorMessage: 'oh',
    payloadBytes: 7,
  });
  const rest = await ask('GET', `hello?limit=2&after=${encodeURIComponent(first.json.next)}`);
  expect(rest.json).toMatchObject({ events: [{ requestId: 'event-0' }] });
  expect(rest.json.next).toBeUndefined();
});

test('a function by its ARN; one that is gone has its events still', async () => {
  await start();
  await die(1, 'default/gone');
  const arn = encodeURIComponent('arn:aws:lambda:us-east-1:000000000000:function:gone');
  expect((await ask('GET', arn)).json.events).toHaveLength(1);
  expect((await ask('POST', `${arn}/event-0/replay`)).status).toBe(200);
  expect(await queue.find('default/gone', 'event-0')).toMatchObject({ state: 'waiting', atMs: 5000 });
  expect((await ask('DELETE', `${arn}/event-0`)).status).toBe(200);
  expect(await queue.find('default/gone', 'event-0')).toBeUndefined();
});

test('one that is gone, of another namespace or with another name than the object’s', async () => {
  await start();
  await die(1, 'other/gone-2');
  expect((await ask('GET', 'Gone')).json.events).toEqual([]);
  expect((await ask('GET', 'Gone?object=other/gone-2')).json.events).toHaveLength(1);
  expect((await ask('POST', 'Gone/event-0/replay?object=other/gone-2')).status).toBe(200);
  expect(await queue.find('other/gone-2', 'event-0')).toMatchObject({ state: 'waiting' });
});

test.each<[reason: string, method: string, path: string, status: number, code: string]>([
  ['a namespace of another account', 'GET', 'hello?object=theirs/hello', 404, 'ResourceNotFoundException'],
  ['no object', 'GET', 'hello?object=hello', 400, 'InvalidParameterValueException'],
  ['no such event', 'GET', 'hello/nothing', 404, 'ResourceNotFoundException'],
  ['nothing to replay', 'POST', 'hello/nothing/replay', 404, 'ResourceNotFoundException'],
  ['nothing to drop', 'DELETE', 'hello/nothing', 404, 'ResourceNotFoundException'],
  ['no such account', 'GET', '999999999999:function:hello', 404, 'ResourceNotFoundException'],
  ['another method', 'PUT', 'hello', 404, 'UnknownOperationException'],
  ['no function', 'GET', '', 404, 'UnknownOperationException'],
  ['a path that is too long', 'GET', 'hello/a/replay/b', 404, 'UnknownOperationException'],
  ['no name', 'GET', 'a%20b', 400, 'InvalidParameterValueException'],
  ['a broken path', 'GET', '%ff', 400, 'InvalidParameterValueException'],
  ['pages of none', 'GET', 'hello?limit=0', 400, 'InvalidParameterValueException'],
])('refuses: %s', async (_reason, method, path, status, code) => {
  await start();
  expect(await ask(method, path)).toMatchObject({ status, code });
});

describe('who may what', () => {
  test.each<[method: string, path: string, right: string, action: string]>([
    ['GET', 'hello', 'get functions', 'lambda:GetFunction'],
    ['GET', 'hello/event-0', 'get functions', 'lambda:GetFunction'],
    ['POST', 'hello/event-0/replay', 'create functions/invoke', 'lambda:InvokeFunction'],
    ['DELETE', 'hello/event-0', 'update functions', 'lambda:UpdateFunctionConfiguration'],
    ['GET', 'gone?object=default/hello', 'get functions', 'lambda:GetFunction'],
  ])('%s %s needs %s', async (method, path, right, action) => {
    const asked: Asked[] = [];
    const allows = (_principal: unknown, wanted: Asked): boolean => {
      asked.push(wanted);
      return false;
    };
    await start({ authorizer: { allows, allowsIn: () => false } });
    await die(1);
    expect(await ask(method, path)).toMatchObject({ status: 403, code: 'AccessDeniedException' });
    expect(asked).toMatchObject([{ right, action, namespace: 'default', name: 'hello', accountId: '000000000000' }]);
    expect((await queue.find(line, 'event-0'))?.state).toBe('dead');
  });

  test('other accounts are nobody’s business', async () => {
    const begin: Authenticator['begin'] = (head) => {
      const claim = openDoor.begin(head);
      return { ...claim, push: () => undefined, confirm: () => ({ ...claim.confirm(), accounts: ['111111111111'] }) };
    };
    await start({ authenticator: { ...openDoor, begin } });
    const path = '000000000000:function:hello';
    expect(await ask('GET', path)).toMatchObject({ status: 403, code: 'AccessDeniedException' });
  });
});
