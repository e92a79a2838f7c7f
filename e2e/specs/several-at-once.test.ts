import {
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nodeFunction } from '../src/functions.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/* Several invocations at once in one pod: concurrency.perInstance. */

/** Nobody is answered before all ten are there, so they run in one process and at once; `crash` is the end of all. */
const source = `const { promise, resolve } = Promise.withResolvers();
let come = 0;
export const handler = async ({ n, crash }) => {
  console.log('before', n);
  if (++come === 10) resolve();
  await promise;
  console.log('after', n);
  if (crash !== undefined) {
    if (n === crash) setImmediate(() => { throw new Error('crash'); });
    await new Promise(() => {});
  }
  return n;
};`;
const spec = { timeoutSeconds: 60, concurrency: { perInstance: 10 } };
const ten = Array.from({ length: 10 }, (_, n) => n);

let kappa: TestPlatform;
let client: LambdaClient;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  client = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.stop();
}, 60_000);

interface Called {
  readonly answer: unknown;
  readonly error: string | undefined;
  readonly requestId: string;
  readonly log: readonly string[];
}

async function call(FunctionName: string, event: object): Promise<Called> {
  const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), LogType: 'Tail' });
  const { Payload, FunctionError, LogResult, $metadata } = await client.send(command);
  return {
    answer: JSON.parse(Buffer.from(Payload ?? []).toString()),
    error: FunctionError,
    requestId: $metadata.requestId ?? '',
    log: Buffer.from(LogResult ?? '', 'base64')
      .toString()
      .trimEnd()
      .split('\n'),
  };
}

test('ten calls at once run in one pod, and each has its own log', async () => {
  await kappa.applyReady(nodeFunction('several', source, spec));
  const all = await Promise.all(ten.map((n) => call('several', { n })));
  expect(all.map(({ answer, error }) => [answer, error])).toEqual(ten.map((n) => [n, undefined]));
  for (const { log, requestId, answer } of all) {
    expect(log.filter((line) => !line.includes(requestId))).toEqual([]);
    expect(log.map((line) => /before \d|after \d|^[A-Z]+/.exec(line)?.[0])).toEqual([
      'START',
      `before ${answer}`,
      `after ${answer}`,
      'END',
      'REPORT',
    ]);
  }
  expect(await call('several', { n: 10 })).toMatchObject({ answer: 10 }); // in the same pod: no other would answer one alone
}, 120_000);

test('a crash fails all that run in its pod; the next calls get another one', async () => {
  await kappa.applyReady(nodeFunction('crashing', source, spec));
  const failed = await Promise.all(ten.map((n) => call('crashing', { n, crash: 3 })));
  for (const { error, answer } of failed)
    expect([error, answer]).toMatchObject(['Unhandled', { errorType: 'Runtime.ExitError' }]);
  const next = await Promise.all(ten.map((n) => call('crashing', { n })));
  expect(next.map(({ answer }) => answer)).toEqual(ten);
}, 120_000);

test('who cannot is told', async () => {
  const ruby = nodeFunction('ruby', source, { ...spec, runtime: 'ruby3.4' });
  await expect(kappa.kubectl.apply(ruby)).rejects.toThrow(
    'perInstance above 1 is for the runtimes nodejs and provided',
  );
  const { Version } = await client.send(new PublishVersionCommand({ FunctionName: 'several' }));
  const input = { FunctionName: 'several', Qualifier: Version, ProvisionedConcurrentExecutions: 1 };
  await expect(client.send(new PutProvisionedConcurrencyConfigCommand(input))).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    message: expect.stringContaining('version 1 takes 10 (perInstance)'),
  });
}, 60_000);
