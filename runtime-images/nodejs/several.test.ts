import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function claimed(code: string, change: Partial<TestFunction> = {}): Promise<TestPod> {
  const pod = await TestPod.start('nodejs24.x');
  pods.push(pod);
  await pod.claim({ files: { 'index.mjs': code }, handler: 'index.handler', perInstance: 10, ...change });
  return pod;
}

/** The first nine wait for the tenth: none is answered unless all run at once. */
const meeting = `let come = 0;
const { promise, resolve } = Promise.withResolvers();
async function meet() { if (++come === 10) resolve(); await promise; }
`;

function tailOf(tail: string | undefined): string[] {
  return Buffer.from(tail ?? '', 'base64')
    .toString('utf8')
    .split('\n');
}

test('ten invocations run at once in one process, and each has its own lines', async () => {
  const pod = await claimed(`${meeting}export const handler = async (n, context) => {
  console.log('before', n); await meet(); console.log('after\\nall', n);
  return { n, id: context.awsRequestId, trace: [context.xRayTraceId, process.env._X_AMZN_TRACE_ID ?? null], max: process.env.AWS_LAMBDA_MAX_CONCURRENCY };
};`);
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  const all = await Promise.all(
    numbers.map((n) => pod.invoke(String(n), { requestId: `request-${n}-`, traceId: `Root=${n}`, tail: true })),
  );
  for (const n of numbers) {
    expect(JSON.parse(all[n]?.text ?? '')).toEqual({ n, id: `request-${n}-`, trace: [`Root=${n}`, null], max: '10' });
    const lines = tailOf(all[n]?.report.logTail).map((line) => line.replace(/^\S+Z\t/, ''));
    expect(lines.slice(0, 4)).toEqual([
      `START RequestId: request-${n}- Version: $LATEST`,
      `request-${n}-\tINFO\tbefore ${n}`,
      `request-${n}-\tINFO\tafter\rall ${n}`,
      `END RequestId: request-${n}-`,
    ]);
  }
});

test("an error is one invocation's alone; a crash is the end of all", async () => {
  const pod = await claimed(`${meeting}export const handler = async (n) => {
  await meet();
  if (n === 3) throw new TypeError('three');
  return n;
};`);
  const all = await Promise.all(Array.from({ length: 10 }, (_, n) => pod.invoke(String(n))));
  expect(all.map(({ head, text }) => (head.kind === 'error' ? JSON.parse(text).errorMessage : text))).toEqual([
    '0',
    '1',
    '2',
    'three',
    '4',
    '5',
    '6',
    '7',
    '8',
    '9',
  ]);
  expect(all.every(({ report }) => report.reusable)).toBe(true);
  const other = await claimed(`${meeting}export const handler = async (n) => {
  await meet();
  if (n === 3) setImmediate(() => { throw new TypeError('crash'); });
  await new Promise(() => {});
};`);
  const failed = await Promise.all(Array.from({ length: 10 }, (_, n) => other.invoke(String(n))));
  expect(new Set(failed.map(({ report }) => [report.status, report.errorType, report.reusable].join()))).toEqual(
    new Set(['failure,Runtime.ExitError,false']),
  );
});

test('answers are streamed at once, each to its own caller', async () => {
  const pod = await claimed(`${meeting}export const handler = awslambda.streamifyResponse(async (n, stream) => {
  stream.write('a' + n); await meet(); stream.end('b' + n);
});`);
  const all = await Promise.all(Array.from({ length: 10 }, (_, n) => pod.stream(String(n))));
  expect(all.map(({ text, isComplete }) => [text, isComplete])).toEqual(all.map((_, n) => [`a${n}b${n}`, true]));
});

test('a handler with a callback is refused by its init', async () => {
  const pod = await claimed('export const handler = (event, context, callback) => callback(null, 1);');
  const { text } = await pod.invoke('{}');
  expect(JSON.parse(text).errorMessage).toMatch(
    /^callback handlers are not supported where several invocations run at once/,
  );
});
