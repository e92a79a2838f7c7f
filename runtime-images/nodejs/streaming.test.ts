import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function claimed(source: string, fn: Partial<TestFunction> = {}, runtime = 'nodejs24.x'): Promise<TestPod> {
  const pod = await TestPod.start(runtime);
  pods.push(pod);
  await pod.claim({ files: { 'index.mjs': source }, handler: 'index.handler', ...fn });
  return pod;
}

/** A handler whose body is `source`; it has event, stream, context. */
const streaming = (source: string): string =>
  `import { pipeline } from 'node:stream/promises'; import { Readable } from 'node:stream';
   export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${source} });`;

test.each<[reason: string, source: string, want: { type: string; text: string }]>([
  [
    'writes',
    'stream.write("a"); stream.write(Buffer.from("b")); stream.end("c");',
    { type: 'application/octet-stream', text: 'abc' },
  ],
  ['its own type', 'stream.setContentType("text/html"); stream.end("<p>");', { type: 'text/html', text: '<p>' }],
  ['an object', 'stream.write({ n: 1 }); stream.end();', { type: 'application/octet-stream', text: '{"n":1}' }],
  ['nothing', 'stream.end();', { type: 'application/octet-stream', text: '' }],
  ['pipeline', 'await pipeline(Readable.from(["x", "y"]), stream);', { type: 'application/octet-stream', text: 'xy' }],
  [
    'status and headers',
    'const out = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: "b" } }); out.write("body"); out.end();',
    {
      type: 'application/vnd.awslambda.http-integration-response',
      text: `{"statusCode":201,"headers":{"a":"b"}}${'\0'.repeat(8)}body`,
    },
  ],
  [
    'status without a body',
    'awslambda.HttpResponseStream.from(stream, { statusCode: 204 }).end();',
    { type: 'application/vnd.awslambda.http-integration-response', text: `{"statusCode":204}${'\0'.repeat(8)}` },
  ],
  [
    'an end that comes later',
    'setTimeout(() => stream.end("late"), 10);',
    { type: 'application/octet-stream', text: 'late' },
  ],
])('what a handler writes is the answer: %s', async (_reason, source, { type, text }) => {
  const pod = await claimed(streaming(source));
  for (let round = 0; round < 2; round += 1) {
    const { head, text: got, isComplete, aborted, report } = await pod.stream('{}');
    expect({ type: head.contentType, text: got, isComplete, aborted }).toEqual({
      type,
      text,
      isComplete: true,
      aborted: null,
    });
    expect(report).toMatchObject({ status: 'success', reusable: true });
  }
});

test('up to nodejs22.x, too', async () => {
  const pod = await claimed(streaming('stream.end("old");'), {}, 'nodejs22.x');
  expect(await pod.stream('{}')).toMatchObject({ text: 'old', isComplete: true });
});

test('each piece is there before the next one is written', async () => {
  const pod = await claimed(
    streaming(`const { existsSync, writeFileSync } = await import('node:fs');
      stream.write('one');
      while (!existsSync(event.go)) await new Promise((go) => setTimeout(go, 2));
      stream.end('two');`),
  );
  const go = `${pod.taskRoot}/../tmp/go`;
  const pieces: string[] = [];
  const { text } = await pod.stream(JSON.stringify({ go }), async (piece) => {
    pieces.push(piece);
    if (pieces.join('') === 'one') (await import('node:fs')).writeFileSync(go, '');
  });
  expect(text).toBe('onetwo');
});

test('a megabyte comes whole', async () => {
  const pod = await claimed(
    streaming(
      'for (let n = 0; n < 64; n += 1) if (!stream.write("x".repeat(16384))) await new Promise((go) => stream.once("drain", go)); stream.end();',
    ),
  );
  const { text, isComplete } = await pod.stream('{}');
  expect([text.length, isComplete]).toEqual([1_048_576, true]);
});

test.each<[reason: string, source: string, want: { errorType: string; message: RegExp; text: string }]>([
  [
    'after the first byte',
    'stream.write("part"); throw new TypeError("boom");',
    { errorType: 'TypeError', message: /^boom$/, text: 'part' },
  ],
  [
    'a source that breaks',
    'await pipeline(async function* () { yield "part"; throw new RangeError("source"); }, stream);',
    { errorType: 'RangeError', message: /^source$/, text: 'part' },
  ],
  [
    'a stream that is destroyed',
    'stream.write("part"); await new Promise((go) => setTimeout(go, 20)); stream.destroy();',
    { errorType: 'Error', message: /destroyed/, text: 'part' },
  ],
  [
    'an error that is too long for a trailer',
    'stream.write("part"); throw new Error("x".repeat(50000));',
    { errorType: 'Error', message: /^x{100,}$/, text: 'part' },
  ],
  [
    'the content type after the first byte',
    'stream.write("part"); stream.setContentType("text/plain");',
    { errorType: 'Runtime.InvalidStreamingOperation', message: /too late/, text: 'part' },
  ],
])('an error ends the answer: %s', async (_reason, source, { errorType, message, text }) => {
  const pod = await claimed(streaming(source));
  const got = await pod.stream('{}');
  expect(got).toMatchObject({ text, isComplete: false, report: { status: 'error', reusable: true } });
  const body = JSON.parse(got.aborted?.text ?? '{}');
  expect(body.errorType).toBe(errorType);
  expect(body.errorMessage).toMatch(message);
  expect((await pod.stream('{}')).isComplete).toBe(false);
});

test('an error before the first byte is an answer like any other', async () => {
  const pod = await claimed(streaming('throw new TypeError("boom");'));
  const { head, text, aborted } = await pod.stream('{}');
  expect([head.kind, JSON.parse(text).errorMessage, aborted]).toEqual(['error', 'boom', null]);
});

test('a handler without a promise is refused', async () => {
  const pod = await claimed(
    'export const handler = awslambda.streamifyResponse((event, stream) => { stream.end("x"); });',
  );
  const { text, aborted, isComplete } = await pod.stream('{}');
  expect(aborted?.text ?? (isComplete ? text : '')).toBeTruthy();
});

test('an error after the end is only logged', async () => {
  const pod = await claimed(streaming('stream.end("all"); throw new Error("afterwards");'));
  expect(await pod.stream('{}')).toMatchObject({ text: 'all', isComplete: true, report: { status: 'success' } });
  expect((await pod.stream('{}')).text).toBe('all');
  expect(await pod.stop()).toContain('afterwards'); // what it has written comes when it likes, but before its end
});

test('a crash in the middle ends the answer with its error', async () => {
  const pod = await claimed(
    streaming('stream.write("part"); setTimeout(() => { throw new Error("crash"); }, 5); await new Promise(() => {});'),
  );
  const { aborted, text, report } = await pod.stream('{}');
  expect([text, JSON.parse(aborted?.text ?? '{}').errorMessage, report.reusable]).toEqual(['part', 'crash', true]);
});

test('who wants the answer whole gets it whole', async () => {
  const pod = await claimed(streaming('stream.setContentType("text/plain"); stream.write("a"); stream.end("b");'));
  expect(await pod.invoke('{}')).toMatchObject({ head: { contentType: 'text/plain' }, text: 'ab' });
});

test('a function may do without the global', async () => {
  const environment = { AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA: '1' };
  const pod = await claimed('export const handler = async () => typeof awslambda;', { environment });
  expect((await pod.invoke('{}')).text).toBe('"undefined"');
});
