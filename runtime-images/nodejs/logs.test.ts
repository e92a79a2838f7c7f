import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** The function's own lines of one invocation `r-1`, with the times taken out. */
async function linesOf(runtime: string, fn: TestFunction): Promise<string[]> {
  const pod = await TestPod.start(runtime);
  pods.push(pod);
  await pod.claim(fn);
  await pod.invoke('{}', { requestId: 'r-1' });
  const output = await pod.stop();
  pods.splice(0);
  const isPlatforms = /^(INIT_START|START|END|REPORT) |"type":"platform\./;
  return output
    .split('\n')
    .filter((line) => line !== '' && !isPlatforms.test(line))
    .map((line) => line.replaceAll(INSTANT, 'T'));
}

test('text lines carry time, request and level; a line end inside a message becomes a carriage return', async () => {
  const code = `console.log('starting');
exports.handler = async () => {
  console.log('a %s', 'b', { c: 1 }); console.info('ü\\nsecond'); console.warn('w'); console.error(new Error('e').message);
  console.debug('d'); console.trace('t');
};`;
  const lines = await linesOf('nodejs24.x', { files: { 'index.js': code }, handler: 'index.handler' });
  expect(lines).toEqual([
    ...[
      'T\t-\tINFO\tstarting',
      'T\tr-1\tINFO\ta b { c: 1 }',
      'T\tr-1\tINFO\tü\rsecond',
      'T\tr-1\tWARN\tw',
      'T\tr-1\tERROR\te',
    ],
    ...['T\tr-1\tDEBUG\td', 'T\tr-1\tTRACE\tt'],
  ]);
});

test('a failed invocation leaves one line that says why', async () => {
  const code = 'exports.handler = async () => { throw new TypeError("bad"); };';
  const [line] = await linesOf('nodejs22.x', { files: { 'index.js': code }, handler: 'index.handler' });
  expect(line).toMatch(
    /^T\tr-1\tERROR\tInvoke Error \t\{"errorType":"TypeError","errorMessage":"bad","stack":\["TypeError: bad",/,
  );
});

test('JSON lines are objects; lines below the level are dropped', async () => {
  const code = `exports.handler = async () => {
  console.debug('dropped'); console.log('text'); console.info({ a: [1] }); console.error('failed: %s', 'x', new RangeError('r'));
  const a = {}; a.a = a; console.warn(a);
};`;
  const fn: TestFunction = { files: { 'index.js': code }, handler: 'index.handler', logFormat: 'JSON' };
  const lines = (await linesOf('nodejs24.x', fn)).map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { timestamp: 'T', level: 'INFO', requestId: 'r-1', message: 'text' },
    { level: 'INFO', message: { a: [1] } },
    { level: 'ERROR', errorType: 'RangeError', errorMessage: 'r', stackTrace: expect.any(Array) },
    { level: 'WARN', message: expect.stringContaining('[Circular *1]') },
  ]);
});

test('what was written to the standard streams directly is kept, also at an exit', async () => {
  const code =
    'exports.handler = async () => { process.stdout.write("out\\n"); process.stderr.write("err\\n"); process.exit(1); };';
  expect(await linesOf('nodejs24.x', { files: { 'index.js': code }, handler: 'index.handler' })).toEqual(
    expect.arrayContaining(['out', 'err']),
  );
});
