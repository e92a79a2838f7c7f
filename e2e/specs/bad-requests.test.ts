import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  await kappa.applyReady(nodeFunction('echo', `export const handler = (e) => e;`, { timeoutSeconds: 30 }));
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

const limit = 6_291_556;

test('the largest event and the largest answer pass', async () => {
  const text = 'x'.repeat(limit - 2);
  const { status, payload, functionError } = await invoke(kappa.endpoint, 'echo', { payload: text });
  expect([status, functionError, payload === text]).toEqual([200, null, true]);
});

test.each<[reason: string, options: Parameters<typeof invoke>[2], status: number, errorType: RegExp]>([
  ['one byte more than 6 MB', { payload: 'x'.repeat(limit - 1) }, 413, /^RequestTooLargeException/],
  ['a body that is not JSON', { rawPayload: '{"a":' }, 400, /^InvalidRequestContentException/],
  ['a qualifier that does not exist', { qualifier: '7' }, 404, /^ResourceNotFoundException/],
  [
    'a client context that is not JSON',
    { headers: { 'x-amz-client-context': 'bm9wZQ==' } },
    400,
    /^InvalidRequestContentException/,
  ],
  [
    'an unknown invocation type',
    { headers: { 'x-amz-invocation-type': 'Later' } },
    400,
    /^InvalidParameterValueException/,
  ],
])('%s is refused as Lambda does', async (_reason, options, status, errorType) => {
  const answer = await invoke(kappa.endpoint, 'echo', options);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('x-amzn-errortype')).toMatch(errorType);
  expect(answer.requestId).toMatch(/^[-0-9a-f]{36}$/);
});

test('DryRun runs nothing and answers 204', async () => {
  expect((await invoke(kappa.endpoint, 'echo', { headers: { 'x-amz-invocation-type': 'DryRun' } })).status).toBe(204);
});

test('413 comes before the body is read', async () => {
  const head = `POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: ${limit + 1}\r\n\r\n`;
  expect(await kappa.raw(head)).toMatch(/^HTTP\/1\.1 413 /);
});

const post = 'POST /fn/default/echo/ HTTP/1.1\r\nHost: x\r\n';
test.each<[reason: string, text: string]>([
  ['length and chunks', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two lengths', `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`],
  ['a folded header', `${post}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n`],
  ['a bare line feed in chunks', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`],
  ['no host', 'GET /fn/default/echo/ HTTP/1.1\r\n\r\n'],
])('ambiguous framing is refused: %s', async (_reason, text) => {
  const answer = await kappa.raw(text);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/x-amzn-RequestId: [-0-9a-f]{36}/);
});

test('an upgrade is not carried', async () => {
  const answer = await kappa.raw(`${post.replace('POST', 'GET')}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('a caller that hangs up gives its place back when its call has ended', async () => {
  const source = `const ran = []; export const handler = async (e) => { if (e.id) ran.push(e.id); await new Promise((r) => setTimeout(r, e.ms ?? 0)); return ran; };`;
  await kappa.applyReady(nodeFunction('once', source, { timeoutSeconds: 20, concurrency: { reserved: 2 } }));
  const { hostname, port } = new URL(kappa.endpoint);
  const hangUp = async (body: string, busy: number): Promise<void> => {
    const socket = connect(Number(port), hostname);
    const head = `POST /2015-03-31/functions/once/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head + body);
    await eventually('it runs', async () => (await kappa.busyPods()) === busy);
    socket.destroy();
  };
  await hangUp('{"id":1,"ms":3000}', 1);
  await hangUp('{"id":2,"ms":3000}', 2);
  await kappa.quiet();
  const answers = await Promise.all([invoke(kappa.endpoint, 'once'), invoke(kappa.endpoint, 'once')]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
});
