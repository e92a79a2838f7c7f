import { type IncomingMessage, request } from 'node:http';

import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, expect, test } from '@jest/globals';

import { AnswerStream } from '../dispatch/answer-stream.ts';
import type { Outcome } from '../dispatch/types.ts';
import { ServiceException } from '../errors.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import { answered, fetchOnce, report, until } from '../testing.ts';
import { type Rig, startServer, stopServers } from './testing.ts';

const clients: LambdaClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await stopServers();
});

const path = '/2021-11-15/functions/hello/response-streaming-invocations';

/** A function whose answer the test writes. */
async function streaming(over: Partial<Outcome> = {}, options: { stallMs?: number } = {}) {
  const credits: number[] = [];
  const source = new AnswerStream((bytes) => credits.push(bytes));
  const rig = await startServer(async (_target, { stream }) => {
    expect(stream).toEqual({ windowBytes: STREAM_WINDOW_BYTES, maxBytes: 1_000_000 });
    return answered('', { body: source, ...over });
  }, options);
  return { ...rig, source, allowed: () => credits.reduce((sum, bytes) => sum + bytes, 0) };
}

/** The events of one call, as the SDK gives them, each when it comes. */
async function* call({ port }: Rig, logType: 'None' | 'Tail' = 'None') {
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody' };
  const client = new LambdaClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
  clients.push(client);
  const command = new InvokeWithResponseStreamCommand({ FunctionName: 'hello', LogType: logType });
  const { EventStream = [] } = await client.send(command);
  for await (const { PayloadChunk, InvokeComplete } of EventStream)
    yield PayloadChunk === undefined ? InvokeComplete : Buffer.from(PayloadChunk.Payload ?? []).toString();
}

/** A call over plain HTTP whose answer nobody reads by itself. */
function open(port: number, version = ''): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, method: 'POST', path: `${path}${version}`, agent: false }, resolve);
    req.on('error', reject);
    req.end('{}');
  });
}

test('a chunk is read before the function writes the next one', async () => {
  const rig = await streaming();
  const events = call(rig);
  rig.source.push(Buffer.from('first'));
  expect((await events.next()).value).toBe('first');
  expect(rig.inFlight()).toBe(1);
  rig.source.push(Buffer.from('second'));
  expect((await events.next()).value).toBe('second');
  rig.source.finish({ kind: 'complete' });
  expect((await events.next()).value).toEqual({});
  expect((await events.next()).done).toBe(true);
  await until(() => rig.inFlight() === 0);
});

test('what comes whole is one chunk', async () => {
  const rig = await startServer(async () => answered('"whole"'));
  expect(await Array.fromAsync(call(rig))).toEqual(['"whole"', {}]);
});

test('an empty answer has no chunk', async () => {
  const rig = await startServer(async () => answered(''));
  expect(await Array.fromAsync(call(rig))).toEqual([{}]);
});

const error = '{"errorType":"TypeError","errorMessage":"boom"}';

test('the function’s error before its first byte, and after it', async () => {
  const whole = await startServer(async () => answered(error, { kind: 'error', errorType: 'TypeError' }));
  const complete = { ErrorCode: 'Unhandled', ErrorDetails: error };
  expect(await Array.fromAsync(call(whole))).toEqual([complete]);
  const rig = await streaming();
  rig.source.push(Buffer.from('part'));
  rig.source.finish({ kind: 'failed', errorType: 'TypeError', payload: Buffer.from(error) });
  expect(await Array.fromAsync(call(rig))).toEqual(['part', complete]);
  expect(rig.refused).toEqual([]);
});

test('a pod that is lost in the middle is an error of the platform, told once', async () => {
  const rig = await streaming();
  rig.source.push(Buffer.from('part'));
  rig.source.finish({ kind: 'lost', error: new ServiceException('The link to the pod was lost.') });
  const [part, complete] = await Array.fromAsync(call(rig));
  expect(part).toBe('part');
  expect(complete).toMatchObject({ ErrorCode: 'ServiceException', ErrorDetails: expect.stringContaining('was lost') });
  expect(rig.refused).toHaveLength(1);
});

test('the log’s tail comes with the end', async () => {
  const rig = await streaming({ report: Promise.resolve({ ...report, logTail: 'bG9n' }) });
  rig.source.finish({ kind: 'complete' });
  expect(await Array.fromAsync(call(rig, 'Tail'))).toEqual([{ LogResult: 'bG9n' }]);
});

test('what is refused is refused as for Invoke', async () => {
  const { port } = await streaming();
  const post = (where: string, headers: Record<string, string> = {}) =>
    fetchOnce(port, { method: 'POST', path: where, headers, body: '{}' });
  const unknown = await post('/2021-11-15/functions/nobody/response-streaming-invocations');
  expect([unknown.status, unknown.headers['x-amzn-errortype']]).toEqual([404, 'ResourceNotFoundException']);
  expect((await post(path, { 'x-amz-invocation-type': 'DryRun' })).status).toBe(204);
  expect((await post(path, { 'x-amz-invocation-type': 'Event' })).body.toString()).toContain(
    'Member must satisfy enum value set: [RequestResponse, DryRun]',
  );
  expect((await post('/2021-11-15/functions//response-streaming-invocations')).body.toString()).toBe('control');
});

test('a caller that goes away frees the function to write on, and is in flight until its end', async () => {
  const rig = await streaming();
  const answer = await open(rig.port);
  answer.destroy();
  await until(() => {
    rig.source.push(Buffer.alloc(STREAM_WINDOW_BYTES / 4));
    return rig.allowed() > STREAM_WINDOW_BYTES * 4;
  });
  expect(rig.inFlight()).toBe(1);
  rig.source.finish({ kind: 'complete' });
  await until(() => rig.inFlight() === 0);
});

test('a caller that takes nothing is cut off', async () => {
  const rig = await streaming({}, { stallMs: 30 });
  const answer = await open(rig.port);
  answer.pause();
  const cut = new Promise((resolve) => answer.once('error', resolve));
  for (let count = 0; count < 128; count += 1) rig.source.push(Buffer.alloc(STREAM_WINDOW_BYTES));
  await until(() => rig.allowed() >= 128 * STREAM_WINDOW_BYTES); // it is thrown away: nobody holds the function up
  rig.source.finish({ kind: 'complete' });
  answer.resume();
  expect(await cut).toMatchObject({ code: 'ECONNRESET' });
  await until(() => rig.inFlight() === 0);
});
