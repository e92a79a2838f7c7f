import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function claimed(fn: TestFunction): Promise<TestPod> {
  const pod = await TestPod.start('nodejs24.x');
  pods.push(pod);
  await pod.claim(fn);
  return pod;
}

const showEnvironment = 'export const handler = async () => ({ env: process.env });';

/** Names that Lambda documents, those of Node functions included. */
const LAMBDA_NAMES = [
  ...['AWS_DEFAULT_REGION', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_NAME'],
  ...[
    'AWS_LAMBDA_FUNCTION_VERSION',
    'AWS_LAMBDA_INITIALIZATION_TYPE',
    'AWS_LAMBDA_LOG_FORMAT',
    'AWS_LAMBDA_LOG_GROUP_NAME',
  ],
  ...[
    'AWS_LAMBDA_LOG_STREAM_NAME',
    'AWS_LAMBDA_RUNTIME_API',
    'AWS_REGION',
    'AWS_XRAY_CONTEXT_MISSING',
    'AWS_XRAY_DAEMON_ADDRESS',
  ],
  ...[
    'LAMBDA_RUNTIME_DIR',
    'LAMBDA_TASK_ROOT',
    'LANG',
    'LD_LIBRARY_PATH',
    'NODE_PATH',
    'PATH',
    'TMPDIR',
    'TZ',
    '_HANDLER',
  ],
];

test.each<[reason: string, variables: Record<string, string>]>([
  ['taken over by the waiting process', { MY_NAME: 'välue', NODE_ENV: 'production' }],
  ['given to a fresh process', { MY_NAME: 'välue', NODE_OPTIONS: '--no-deprecation' }],
])('the environment is exactly the one of the function: %s', async (_reason, variables) => {
  const pod = await claimed({
    files: { 'index.mjs': showEnvironment },
    handler: 'index.handler',
    environment: variables,
  });
  const { env } = JSON.parse((await pod.invoke('{}')).text);
  expect(Object.keys(env).sort()).toEqual([...LAMBDA_NAMES, ...Object.keys(variables)].sort());
  expect(env).toMatchObject({ ...variables, _HANDLER: 'index.handler', AWS_LAMBDA_FUNCTION_NAME: 'my-function' });
});

test('options of Node itself work, because a fresh process takes them', async () => {
  const code = 'export const handler = async () => process.throwDeprecation;';
  const environment = { NODE_OPTIONS: '--throw-deprecation' };
  const pod = await claimed({ files: { 'index.mjs': code }, handler: 'index.handler', environment });
  expect((await pod.invoke('{}')).text).toBe('true');
});

test('the time zone and NODE_PATH are taken over without a fresh process', async () => {
  const code = `const own = require('own');
    exports.handler = async () => ({ hours: new Date(0).getHours(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone, own });`;
  const files = { 'index.js': code, 'lib/own/index.js': 'module.exports = "from lib";' };
  const pod = await TestPod.start('nodejs24.x');
  pods.push(pod);
  const environment = { TZ: 'Asia/Tokyo', NODE_PATH: `${pod.taskRoot}/lib` };
  await pod.claim({ files, handler: 'index.handler', environment });
  expect(JSON.parse((await pod.invoke('{}')).text)).toEqual({ hours: 9, zone: 'Asia/Tokyo', own: 'from lib' });
});
