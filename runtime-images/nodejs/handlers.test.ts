import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, type TestOutcome, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

/** A claimed pod; ended after the test. */
async function claimed(runtime: string, fn: TestFunction): Promise<TestPod> {
  const pod = await TestPod.start(runtime);
  pods.push(pod);
  await pod.claim(fn);
  return pod;
}

async function runOnce(runtime: string, fn: TestFunction, event = '{}'): Promise<TestOutcome> {
  const pod = await claimed(runtime, fn);
  return await pod.invoke(event);
}

test.each<[reason: string, files: Record<string, string>, handler: string, want: unknown]>([
  ['CommonJS', { 'index.js': 'exports.handler = async (e) => e.n + 1;' }, 'index.handler', 2],
  ['a value that is no promise', { 'index.js': 'exports.handler = (e) => e.n;' }, 'index.handler', 1],
  ['undefined becomes null', { 'index.js': 'exports.handler = async () => {};' }, 'index.handler', null],
  [
    'an ES module',
    { 'index.mjs': 'export const handler = async () => import.meta.url.slice(-9);' },
    'index.handler',
    'index.mjs',
  ],
  [
    'a top-level await',
    { 'index.mjs': 'const x = await Promise.resolve(5); export const handler = async () => x;' },
    'index.handler',
    5,
  ],
  [
    'ES module by package.json',
    { 'package.json': '{"type":"module"}', 'index.js': 'export const handler = async () => 3;' },
    'index.handler',
    3,
  ],
  [
    'ES module by syntax, with await',
    { 'index.js': 'const x = await 4; export const handler = async () => x;' },
    'index.handler',
    4,
  ],
  [
    '.cjs in an ES package',
    { 'package.json': '{"type":"module"}', 'index.cjs': 'exports.handler = async () => 6;' },
    'index.handler',
    6,
  ],
  ['a folder', { 'src/app.js': 'exports.handler = async () => __dirname.endsWith("src");' }, 'src/app.handler', true],
  ['a nested export', { 'index.js': 'exports.a = { b: { c: async () => 7 } };' }, 'index.a.b.c', 7],
  ['the default export', { 'index.mjs': 'export default { handler: async () => 8 };' }, 'index.handler', 8],
  ['a package of node_modules', { 'node_modules/pkg/index.js': 'exports.handler = async () => 9;' }, 'pkg.handler', 9],
])('a handler is found and answers: %s', async (_reason, files, handler, want) => {
  const { head, text, report } = await runOnce('nodejs24.x', { files, handler }, '{"n":1}');
  expect(head.kind).toBe('response');
  expect(JSON.parse(text)).toEqual(want);
  expect(report.status).toBe('success');
});

test('callbacks answer up to nodejs22.x, in each of their forms', async () => {
  const code = `exports.handler = (event, context, callback) => {
    switch (event.how) {
      case 'callback': return callback(null, 'called');
      case 'waits': setTimeout(() => { waited = true; }, 30); return callback(null, { waited });
      case 'waited': return callback(null, waited);
      case 'at once': context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60_000); return callback(null, 'now');
      case 'succeed': return context.succeed('succeeded');
      case 'done': return context.done(null, 'done');
      case 'promise': return Promise.resolve('promised');
      case 'returned': return 'ignored';
      case 'failed': return context.fail(new RangeError('failed'));
      case 'error': return callback('text');
    }
  }; let waited = false;`;
  const pod = await claimed('nodejs22.x', { files: { 'index.js': code }, handler: 'index.handler' });
  const answers: unknown[] = [];
  for (const how of [
    'callback',
    'waits',
    'waited',
    'succeed',
    'done',
    'promise',
    'returned',
    'failed',
    'error',
    'at once',
  ]) {
    const { head, text } = await pod.invoke(JSON.stringify({ how }));
    const body = JSON.parse(text);
    answers.push(head.kind === 'error' ? [body.errorType, body.errorMessage] : body);
  }
  expect(answers).toEqual([
    ...['called', { waited: false }, true, 'succeeded', 'done', 'promised', null],
    ...[['RangeError', 'failed'], ['string', 'text'], 'now'],
  ]);
});

test('the context says what Lambda says, and the trace is in the environment', async () => {
  const code = `export const handler = async (event, context) =>
    ({ ...context, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID, cwd: process.cwd() });`;
  const pod = await claimed('nodejs24.x', { files: { 'index.mjs': code }, handler: 'index.handler' });
  const clientContext = '{"custom":{"name":"Zoë"}}';
  const { text } = await pod.invoke('{}', { requestId: 'abc-1', clientContext, traceId: 'Root=1-2-3' });
  const { left, logStreamName, ...rest } = JSON.parse(text);
  expect(left).toBeGreaterThan(15_000);
  expect(left).toBeLessThanOrEqual(20_000);
  expect(logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  expect(rest).toMatchObject({
    functionName: 'my-function',
    functionVersion: '$LATEST',
    memoryLimitInMB: '128',
    awsRequestId: 'abc-1',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:my-function',
    logGroupName: '/aws/lambda/my-function',
    clientContext: { custom: { name: 'Zoë' } },
    trace: 'Root=1-2-3',
    cwd: pod.taskRoot,
  });
});

test('payloads of 6 MB go both ways, whatever characters they have', async () => {
  const code = 'exports.handler = async (event) => event;';
  const pod = await claimed('nodejs24.x', { files: { 'index.js': code }, handler: 'index.handler' });
  const event = JSON.stringify({ text: '☃ü\u2028𝄞'.repeat(500_000) }).slice(0, -2);
  const full = `${event}${'x'.repeat(6 * 1024 * 1024 - Buffer.byteLength(event) - 2)}"}`;
  const { text, report } = await pod.invoke(full);
  expect(text === full).toBe(true);
  expect(report.reusable).toBe(true);
  expect((await pod.invoke('"next"')).text).toBe('"next"');
});

test('an answer above the limit is refused and the next call works', async () => {
  const code = 'exports.handler = async (bytes) => "x".repeat(bytes);';
  const pod = await claimed('nodejs24.x', { files: { 'index.js': code }, handler: 'index.handler' });
  const { head, text } = await pod.invoke(String(6 * 1024 * 1024 + 200));
  expect([head.kind, JSON.parse(text).errorType]).toEqual(['error', 'Function.ResponseSizeTooLarge']);
  expect((await pod.invoke('3')).text).toBe('"xxx"');
});
