import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';
import { invokeStream, openUrl, restOf } from '../src/streams.ts';

const MiB = 1024 * 1024;
/** More than all kernel buffers on the way hold together. */
const largeBytes = 48 * MiB;
const maxBytes = 64 * MiB;

/**
 * Plays the steps of its event, or of the query: `write TEXT`, `large BYTES`, `mark FILE` (makes it), `wait FILE` (until it is there),
 * `throw`, `exit`, `hang`; `head JSON` first. So a test says what happens before what.
 */
const player = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const plays = {
  write: (stream, text) => stream.write(text),
  large: async (stream, bytes) => {
    const piece = Buffer.alloc(65536, 'x');
    for (let written = 0; written < Number(bytes); written += piece.length)
      if (!stream.write(piece)) await new Promise((go) => stream.once('drain', go));
  },
  mark: (_stream, file) => writeFileSync(file, ''),
  wait: async (_stream, file) => { while (!existsSync(file)) await pause(2); },
  throw: () => { throw new TypeError('boom'); },
  exit: async () => { await pause(20); process.exit(5); },
  hang: () => pause(60_000),
};

export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  let stream = responseStream;
  const steps = event.steps ?? JSON.parse(event.queryStringParameters.steps);
  for (const step of steps) {
    const [verb, ...rest] = step.split(' ');
    if (verb === 'head') stream = awslambda.HttpResponseStream.from(responseStream, JSON.parse(rest.join(' ')));
    else await plays[verb](stream, rest.join(' '));
  }
  stream.end();
});`;

let kappa: TestPlatform;
let client: LambdaClient;
let folder: string;
let files = 0;
let goOn: string;
let done: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-stream-'));
  kappa = await startTestPlatform({ examples: false, environment: { KAPPA_STREAM_MAX_BYTES: String(maxBytes) } });
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody' };
  client = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  const http = { auth: 'None', invokeMode: 'ResponseStream' };
  await kappa.applyReady(nodeFunction('player', player, { http, timeoutSeconds: 30 }));
  await kappa.applyReady(nodeFunction('buffered-player', player));
  await kappa.applyReady(nodeFunction('brief', player, { http, timeoutSeconds: 2 }));
  const greeting = 'export const handler = async () => ({ statusCode: 201, headers: { "x-a": "b" }, body: "hello" });';
  await kappa.applyReady(nodeFunction('whole', greeting, { http }));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);
beforeEach(() => {
  files += 1;
  goOn = join(folder, `go-on-${files}`);
  done = join(folder, `done-${files}`);
});

const stream = (name: string, ...steps: string[]) => invokeStream(client, name, { steps });
const url = (name: string, ...steps: string[]): string =>
  `${kappa.endpoint}/fn/default/${name}/?steps=${encodeURIComponent(JSON.stringify(steps))}`;
const isThere = (file: string) => eventually(`${file} is there`, async () => existsSync(file));

describe('InvokeWithResponseStream', () => {
  test('a chunk is read before the function writes the next one', async () => {
    const events = stream('player', 'write first', `wait ${goOn}`, 'write second');
    expect((await events.next()).value).toBe('first');
    writeFileSync(goOn, '');
    expect((await events.next()).value).toBe('second');
    const { LogResult } = (await events.next()).value as { LogResult: string };
    expect(Buffer.from(LogResult, 'base64').toString()).toMatch(/REPORT RequestId: /);
    expect((await events.next()).done).toBe(true);
  });

  test('a function that does not stream has one chunk', async () => {
    const [chunk, complete] = await Array.fromAsync(invokeStream(client, 'whole'));
    expect(JSON.parse(String(chunk))).toMatchObject({ statusCode: 201 });
    expect(complete).not.toHaveProperty('ErrorCode');
  });

  test.each<[reason: string, name: string, steps: string[], errorType: string]>([
    ['throws', 'player', ['throw'], 'TypeError'],
    ['exits', 'player', ['exit'], 'Runtime.ExitError'],
    ['takes too long', 'brief', ['hang'], 'Sandbox.Timedout'],
    ['writes too much', 'player', [`large ${maxBytes + MiB}`], 'Function.ResponseSizeTooLarge'],
  ])('a function that %s after its first byte', async (_reason, name, steps, errorType) => {
    const events = await Array.fromAsync(stream(name, 'write part', ...steps));
    expect(String(events[0])).toMatch(/^part/);
    expect(events.at(-1)).toMatchObject({ ErrorCode: 'Unhandled' });
    expect(JSON.parse((events.at(-1) as { ErrorDetails: string }).ErrorDetails)).toMatchObject({ errorType });
  });

  test('an error before the first byte', async () => {
    expect(await Array.fromAsync(stream('player', 'throw'))).toMatchObject([{ ErrorCode: 'Unhandled' }]);
  });

  test('a pod that dies in the middle', async () => {
    const events = stream('player', 'write part', 'hang');
    expect((await events.next()).value).toBe('part');
    await eventually('the pod has its label', async () => (await kappa.podsOf('player')).length > 0);
    await kappa.killAgentsOf('player');
    expect((await events.next()).value).toMatchObject({ ErrorCode: 'ServiceException' });
  });

  test('a missing function', async () => {
    await expect(stream('nobody').next()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('function URLs', () => {
  test('status, headers and cookies are there before the body', async () => {
    const head = {
      statusCode: 202,
      headers: { 'x-a': 'b', 'Content-Type': 'text/event-stream' },
      cookies: ['c=1', 'd=2'],
    };
    const steps = [`head ${JSON.stringify(head)}`, 'write one', `wait ${goOn}`, 'write two'];
    const answer = await openUrl(url('player', ...steps));
    expect(answer).toMatchObject({
      statusCode: 202,
      headers: {
        'x-a': 'b',
        'content-type': 'text/event-stream',
        'set-cookie': ['c=1', 'd=2'],
        'transfer-encoding': 'chunked',
      },
    });
    const pieces = answer[Symbol.asyncIterator]();
    expect(String((await pieces.next()).value)).toBe('one');
    writeFileSync(goOn, '');
    expect(String((await pieces.next()).value)).toBe('two');
    expect((await pieces.next()).done).toBe(true);
  });

  test('without a head', async () => {
    const answer = await openUrl(url('player', 'write plain'));
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/octet-stream' } });
    expect(await restOf(answer)).toEqual({ text: 'plain', isComplete: true });
  });

  test('a function that does not stream answers as ever', async () => {
    const answer = await openUrl(`${kappa.endpoint}/fn/default/whole/`);
    expect(answer).toMatchObject({ statusCode: 201, headers: { 'x-a': 'b' } });
    expect(await restOf(answer)).toEqual({ text: 'hello', isComplete: true });
  });

  test.each<[reason: string, name: string, step: string]>([
    ['throws', 'player', 'throw'],
    ['exits', 'player', 'exit'],
    ['takes too long', 'brief', 'hang'],
  ])('the connection of a function that %s is cut', async (_reason, name, step) => {
    const answer = await openUrl(url(name, 'write part', step));
    expect(await restOf(answer)).toEqual({ text: 'part', isComplete: false });
    const early = await openUrl(url(name, step));
    expect([early.statusCode, (await restOf(early)).text]).toEqual([502, '{"message":"Internal Server Error"}']);
  });

  test('the connection is cut when the pod dies', async () => {
    const answer = await openUrl(url('player', 'write part', `mark ${done}`, 'hang'));
    await isThere(done);
    await eventually('the pod has its label', async () => (await kappa.podsOf('player')).length > 0);
    await kappa.killAgentsOf('player');
    expect(await restOf(answer)).toEqual({ text: 'part', isComplete: false });
  });
});

describe('flow', () => {
  test('a caller that does not read stops the function, until it reads', async () => {
    const answer = await openUrl(url('player', 'write a', `large ${largeBytes}`, `mark ${done}`));
    expect(answer.statusCode).toBe(200);
    // Meanwhile another function writes as much to a caller that reads.
    await Array.fromAsync(stream('buffered-player', `large ${largeBytes}`), () => undefined);
    expect(existsSync(done)).toBe(false);
    expect(await restOf(answer)).toMatchObject({ isComplete: true });
    await isThere(done);
  });

  test('a caller that goes away does not stop the function', async () => {
    const answer = await openUrl(url('player', 'write a', `large ${largeBytes}`, `mark ${done}`));
    answer.destroy();
    await isThere(done);
    await kappa.quiet();
  });
});

describe('the other way round', () => {
  test('Invoke of a function that streams has the whole answer', async () => {
    const { status, payload } = await invoke(kappa.endpoint, 'player', { payload: { steps: ['write a', 'write b'] } });
    expect([status, payload]).toEqual([200, 'ab']);
  });

  test('... up to 6 MiB', async () => {
    const tooMuch = await invoke(kappa.endpoint, 'player', { payload: { steps: [`large ${7 * MiB}`] } });
    expect(tooMuch).toMatchObject({
      functionError: 'Unhandled',
      payload: { errorType: 'Function.ResponseSizeTooLarge' },
    });
  });

  test('a URL in mode Buffered knows the head', async () => {
    const answer = await openUrl(url('buffered-player', 'head {"statusCode":203,"headers":{"x-a":"b"}}', 'write body'));
    expect(answer).toMatchObject({ statusCode: 203, headers: { 'x-a': 'b', 'content-length': '4' } });
    expect((await restOf(answer)).text).toBe('body');
  });
});

test('the example counts down', async () => {
  await kappa.kubectl.ok(['apply', '-f', fileURLToPath(new URL('../../examples/stream.yaml', import.meta.url))]);
  await kappa.kubectl.ok(['wait', 'fn/stream', '--for=condition=Ready', '--timeout=30s']);
  const path = `${kappa.endpoint}/fn/default/stream/?from=2&pauseMs=1`;
  await eventually('the gateway knows it', async () => (await fetch(path)).status === 200);
  const answer = await openUrl(path);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'set-cookie': ['counted=yes; Path=/'],
  });
  expect(await restOf(answer)).toEqual({ text: '2\n1\ngo\n', isComplete: true });
});
