import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAliasCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { type Invoked, invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/** Leaves a file for each init, and answers when as many calls as asked for have begun: so each of them has a pod of its own. */
const source = `
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
const { FOLDER, AWS_LAMBDA_FUNCTION_VERSION: version, AWS_LAMBDA_LOG_STREAM_NAME } = process.env;
const pod = AWS_LAMBDA_LOG_STREAM_NAME.replace(/.*]/, '');
mkdirSync(FOLDER + '/inits', { recursive: true });
writeFileSync(FOLDER + '/inits/' + version + '-' + pod, '');
export const handler = async ({ round, calls }, { awsRequestId }) => {
  const begun = FOLDER + '/' + round;
  mkdirSync(begun, { recursive: true });
  writeFileSync(begun + '/' + awsRequestId, '');
  while (readdirSync(begun).length < calls) await new Promise((resolve) => setTimeout(resolve, 10));
  return { version, pod };
};`;

const folder = mkdtempSync(join(tmpdir(), 'kappa-rollback-'));
const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
const FunctionName = 'paged';
let kappa: TestPlatform;
let client: LambdaClient;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  client = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials });
  const environment = [{ name: 'FOLDER', value: folder }];
  await kappa.applyReady(nodeFunction(FunctionName, source, { timeoutSeconds: 60, environment }));
  await client.send(new PublishVersionCommand({ FunctionName }));
  const ZipFile = await zipWithEntry('index.mjs', `${source}\n// the second edition`);
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  await eventually('version 2', async () => {
    const { Version } = await client.send(new PublishVersionCommand({ FunctionName }));
    return Version === '2';
  });
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.stop();
  rmSync(folder, { recursive: true });
}, 60_000);

/** Calls at the same time, each on a pod of its own. */
async function callTogether(round: string, calls: number): Promise<readonly Invoked[]> {
  const payload = { round, calls };
  const answers = await Promise.all(
    Array.from({ length: calls }, () => invoke(kappa.endpoint, `${FunctionName}:live`, { payload })),
  );
  expect(answers.map(({ status, functionError }) => [status, functionError])).toEqual(Array(calls).fill([200, null]));
  return answers;
}

const podsOf = (answers: readonly Invoked[]) => answers.map(({ payload }) => `1-${Object(payload)['pod']}`);

async function moveTo(FunctionVersion: string): Promise<void> {
  await client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion }));
  await eventually(`live is version ${FunctionVersion}`, async () => {
    const [answer] = await callTogether(`move-${FunctionVersion}-${performance.now()}`, 1);
    return answer?.headers.get('x-amz-executed-version') === FunctionVersion;
  });
}

test('an alias that goes back finds the pods that it has left, and none is initialised anew', async () => {
  await eventually('live is known', async () => (await invoke(kappa.endpoint, `${FunctionName}:live`)).status === 200);
  const before = await callTogether('before', 4);
  expect(new Set(podsOf(before)).size).toBe(4);
  await moveTo('2');
  const between = await callTogether('between', 4);
  expect(between.map(({ headers }) => headers.get('x-amz-executed-version'))).toEqual(Array(4).fill('2'));
  const known = readdirSync(join(folder, 'inits'));
  await moveTo('1');
  const after = await callTogether('after', 4);
  expect(new Set(podsOf(after)).size).toBe(4);
  expect(podsOf(after).filter((pod) => !known.includes(pod))).toEqual([]);
  expect(after.some(({ isCold }) => isCold)).toBe(false);
}, 120_000);
