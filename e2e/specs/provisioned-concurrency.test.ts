import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Provisioned concurrency of versions and aliases, by the `aws` command. Each test goes on where the one before has ended.
 */

/** What Get and Put answer. */
interface Config {
  readonly RequestedProvisionedConcurrentExecutions: number;
  readonly AllocatedProvisionedConcurrentExecutions: number;
  readonly AvailableProvisionedConcurrentExecutions: number;
  readonly Status: string;
  readonly StatusReason?: string;
}

const source = (edition: string) => `
export const handler = async ({ ms = 0 }) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { edition: '${edition}', type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE, version: process.env.AWS_LAMBDA_FUNCTION_VERSION };
};`;
const named = ['--function-name', 'ready'];

let kappa: TestPlatform;
let aws: AwsCli;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
  const shortLived = { idleTimeoutSeconds: 1 };
  await kappa.applyReady(nodeFunction('ready', source('first'), shortLived));
  await aws.lambda('publish-version', ...named);
  await kappa.applyReady(nodeFunction('ready', source('second'), shortLived));
  await eventually('the second version', async () => {
    const { Version } = await aws.lambda<{ Version: string }>('publish-version', ...named);
    return Version === '2';
  });
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
}, 60_000);

const put = (qualifier: string, count: number) =>
  aws.lambda<Config>(
    'put-provisioned-concurrency-config',
    ...named,
    ...['--qualifier', qualifier, '--provisioned-concurrent-executions', String(count)],
  );
const get = (qualifier: string) =>
  aws.lambda<Config>('get-provisioned-concurrency-config', ...named, '--qualifier', qualifier);
const isReady = (qualifier: string) =>
  eventually(`${qualifier} is READY`, async () => (await get(qualifier)).Status === 'READY');

async function podsOfVersion(version: string): Promise<number> {
  const pods = await kappa.podsOf('ready');
  return pods.filter(({ metadata }) => metadata.labels?.['kappa.dev/version'] === `ready-v${version}`).length;
}

test('a version keeps initialised pods before any call, beyond its idle time, and calls find them', async () => {
  expect(await put('1', 2)).toMatchObject({
    RequestedProvisionedConcurrentExecutions: 2,
    AllocatedProvisionedConcurrentExecutions: expect.any(Number),
    Status: 'IN_PROGRESS',
  });
  await isReady('1');
  expect(await get('1')).toMatchObject({
    AllocatedProvisionedConcurrentExecutions: 2,
    AvailableProvisionedConcurrentExecutions: 2,
  });
  expect(await podsOfVersion('1')).toBe(2);
  const answers = await Promise.all([0, 1].map(() => invoke(kappa.endpoint, 'ready:1', { payload: { ms: 300 } })));
  for (const { payload } of answers)
    expect(payload).toEqual({ edition: 'first', type: 'provisioned-concurrency', version: '1' });
});

test('calls beyond them are served on demand, and those pods go again', async () => {
  const answers = await Promise.all(
    [0, 1, 2, 3].map(() => invoke(kappa.endpoint, 'ready:1', { payload: { ms: 1500 } })),
  );
  const types = answers.map(({ payload }) => Object(payload)['type']).sort();
  expect(types).toEqual(['on-demand', 'on-demand', 'provisioned-concurrency', 'provisioned-concurrency']);
  await eventually('two pods are left', async () => (await podsOfVersion('1')) === 2);
  expect(await get('1')).toMatchObject({ Status: 'READY', AvailableProvisionedConcurrentExecutions: 2 });
});

test('$LATEST, and a version with an alias of its own, are refused as Lambda does', async () => {
  const refusal = (qualifier: string) =>
    aws.refusal(
      'put-provisioned-concurrency-config',
      ...named,
      ...['--qualifier', qualifier, '--provisioned-concurrent-executions', '1'],
    );
  expect(await refusal('$LATEST')).toBe(
    'InvalidParameterValueException: Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  );
  await aws.lambda('create-alias', ...named, '--name', 'live', '--function-version', '1');
  expect(await refusal('live')).toMatch(/^ResourceConflictException: Alias can't be used for Provisioned Concurrency/);
});

test('an alias takes its pods along to another version, and shares them by its weights', async () => {
  await aws.lambda('delete-provisioned-concurrency-config', ...named, '--qualifier', '1');
  expect(await aws.refusal('get-provisioned-concurrency-config', ...named, '--qualifier', '1')).toBe(
    'ProvisionedConcurrencyConfigNotFoundException: No Provisioned Concurrency Config found for this function',
  );
  await put('live', 2);
  await isReady('live');
  const shared = ['--routing-config', 'AdditionalVersionWeights={2=0.5}'];
  await aws.lambda('update-alias', ...named, '--name', 'live', ...shared);
  await eventually('one pod each', async () => (await podsOfVersion('1')) === 1 && (await podsOfVersion('2')) === 1);
  await aws.lambda('update-alias', ...named, '--name', 'live', '--function-version', '2', '--routing-config', '{}');
  await eventually(
    'all of version 2',
    async () => (await podsOfVersion('1')) === 0 && (await podsOfVersion('2')) === 2,
  );
  await isReady('live');
  const { ProvisionedConcurrencyConfigs } = await aws.lambda<{ ProvisionedConcurrencyConfigs: object[] }>(
    'list-provisioned-concurrency-configs',
    ...named,
  );
  expect(ProvisionedConcurrencyConfigs).toMatchObject([
    { FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:ready:live', Status: 'READY' },
  ]);
}, 60_000);

test('a pod that is lost is replaced', async () => {
  const lost = new Set((await kappa.podsOf('ready')).map(({ metadata }) => metadata.uid));
  await kappa.killAgentsOf('ready');
  await eventually('others take their place', async () => {
    const pods = await kappa.podsOf('ready');
    return pods.length === 2 && pods.every(({ metadata }) => !lost.has(metadata.uid));
  });
  await isReady('live');
}, 60_000);

test('kubectl sets and sees the same', async () => {
  const entries = [{ qualifier: 'live', executions: 1 }];
  const patch = { spec: { concurrency: { provisionedByQualifier: entries } } };
  await kappa.kubectl.ok(['patch', 'fn', 'ready', '--type=merge', '-p', JSON.stringify(patch)]);
  await eventually('one pod', async () => (await podsOfVersion('2')) === 1);
  expect(await get('live')).toMatchObject({ RequestedProvisionedConcurrentExecutions: 1, Status: 'READY' });
  await aws.lambda('delete-alias', ...named, '--name', 'live');
  await eventually('none', async () => (await podsOfVersion('2')) === 0);
  const { spec } = await kappa.kubectl.json<{ spec: { concurrency: object } }>(['fn', 'ready']);
  expect(spec.concurrency).not.toHaveProperty('provisionedByQualifier');
});

test('an init that fails is told as FAILED, and does not use up the pool', async () => {
  await kappa.applyReady(nodeFunction('broken', `throw new Error('on purpose');`));
  const of = ['--function-name', 'broken', '--qualifier', '1'];
  await aws.lambda('publish-version', '--function-name', 'broken');
  await aws.lambda('put-provisioned-concurrency-config', ...of, '--provisioned-concurrent-executions', '1');
  const failed = await eventually('FAILED', async () => {
    const config = await aws.lambda<Config>('get-provisioned-concurrency-config', ...of);
    return config.Status === 'FAILED' && config;
  });
  expect(failed).toMatchObject({
    AllocatedProvisionedConcurrentExecutions: 0,
    AvailableProvisionedConcurrentExecutions: 0,
    StatusReason: 'FUNCTION_ERROR_INIT_FAILURE',
  });
  await aws.lambda('delete-provisioned-concurrency-config', ...of);
}, 60_000);
