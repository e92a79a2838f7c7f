import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function claimed(runtime: string, fn: TestFunction): Promise<TestPod> {
  const pod = await TestPod.start(runtime);
  pods.push(pod);
  await pod.claim(fn);
  return pod;
}

const handler = 'index.handler';

test.each<[reason: string, runtime: string, fn: TestFunction, type: string, message: RegExp]>([
  [
    'no file',
    'nodejs24.x',
    { files: { 'other.js': '' }, handler },
    'Runtime.ImportModuleError',
    /^Error: Cannot find module 'index'\nRequire stack:/,
  ],
  [
    'no dependency',
    'nodejs24.x',
    { files: { 'index.js': 'require("nope")' }, handler },
    'Runtime.ImportModuleError',
    /Cannot find module 'nope'/,
  ],
  [
    'no ES dependency',
    'nodejs24.x',
    { files: { 'index.mjs': 'import "nope"' }, handler },
    'Error',
    /^Cannot find package 'nope' imported from/,
  ],
  [
    'bad syntax',
    'nodejs24.x',
    { files: { 'index.js': 'exports.handler = (' }, handler },
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: /,
  ],
  [
    'bad ES syntax',
    'nodejs24.x',
    { files: { 'index.mjs': 'export const handler = (' }, handler },
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: /,
  ],
  [
    'no export',
    'nodejs24.x',
    { files: { 'index.js': '' }, handler },
    'Runtime.HandlerNotFound',
    /^index\.handler is undefined or not exported$/,
  ],
  [
    'no function',
    'nodejs24.x',
    { files: { 'index.js': 'exports.handler = 1' }, handler },
    'Runtime.HandlerNotFound',
    /^index\.handler is not a function$/,
  ],
  [
    'no export name',
    'nodejs24.x',
    { files: { 'index.js': '' }, handler: 'index' },
    'Runtime.MalformedHandlerName',
    /^Bad handler$/,
  ],
  [
    'out of the folder',
    'nodejs24.x',
    { files: { 'index.js': '' }, handler: '../index.handler' },
    'Runtime.MalformedHandlerName',
    /is not a valid handler name/,
  ],
  [
    'a callback',
    'nodejs24.x',
    { files: { 'index.js': 'exports.handler = (a, b, c) => c()' }, handler },
    'Runtime.CallbackHandlerDeprecated',
    /callback/,
  ],
  [
    'module throws',
    'nodejs24.x',
    { files: { 'index.js': 'throw new RangeError("at init")' }, handler },
    'RangeError',
    /^at init$/,
  ],
  [
    'module rejects',
    'nodejs22.x',
    { files: { 'index.js': 'Promise.reject(new Error("r")); exports.handler = async () => 1' }, handler },
    'Runtime.UnhandledPromiseRejection',
    /^Error: r$/,
  ],
  [
    'module exits',
    'nodejs24.x',
    { files: { 'index.js': 'process.exit(3)' }, handler },
    'Runtime.ExitError',
    /Runtime exited with error: exit status 3$/,
  ],
])('init fails as in Lambda: %s', async (_reason, runtime, fn, type, message) => {
  const pod = await claimed(runtime, fn);
  const { head, text } = await pod.invoke('{}');
  const body = JSON.parse(text);
  expect([head.kind, body.errorType]).toEqual(['error', type]);
  expect(body.errorMessage).toMatch(message);
});

test('what a handler throws becomes the error body, and the next call works', async () => {
  const code = `class MyError extends Error { constructor(m) { super(m); this.name = 'MyError'; } }
const thrown = { type: new TypeError('bad ü'), own: new MyError('mine'), cause: new Error('outer', { cause: new Error('inner') }),
  text: 'words', number: 5, object: { a: 1 }, delete: new Error('a\\x7fb'), hostile: Object.defineProperty(new Error(), 'message', { get() { throw 1; } }) };
exports.handler = async ({ what }) => {
  if (what === 'circular') { const a = {}; a.a = a; return a; }
  if (what === 'fine') return what;
  throw what === 'null' ? null : thrown[what];
};`;
  const pod = await claimed('nodejs24.x', { files: { 'index.js': code }, handler });
  const seen: Record<string, unknown> = {};
  for (const what of [
    'type',
    'own',
    'cause',
    'text',
    'number',
    'object',
    'null',
    'delete',
    'hostile',
    'circular',
    'fine',
  ]) {
    const { head, text } = await pod.invoke(JSON.stringify({ what }));
    const body = JSON.parse(text);
    seen[what] = head.kind === 'error' ? [body.errorType, body.errorMessage, body.trace.length > 0] : body;
  }
  expect(seen).toMatchObject({
    type: ['TypeError', 'bad ü', true],
    own: ['MyError', 'mine', true],
    cause: ['Error', 'outer', true],
    text: ['string', 'words', false],
    number: ['number', '5', false],
    object: ['object', '[object Object]', false],
    null: ['object', 'null', false],
    delete: ['Error', 'a%7Fb', true],
    circular: ['Runtime.JSONStringifyError', 'Unable to stringify response body', true],
    fine: 'fine',
  });
  expect(seen['hostile']).toEqual(['handled', expect.any(String), false]);
});

test('a trace begins with the error and shows the line of the handler', async () => {
  const pod = await claimed('nodejs24.x', {
    files: { 'index.js': '\nexports.handler = async () => { throw new Error("here"); };' },
    handler,
  });
  const { trace } = JSON.parse((await pod.invoke('{}')).text);
  expect(trace[0]).toBe('Error: here');
  expect(trace[1]).toContain('index.js:2:');
});

test.each<[reason: string, runtime: string, code: string, type: string, status: string]>([
  [
    'uncaught exception',
    'nodejs24.x',
    'setTimeout(() => { throw new RangeError("late"); }, 1); await new Promise(() => setTimeout(() => {}, 5_000))',
    'RangeError',
    'error',
  ],
  [
    'unhandled rejection',
    'nodejs24.x',
    'Promise.reject(new Error("lost")); return 1',
    'Runtime.UnhandledPromiseRejection',
    'error',
  ],
  ['exit 0', 'nodejs24.x', 'process.exit(0)', 'Runtime.ExitError', 'failure'],
  ['exit 5', 'nodejs24.x', 'process.exit(5)', 'Runtime.ExitError', 'failure'],
  [
    'killed',
    'nodejs24.x',
    'process.kill(process.pid, "SIGKILL"); await new Promise(() => setTimeout(() => {}, 5_000))',
    'Runtime.ExitError',
    'failure',
  ],
  ['nothing left to do', 'nodejs24.x', 'await new Promise(() => {})', 'Runtime.ExitError', 'failure'],
])('an invocation that takes the process with it is reported: %s', async (_reason, runtime, code, type, status) => {
  const pod = await claimed(runtime, { files: { 'index.js': `exports.handler = async () => { ${code} };` }, handler });
  const { head, text, report } = await pod.invoke('{}');
  expect([head.kind, JSON.parse(text).errorType]).toEqual(['error', type]);
  expect(report.reusable).toBe(true);
  expect(['error', 'failure']).toContain(report.status);
  if (status === 'failure') expect(report.status).toBe(status);
});

test('up to nodejs22.x a handler that leaves nothing to do answers null', async () => {
  const pod = await claimed('nodejs22.x', {
    files: { 'index.js': 'exports.handler = async () => { await new Promise(() => {}); };' },
    handler,
  });
  const { head, text } = await pod.invoke('{}');
  expect([head.kind, text]).toEqual(['response', 'null']);
});
