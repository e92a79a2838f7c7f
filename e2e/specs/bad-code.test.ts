import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { makeFunction, nodeFunction, pythonFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

/** A function whose calls with `{}` are fine, unless the event says otherwise, so that "the next call is fine" can be asked. */
const whenTold = (mischief: string): string =>
  `export const handler = async (event) => { if (event.now) { ${mischief} } return 'fine'; };`;
const pythonWhenTold = (mischief: string): string =>
  `import os, sys, signal, time\ndef handler(event, context):\n    if event.get('now'):\n        ${mischief}\n    return 'fine'\n`;

const exited = (how: string) => ({
  errorType: 'Runtime.ExitError',
  errorMessage: expect.stringMatching(new RegExp(`^RequestId: [-0-9a-f]{36} Error: ${how}$`)),
});
const outOfMemory = { ...exited('Runtime exited with error: signal: killed'), errorType: 'Runtime.OutOfMemory' };
const exitedWithoutReason = exited('Runtime exited without providing a reason');
const timedOut = {
  errorType: 'Sandbox.Timedout',
  errorMessage: expect.stringMatching(/^RequestId: [-0-9a-f]{36} Error: Task timed out after 1\.00 seconds$/),
};

const mischiefs: [reason: string, fn: object, want: object][] = [
  [
    'exception',
    nodeFunction('throws', whenTold(`throw new TypeError('no');`)),
    { errorType: 'TypeError', errorMessage: 'no', trace: expect.any(Array) },
  ],
  [
    'rejected promise',
    nodeFunction('rejects', whenTold(`return Promise.reject(new Error('later'));`)),
    { errorType: 'Error', errorMessage: 'later' },
  ],
  [
    'unhandled rejection',
    nodeFunction(
      'unhandled',
      whenTold(`Promise.reject(new Error('nobody')); await new Promise((r) => setTimeout(r, 500));`),
    ),
    { errorType: 'Runtime.UnhandledPromiseRejection' },
  ],
  ['exit 0', nodeFunction('exit-zero', whenTold(`process.exit(0);`)), exitedWithoutReason],
  [
    'exit 1',
    nodeFunction('exit-one', whenTold(`process.exit(1);`)),
    exited('Runtime exited with error: exit status 1'),
  ],
  [
    'kill -9',
    nodeFunction('kill-nine', whenTold(`process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});`)),
    exited('Runtime exited with error: signal: killed'),
  ],
  [
    'out of memory',
    nodeFunction('oom', whenTold(`const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1));`), { timeoutSeconds: 20 }),
    outOfMemory,
  ],
  [
    'time-out',
    nodeFunction('slow', whenTold(`await new Promise((r) => setTimeout(r, 30_000));`), { timeoutSeconds: 1 }),
    timedOut,
  ],
  ['busy time-out', nodeFunction('spins', whenTold(`for (;;);`), { timeoutSeconds: 1 }), timedOut],
  [
    'an answer that is too large',
    nodeFunction('too-large', whenTold(`return 'x'.repeat(6291556 - 1);`), { timeoutSeconds: 20 }),
    { errorType: 'Function.ResponseSizeTooLarge', errorMessage: expect.stringContaining('6291556') },
  ],
  [
    'Python exception',
    pythonFunction('py-throws', pythonWhenTold(`raise KeyError('k')`)),
    { errorType: 'KeyError', stackTrace: expect.any(Array) },
  ],
  [
    'Python sys.exit',
    pythonFunction('py-exit', pythonWhenTold(`sys.exit(3)`)),
    { errorType: expect.stringMatching(/^Runtime\.ExitError$/) },
  ],
  [
    'Python os._exit',
    pythonFunction('py-hard-exit', pythonWhenTold(`os._exit(1)`)),
    exited('Runtime exited with error: exit status 1'),
  ],
  ['Python time-out', pythonFunction('py-slow', pythonWhenTold(`time.sleep(30)`), { timeoutSeconds: 1 }), timedOut],
  [
    'Python out of memory',
    pythonFunction('py-oom', pythonWhenTold(`a = [bytearray(8 << 20) for _ in range(500)]`), { timeoutSeconds: 20 }),
    outOfMemory,
  ],
];

test.each(mischiefs)(
  '%s: Lambda’s error, and the next call is fine',
  async (_reason, fn, want) => {
    const name = await kappa.applyReady(fn);
    const bad = await invoke(kappa.endpoint, name, { payload: { now: true } });
    expect(bad).toMatchObject({ status: 200, functionError: 'Unhandled', payload: want });
    expect(bad.log).toContain(`REPORT RequestId: ${bad.requestId}`);
    expect(await invoke(kappa.endpoint, name)).toMatchObject({ status: 200, functionError: null, payload: 'fine' });
    await kappa.deleteFunction(name);
  },
  60_000,
);

const initFailures: [reason: string, fn: object, want: object][] = [
  [
    'syntax error',
    nodeFunction('syntax', `export const handler = ( => 1;`),
    { errorType: 'Runtime.UserCodeSyntaxError' },
  ],
  [
    'missing module',
    makeFunction('no-module', { 'index.js': `require('nope'); exports.handler = () => 1;` }),
    { errorType: 'Runtime.ImportModuleError', errorMessage: expect.stringContaining("Cannot find module 'nope'") },
  ],
  [
    'missing module of an ES module',
    nodeFunction('no-es-module', `import 'nope'; export const handler = () => 1;`),
    { errorType: 'Error', errorMessage: expect.stringContaining("Cannot find package 'nope'") },
  ],
  [
    'missing handler',
    nodeFunction('no-handler', `export const other = () => 1;`),
    { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is undefined or not exported' },
  ],
  [
    'missing file',
    nodeFunction('no-file', `export const handler = () => 1;`, { handler: 'nope.handler' }),
    { errorType: 'Runtime.ImportModuleError' },
  ],
  [
    'malformed handler',
    nodeFunction('malformed', `export const handler = () => 1;`, { handler: 'handler' }),
    { errorType: 'Runtime.MalformedHandlerName' },
  ],
  [
    'throws at import',
    nodeFunction('throws-early', `throw new RangeError('early');`),
    { errorType: 'RangeError', errorMessage: 'early' },
  ],
  [
    'exits at import',
    nodeFunction('exits-early', `process.exit(7);`),
    exited('Runtime exited with error: exit status 7'),
  ],
  [
    'init hang',
    nodeFunction('hangs-early', `await new Promise((r) => setTimeout(r, 600_000)); export const handler = () => 1;`, {
      timeoutSeconds: 1,
    }),
    timedOut,
  ],
  ['Python syntax error', pythonFunction('py-syntax', `def handler(:\n`), { errorType: 'Runtime.UserCodeSyntaxError' }],
  [
    'Python missing module',
    pythonFunction('py-no-module', `import nope\n`),
    {
      errorType: 'Runtime.ImportModuleError',
      errorMessage: expect.stringContaining("Unable to import module 'index'"),
    },
  ],
  [
    'Python missing handler',
    pythonFunction('py-no-handler', `x = 1\n`),
    { errorType: 'Runtime.HandlerNotFound', errorMessage: "Handler 'handler' missing on module 'index'" },
  ],
];

test.each(initFailures)(
  '%s at init: Lambda’s error',
  async (_reason, fn, want) => {
    const name = await kappa.applyReady(fn);
    expect(await invoke(kappa.endpoint, name)).toMatchObject({
      status: 200,
      functionError: 'Unhandled',
      payload: want,
    });
    await kappa.deleteFunction(name);
  },
  60_000,
);

test('the log of a call that was killed can be read afterwards', async () => {
  await kappa.applyReady(
    nodeFunction('post-mortem', `export const handler = () => { console.log('last words'); process.exit(1); };`),
  );
  const { requestId } = await invoke(kappa.endpoint, 'post-mortem');
  const logs = ['logs', '-n', 'kappa-functions', '-l', 'kappa.dev/function=post-mortem'];
  await eventually('its log is there', async () => {
    const text = await kappa.kubectl.ok(logs);
    return text.includes('last words') && text.includes(`REPORT RequestId: ${requestId}`);
  });
  await kappa.deleteFunction('post-mortem');
  await eventually('and goes with the function', async () => (await kappa.kubectl.run(logs)).stdout === '');
});

test('a function that cannot start does not drain the pool for others', async () => {
  await kappa.applyReady(nodeFunction('poison', `process.exit(1);`));
  await kappa.applyReady(nodeFunction('neighbour', `export const handler = () => 'well';`, { idleTimeoutSeconds: 1 }));
  const stop = new AbortController();
  const poison = (async () => {
    while (!stop.signal.aborted) await invoke(kappa.endpoint, 'poison');
  })();
  for (let call = 0; call < 5; call++) {
    await eventually('the neighbour is at zero', () => kappa.isAtZero('neighbour'));
    expect(await invoke(kappa.endpoint, 'neighbour')).toMatchObject({ status: 200, payload: 'well' });
  }
  stop.abort();
  await poison;
}, 90_000);

test('1 GB of prints neither stops the call nor fills the disk', async () => {
  const source = `import { writeSync } from 'node:fs'; const line = 'x'.repeat(1 << 20) + '\\n';
export const handler = () => { for (let i = 0; i < 1024; i++) { let left = Buffer.from(line); while (left.length > 0) { try { left = left.subarray(writeSync(1, left)); } catch (e) { if (e.code !== 'EAGAIN') throw e; } } } return 'printed'; };`;
  await kappa.applyReady(nodeFunction('chatty', source, { timeoutSeconds: 60 }));
  const answer = await invoke(kappa.endpoint, 'chatty');
  expect(answer).toMatchObject({ status: 200, payload: 'printed' });
  expect(Buffer.byteLength(answer.log)).toBeLessThanOrEqual(4096);
  expect(await kappa.logBytes()).toBeLessThan(128 << 20);
  await kappa.deleteFunction('chatty');
}, 90_000);

test('an image, where there is no engine to run it: said, and no pod is started', async () => {
  const { metadata, spec } = nodeFunction('of-image', '') as { metadata: object; spec: Record<string, unknown> };
  const { runtime: _runtime, handler: _handler, ...rest } = spec;
  const code = { image: { uri: 'registry.example/shop/cart:7' } };
  await kappa.kubectl.apply({ apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata, spec: { ...rest, code } });
  const status = await eventually('its state is told', async () => {
    const fn = await kappa.kubectl.json<{ status?: { state?: string; stateReason?: string } }>(['fn', 'of-image']);
    return fn.status?.state === 'Failed' ? fn.status : undefined;
  });
  expect(status.stateReason).toContain('this install takes no functions from images');
  const { status: code_, payload } = await invoke(kappa.endpoint, 'of-image');
  expect([code_, JSON.stringify(payload)]).toEqual([
    expect.any(Number),
    expect.stringContaining('takes no functions from images'),
  ]);
  await kappa.deleteFunction('of-image');
}, 60_000);

test('a process that outlives its call is killed with the pod', async () => {
  const source = `import os, subprocess\ndef handler(event, context):\n    child = subprocess.Popen(['setsid', 'sleep', '300'], start_new_session=True)\n    return child.pid\n`;
  await kappa.applyReady(pythonFunction('forks', source, { idleTimeoutSeconds: 1 }));
  const { payload: pid } = await invoke(kappa.endpoint, 'forks');
  expect(typeof pid).toBe('number');
  await eventually('it is gone', async () => !kappa.isAlive(Number(pid)), 30_000);
}, 60_000);

test.each<[reason: string, bytes: () => Promise<Buffer>]>([
  ['not a zip', async () => Buffer.from('this is no zip file at all')],
  ['a path that climbs out', () => zipWithEntry('../../evil.mjs', 'content')],
  ['an absolute path', () => zipWithEntry('/tmp/kappa-evil.mjs', 'content')],
])(
  'bad zip, %s: refused before anything is written',
  async (reason, bytes) => {
    const sha256 = await kappa.putBlob(await bytes());
    const name = `bad-zip-${reason.replaceAll(' ', '-')}`;
    await kappa.applyReady(makeFunction(name, {}, { code: { zip: { sha256 } }, runtime: 'nodejs24.x' }));
    const answer = await invoke(kappa.endpoint, name);
    expect(answer).toMatchObject({ status: 502, payload: { Message: expect.stringMatching(/^bad code: /) } });
    expect(answer.headers.get('x-amzn-errortype')).toMatch(/^InvalidZipFileException/);
    await kappa.deleteFunction(name);
  },
  30_000,
);
