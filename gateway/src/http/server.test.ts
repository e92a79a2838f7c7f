import type { Server } from 'node:http';

import { afterEach, describe, expect, test } from '@jest/globals';

import { openDoor } from '../auth/authenticator.ts';
import { TooManyRequests } from '../errors.ts';
import { invokeHandler } from '../lambda-api/invoke.ts';
import { functionResolver } from '../lambda-api/resolve.ts';
import {
  answered,
  fetchOnce,
  listen,
  type Run,
  report,
  routed,
  sendRaw,
  testRouting,
  versionView,
} from '../testing.ts';
import { BufferBudget } from './buffer-budget.ts';
import { makeServer } from './server.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Rig {
  readonly port: number;
  readonly budget: BufferBudget;
  readonly inFlight: () => number;
}

async function start(
  run: Run,
  over: { budgetBytes?: number; isStopping?: () => boolean; requestTimeoutMs?: number } = {},
): Promise<Rig> {
  const budget = new BufferBudget(over.budgetBytes ?? 64 * 1024 * 1024);
  const hello = routed(
    {},
    [
      versionView(),
      versionView({ uid: 'uid-1', name: 'hello-1', version: '1' }),
      versionView({ uid: 'uid-2', name: 'hello-2', version: '2' }),
    ],
    [
      {
        namespace: 'default',
        name: 'hello-live',
        createdMs: 0,
        functionObjectName: 'hello',
        alias: 'live',
        version: '1',
        additional: { version: '2', weight: 0.25 },
      },
    ],
  );
  const pending = routed({ name: 'young', functionName: 'young', latestVersion: null, state: 'Pending' }, []);
  const resolve = functionResolver({
    functions: {
      byName: (accountId, name) =>
        accountId === '000000000000' ? [hello, pending].find((fn) => fn.functionName === name) : undefined,
      byObject: () => undefined,
    },
    region: 'us-east-1',
    defaultAccountId: '000000000000',
    arnOf: testRouting.arnOf,
    random: () => 0.2,
  });
  let inFlight = 0;
  const server = makeServer(
    {
      urlDomain: 'fn.localhost',
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: over.requestTimeoutMs ?? 60_000,
      keepAliveTimeoutMs: 5000,
      lingerMs: 50,
    },
    {
      invoke: invokeHandler({
        authenticator: openDoor,
        resolve,
        dispatcher: { invoke: run },
        budget,
        now: () => 1_700_000_000_000,
        onRefused: () => undefined,
      }),
      functionUrl: () => Promise.reject(new Error('not in this test')),
      control: (_req, res) => res.end('control'),
      newRequestId: () => '11111111-2222-4333-8444-555555555555',
      isStopping: over.isStopping ?? (() => false),
      onInFlight: (change) => {
        inFlight += change;
      },
      onBug: () => undefined,
    },
  );
  servers.push(server);
  return { port: await listen(server), budget, inFlight: () => inFlight };
}

const echo: Run = (_target, { event }) => Promise.resolve(answered(event));
const path = (label = 'hello', query = '') => `/2015-03-31/functions/${label}/invocations${query}`;

describe('Invoke', () => {
  test('hands the event over as it came and answers with Lambda’s headers', async () => {
    const { port, budget } = await start(echo);
    const reply = await fetchOnce(port, { method: 'POST', path: path(), body: ' {"a": 1}' });
    expect(reply).toMatchObject({ status: 200, body: Buffer.from(' {"a": 1}') });
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json',
      'x-amzn-requestid': '11111111-2222-4333-8444-555555555555',
      'x-amz-executed-version': '$LATEST',
      'x-amzn-trace-id': 'Root=1-6553f100-111111112222433384445555',
    });
    expect(reply.headers['x-amz-function-error']).toBeUndefined();
    expect(budget.usedBytes).toBe(0);
  });

  test('an empty body is an empty object', async () => {
    const { port } = await start(echo);
    expect((await fetchOnce(port, { method: 'POST', path: path() })).body.toString()).toBe('{}');
  });

  test('a function error is 200 with X-Amz-Function-Error', async () => {
    const { port } = await start(() =>
      Promise.resolve(answered('{"errorType":"Error"}', { kind: 'error', errorType: 'Error' })),
    );
    const reply = await fetchOnce(port, { method: 'POST', path: path(), body: '1' });
    expect(reply).toMatchObject({
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled', 'x-kappa-fault': 'function' },
    });
  });

  test('the tail of the log comes when it was asked for', async () => {
    const { port } = await start((_target, { tail }) =>
      Promise.resolve(answered('1', { report: Promise.resolve(tail ? { ...report, logTail: 'TE9H' } : report) })),
    );
    const headers = { 'X-Amz-Log-Type': 'Tail' };
    expect((await fetchOnce(port, { method: 'POST', path: path(), headers })).headers['x-amz-log-result']).toBe('TE9H');
    expect((await fetchOnce(port, { method: 'POST', path: path() })).headers['x-amz-log-result']).toBeUndefined();
  });

  test('client context and trace id are handed on', async () => {
    const { port } = await start((_target, { clientContext, traceId }) =>
      Promise.resolve(answered(JSON.stringify({ clientContext, traceId }))),
    );
    const headers = {
      'X-Amz-Client-Context': Buffer.from('{"custom":{}}').toString('base64'),
      'X-Amzn-Trace-Id': 'Root=1-a-b',
    };
    const reply = await fetchOnce(port, { method: 'POST', path: path(), headers });
    expect(JSON.parse(reply.body.toString())).toEqual({ clientContext: '{"custom":{}}', traceId: 'Root=1-a-b' });
  });

  test.each<[reason: string, label: string, query: string, arn: string, version: string]>([
    ['a name', 'hello', '', 'hello', '$LATEST'],
    ['a qualifier in the query', 'hello', '?Qualifier=1', 'hello:1', '1'],
    ['a qualifier in the name', 'hello%3A2', '', 'hello:2', '2'],
    ['both alike', 'hello:2', '?Qualifier=2', 'hello:2', '2'],
    ['$LATEST said', 'hello', '?Qualifier=%24LATEST', 'hello:$LATEST', '$LATEST'],
    ['an alias with weights', 'hello:live', '', 'hello:live', '2'],
    ['a partial ARN', '000000000000:function:hello', '', 'hello', '$LATEST'],
    ['an ARN', 'arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello%3A1', '', 'hello:1', '1'],
  ])('resolves %s', async (_reason, label, query, arn, version) => {
    const { port } = await start((_target, { invokedFunctionArn }) =>
      Promise.resolve(answered(JSON.stringify(invokedFunctionArn))),
    );
    const reply = await fetchOnce(port, { method: 'POST', path: path(label, query) });
    expect(JSON.parse(reply.body.toString())).toBe(`arn:aws:lambda:us-east-1:000000000000:function:${arn}`);
    expect(reply.headers['x-amz-executed-version']).toBe(version);
  });

  test.each<
    [
      reason: string,
      over: { path?: string; headers?: Record<string, string>; body?: string },
      status: number,
      type: string,
      body: object,
    ]
  >([
    [
      'unknown function',
      { path: path('nobody') },
      404,
      'ResourceNotFoundException',
      { Type: 'User', Message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST' },
    ],
    [
      'unknown version',
      { path: path('hello:9') },
      404,
      'ResourceNotFoundException',
      { Type: 'User', Message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:9' },
    ],
    [
      'another region',
      { path: path('arn:aws:lambda:eu-west-1:000000000000:function:hello') },
      404,
      'ResourceNotFoundException',
      { Type: 'User', Message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')" },
    ],
    [
      'another account',
      { path: path('111111111111:function:hello') },
      404,
      'ResourceNotFoundException',
      { Type: 'User', Message: 'Function not found: arn:aws:lambda:us-east-1:111111111111:function:hello:$LATEST' },
    ],
    [
      'qualifiers that clash',
      { path: path('hello:1', '?Qualifier=2') },
      400,
      'InvalidParameterValueException',
      { Type: 'User', message: 'The derived qualifier from the function name does not match the specified qualifier.' },
    ],
    [
      'not JSON',
      { body: 'hello' },
      400,
      'InvalidRequestContentException',
      {
        Type: 'User',
        message: "Could not parse request body into json: unexpected character ('h' (code 104)) at line 1, column 1",
      },
    ],
    [
      'a function that has no version yet',
      { path: path('young') },
      409,
      'ResourceConflictException',
      {
        Type: 'User',
        message:
          'The operation cannot be performed at this time. The function is currently in the following state: Pending',
      },
    ],
    [
      'asynchronous invocation',
      { headers: { 'X-Amz-Invocation-Type': 'Event' } },
      501,
      'NotImplementedException',
      { Type: 'Service', message: 'asynchronous invocation (InvocationType Event) is not available yet' },
    ],
  ])('refuses: %s', async (_reason, over, status, type, body) => {
    const { port } = await start(echo);
    const reply = await fetchOnce(port, { method: 'POST', path: path(), ...over });
    expect({
      status: reply.status,
      type: reply.headers['x-amzn-errortype'],
      body: JSON.parse(reply.body.toString()),
    }).toEqual({ status, type, body });
    expect(reply.headers['x-amzn-requestid']).toBe('11111111-2222-4333-8444-555555555555');
  });

  test.each(['%ZZ', 'a b', 'hello:', '', '..', '%2e%2e', '__proto__:x:y', 'a'.repeat(65)])(
    'a name like %p is refused with 4xx',
    async (label) => {
      const { port } = await start(echo);
      const reply = await sendRaw(
        port,
        `POST ${path(encodeURI(label).replaceAll('%25', '%'))} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect(reply).toMatch(/^HTTP\/1.1 (4\d\d|200 OK\r\n[\s\S]*control)/);
    },
  );

  test('a throttle says why and when to come back', async () => {
    const { port } = await start(() =>
      Promise.reject(new TooManyRequests('ReservedFunctionConcurrentInvocationLimitExceeded')),
    );
    const reply = await fetchOnce(port, { method: 'POST', path: path() });
    expect(reply).toMatchObject({ status: 429, headers: { 'retry-after': '1', 'x-kappa-fault': 'caller' } });
    expect(JSON.parse(reply.body.toString())).toEqual({
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      Type: 'User',
      message: 'Rate Exceeded.',
    });
  });

  test('what must not happen is 500 without its text', async () => {
    const { port } = await start(() => Promise.reject(new Error('secret detail')));
    const reply = await fetchOnce(port, { method: 'POST', path: path() });
    expect(reply.status).toBe(500);
    expect(reply.body.toString()).not.toContain('secret');
  });

  test('a dry run is 204 and runs nothing', async () => {
    const { port } = await start(() => Promise.reject(new Error('ran')));
    const headers = { 'X-Amz-Invocation-Type': 'DryRun' };
    expect((await fetchOnce(port, { method: 'POST', path: path(), headers })).status).toBe(204);
  });
});

describe('limits', () => {
  test('a Content-Length above the limit is 413 before a byte of it is read', async () => {
    const { port } = await start(echo);
    const reply = await sendRaw(
      port,
      `POST ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 6291557\r\nConnection: close\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1.1 413 /);
    expect(reply).toContain(
      '{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}',
    );
  });

  test('with Expect: 100-continue it is 413 without a Continue', async () => {
    const { port } = await start(echo);
    const head = `POST ${path()} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n`;
    expect(await sendRaw(port, `${head}Content-Length: 60000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('the limit itself is taken', async () => {
    const { port, budget } = await start((_target, { event }) => Promise.resolve(answered(String(event.length))));
    const body = Buffer.alloc(6_291_556, 0x20);
    body[0] = 0x31;
    const reply = await fetchOnce(port, { method: 'POST', path: path(), body });
    expect(reply.body.toString()).toBe('6291556');
    expect(budget.usedBytes).toBe(0);
  });

  test('a chunked body is 413 as soon as it goes over', async () => {
    const { port, budget } = await start(echo);
    const piece = Buffer.alloc(1_000_000, 0x20);
    const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
    const head = Buffer.from(`POST ${path()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const reply = await sendRaw(
      port,
      Buffer.concat([head, ...Array.from({ length: 7 }, () => chunk), Buffer.from('0\r\n\r\n')]),
    );
    expect(reply).toMatch(/^HTTP\/1.1 413 /);
    expect(budget.usedBytes).toBe(0);
  });

  test('bodies that do not fit together are 503', async () => {
    const { port, budget } = await start(echo, { budgetBytes: 10 });
    const reply = await fetchOnce(port, { method: 'POST', path: path(), body: '"0123456789"' });
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1', 'x-kappa-fault': 'platform' } });
    expect(budget.usedBytes).toBe(0);
  });

  test('large headers are 431', async () => {
    const { port } = await start(echo);
    expect(await sendRaw(port, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
  });

  test('a caller that goes away in its body leaves nothing behind', async () => {
    const { port, budget, inFlight } = await start(echo);
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`);
    await until(() => budget.usedBytes === 100);
    socket.destroy();
    await until(() => budget.usedBytes === 0 && inFlight() === 0);
  });
});

describe('framing', () => {
  const head = `POST ${path()} HTTP/1.1\r\nHost: x\r\n`;
  test.each<[reason: string, request: string]>([
    ['Content-Length and Transfer-Encoding', `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two Content-Lengths', `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n12`],
    ['the same Content-Length twice', `${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\n1`],
    ['a list of Content-Lengths', `${head}Content-Length: 1, 1\r\n\r\n1`],
    ['a sign in Content-Length', `${head}Content-Length: +1\r\n\r\n1`],
    ['a negative Content-Length', `${head}Content-Length: -1\r\n\r\n`],
    ['a hexadecimal Content-Length', `${head}Content-Length: 0x1\r\n\r\n1`],
    ['a transfer coding before chunked', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['a transfer coding that is not chunked', `${head}Transfer-Encoding: identity\r\n\r\n`],
    ['chunked twice', `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a look-alike of chunked', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a bad chunk size', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n1\r\n0\r\n\r\n`],
    ['a chunk longer than it says', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n12\r\n0\r\n\r\n`],
    ['a huge chunk size', `${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`],
    ['a folded header', `${head}X-A: b\r\n c\r\n\r\n`],
    ['a space before the colon', `${head}Content-Length : 1\r\n\r\n1`],
    ['a bare line feed', `POST ${path()} HTTP/1.1\nHost: x\nContent-Length: 1\n\n1`],
    ['a bare carriage return', `${head}X-A: b\rX-B: c\r\n\r\n`],
    ['a NUL in a header', `${head}X-A: b\0c\r\n\r\n`],
    ['no Host', `POST ${path()} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`],
    ['two Hosts', `${head}Host: y\r\nContent-Length: 0\r\n\r\n`],
    ['an absolute target', 'GET http://other/healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a proxy request', 'CONNECT other:80 HTTP/1.1\r\nHost: other:80\r\n\r\n'],
    ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
  ])('%s: 400 and the end of the connection', async (_reason, request) => {
    let runs = 0;
    const { port } = await start(() => {
      runs += 1;
      return Promise.resolve(answered('1'));
    });
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const reply = await sendRaw(port, request + smuggled);
    expect(reply).toMatch(/^HTTP\/1.1 400 /);
    expect(reply.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(runs).toBe(0);
  });

  test('h2c is passed over', async () => {
    const { port } = await start(echo);
    const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAAA' };
    const reply = await fetchOnce(port, { method: 'POST', path: path(), headers, body: '"x"' });
    expect(reply).toMatchObject({ status: 200, body: Buffer.from('"x"') });
  });

  test('an unknown Expect is 417', async () => {
    const { port } = await start(echo);
    expect(await sendRaw(port, `${head}Expect: magic\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 417 /,
    );
  });

  test('a header named __proto__ is harmless', async () => {
    const { port } = await start(echo);
    expect(
      await sendRaw(port, `${head}__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 200 /);
  });

  test('requests on one connection are answered in turn', async () => {
    const { port } = await start(echo);
    const one = (body: string, more = '') => `${head}${more}Content-Length: ${body.length}\r\n\r\n${body}`;
    const reply = await sendRaw(port, one('"first"') + one('"second"', 'Connection: close\r\n'));
    expect(reply.indexOf('"first"')).toBeGreaterThan(0);
    expect(reply.indexOf('"second"')).toBeGreaterThan(reply.indexOf('"first"'));
  });
});

test('a stopping server ends connections with their answer', async () => {
  const { port } = await start(echo, { isStopping: () => true });
  const reply = await sendRaw(port, `POST ${path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1`);
  expect(reply).toContain('Connection: close');
});

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error('it never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
