import { afterEach, expect, test } from '@jest/globals';

import { TooManyRequests } from '../errors.ts';
import { answered, fetchOnce, report, sendRaw } from '../testing.ts';
import { echo, path, startServer, stopServers } from './testing.ts';

afterEach(stopServers);

test('hands the event over as it came and answers with Lambda’s headers', async () => {
  const { port, budget } = await startServer(echo);
  const reply = await fetchOnce(port, { method: 'POST', path: path(), body: ' {"a": 1}' });
  expect(reply).toMatchObject({ status: 200, body: Buffer.from(' {"a": 1}') });
  expect(reply.headers).toMatchObject({
    'content-type': 'application/json',
    'x-amzn-requestid': '11111111-2222-4333-8444-555555555555',
    'x-amz-executed-version': '$LATEST',
    'x-amzn-trace-id': 'Root=1-6553f100-111111112222433384445555;Lineage=0b9ba47a:0',
  });
  expect(reply.headers['x-amz-function-error']).toBeUndefined();
  expect(budget.usedBytes).toBe(0);
});

test('an empty body is an empty object', async () => {
  const { port } = await startServer(echo);
  expect((await fetchOnce(port, { method: 'POST', path: path() })).body.toString()).toBe('{}');
});

test('a function error is 200 with X-Amz-Function-Error', async () => {
  const { port } = await startServer(() =>
    Promise.resolve(answered('{"errorType":"Error"}', { kind: 'error', errorType: 'Error' })),
  );
  const reply = await fetchOnce(port, { method: 'POST', path: path(), body: '1' });
  expect(reply).toMatchObject({
    status: 200,
    headers: { 'x-amz-function-error': 'Unhandled', 'x-kappa-fault': 'function' },
  });
});

test('the tail of the log comes when it was asked for', async () => {
  const { port } = await startServer((_target, { tail }) =>
    Promise.resolve(answered('1', { report: Promise.resolve(tail ? { ...report, logTail: 'TE9H' } : report) })),
  );
  const headers = { 'X-Amz-Log-Type': 'Tail' };
  expect((await fetchOnce(port, { method: 'POST', path: path(), headers })).headers['x-amz-log-result']).toBe('TE9H');
  expect((await fetchOnce(port, { method: 'POST', path: path() })).headers['x-amz-log-result']).toBeUndefined();
});

test('client context and trace id are handed on', async () => {
  const { port } = await startServer((_target, { clientContext, traceId }) =>
    Promise.resolve(answered(JSON.stringify({ clientContext, traceId }))),
  );
  const headers = {
    'X-Amz-Client-Context': Buffer.from('{"custom":{}}').toString('base64'),
    'X-Amzn-Trace-Id': 'Root=1-a-b',
  };
  const reply = await fetchOnce(port, { method: 'POST', path: path(), headers });
  const traceId = 'Root=1-a-b;Lineage=0b9ba47a:0';
  expect(JSON.parse(reply.body.toString())).toEqual({ clientContext: '{"custom":{}}', traceId });
  expect(reply.headers['x-amzn-trace-id']).toBe(traceId);
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
  const { port } = await startServer((_target, { invokedFunctionArn }) =>
    Promise.resolve(answered(JSON.stringify(invokedFunctionArn))),
  );
  const reply = await fetchOnce(port, { method: 'POST', path: path(label, query) });
  expect(JSON.parse(reply.body.toString())).toBe(`arn:aws:lambda:us-east-1:000000000000:function:${arn}`);
  expect(reply.headers['x-amz-executed-version']).toBe(version);
});

test('the seventeenth run in one chain is refused, under whatever name it is called', async () => {
  const { port, refused } = await startServer(echo);
  const headers: Record<string, string> = {};
  for (const label of Array.from({ length: 16 }, (_, run) => (run % 2 === 0 ? 'hello' : 'hello:live'))) {
    const reply = await fetchOnce(port, { method: 'POST', path: path(label), headers });
    expect(reply.status).toBe(200);
    headers['X-Amzn-Trace-Id'] = String(reply.headers['x-amzn-trace-id']);
  }
  const reply = await fetchOnce(port, { method: 'POST', path: path('hello:1'), headers });
  expect(reply).toMatchObject({
    status: 400,
    headers: { 'x-amzn-errortype': 'RecursiveInvocationException', 'x-kappa-fault': 'function' },
  });
  expect(JSON.parse(reply.body.toString())).toEqual({
    Type: 'User',
    Message: expect.stringMatching(/^The function \S+:function:hello is called in a loop: it has run 16 times in/),
  });
  expect(refused).toHaveLength(1);
});

type Ask = { readonly path?: string; readonly headers?: Record<string, string>; readonly body?: string };

const refusal = (status: number, type: string, message: string) => ({ status, type, body: { Type: 'User', message } });
const notFound = (text: string) => ({
  status: 404,
  type: 'ResourceNotFoundException',
  body: { Type: 'User', Message: text }, // AWS writes this one with a capital
});

test.each<[reason: string, ask: Ask, want: { status: number; type: string; body: object }]>([
  [
    'unknown function',
    { path: path('nobody') },
    notFound('Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST'),
  ],
  [
    'unknown version',
    { path: path('hello:9') },
    notFound('Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:9'),
  ],
  [
    'another region',
    { path: path('arn:aws:lambda:eu-west-1:000000000000:function:hello') },
    notFound("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"),
  ],
  [
    'another account',
    { path: path('111111111111:function:hello') },
    notFound('Function not found: arn:aws:lambda:us-east-1:111111111111:function:hello:$LATEST'),
  ],
  [
    'qualifiers that clash',
    { path: path('hello:1', '?Qualifier=2') },
    refusal(
      400,
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    ),
  ],
  [
    'not JSON',
    { body: 'hello' },
    refusal(
      400,
      'InvalidRequestContentException',
      "Could not parse request body into json: unexpected character ('h' (code 104)) at line 1, column 1",
    ),
  ],
  [
    'a function that has no version yet',
    { path: path('young') },
    refusal(
      409,
      'ResourceConflictException',
      'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    ),
  ],
])('refuses: %s', async (_reason, ask, want) => {
  const { port } = await startServer(echo);
  const { status, headers, body } = await fetchOnce(port, { method: 'POST', path: path(), ...ask });
  expect({ status, type: headers['x-amzn-errortype'], body: JSON.parse(body.toString()) }).toEqual(want);
  expect(headers['x-amzn-requestid']).toBe('11111111-2222-4333-8444-555555555555');
});

test.each(['%ZZ', 'a b', 'hello:', '', '..', '%2e%2e', '__proto__:x:y', 'a'.repeat(65)])(
  'a name like %p is refused with 4xx',
  async (label) => {
    const { port } = await startServer(echo);
    const reply = await sendRaw(
      port,
      `POST ${path(encodeURI(label).replaceAll('%25', '%'))} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1.1 (4\d\d|200 OK\r\n[\s\S]*control)/);
  },
);

test('a throttle says why and when to come back', async () => {
  const { port } = await startServer(() =>
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
  const { port } = await startServer(() => Promise.reject(new Error('secret detail')));
  const reply = await fetchOnce(port, { method: 'POST', path: path() });
  expect(reply.status).toBe(500);
  expect(reply.body.toString()).not.toContain('secret');
});

test('a dry run is 204 and runs nothing', async () => {
  const { port } = await startServer(() => Promise.reject(new Error('ran')));
  const headers = { 'X-Amz-Invocation-Type': 'DryRun' };
  expect((await fetchOnce(port, { method: 'POST', path: path(), headers })).status).toBe(204);
});

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is not Invoke: it runs nothing', async (method) => {
  const ran: string[] = [];
  const { port } = await startServer((_target, { requestId }) => {
    ran.push(requestId);
    return Promise.resolve(answered('{}'));
  });
  const streamed = path().replace('2015-03-31', '2021-11-15').replace('invocations', 'response-streaming-invocations');
  for (const target of [path(), streamed]) {
    const reply = await fetchOnce(port, { method, path: target, headers: { 'Content-Length': '0' } });
    expect(reply.headers['x-amz-executed-version']).toBeUndefined();
  }
  expect(ran).toEqual([]);
});
