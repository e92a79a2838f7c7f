import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import type { Key } from '../src/http-request.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';
import { type Caller, callerOf } from '../tools-replay/src/callers.ts';
import { FlowsReplay } from '../tools-replay/src/flows.ts';
import { type Flows, readTool, type Terraform } from '../tools-replay/src/steps.ts';
import { TerraformReplay } from '../tools-replay/src/terraform.ts';

/*
 * What Terraform, SAM and the CDK ask for, against an install where callers sign. Each test of Terraform goes on where the one before has ended.
 */

const key: Key = { accessKeyId: 'AKTOOLS', secretAccessKey: 'tools-secret-of-the-tests' };
const code = (edition: string) => zipWithEntry('index.mjs', `export const handler = () => '${edition}';`);

let kappa: TestPlatform;
let call: Caller & { destroy(): void };
let files: Readonly<Record<string, Buffer>>;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false, environment: { KAPPA_AUTH: 'sigv4' } });
  await kappa.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tools', namespace: 'kappa-system', labels: { 'kappa.dev/access-key': 'true' } },
    stringData: { ...key },
  });
  files = {
    first: await code('first'),
    second: await code('second'),
    layer: await zipWithEntry('nodejs/lib.txt', 'one'),
    layer2: await zipWithEntry('nodejs/lib.txt', 'two'),
  };
  call = callerOf(kappa.endpoint, key);
  await eventually('the key is known', () => call('sts.GetCallerIdentity', {}).then(() => true));
}, 180_000);
afterAll(async () => {
  call?.destroy();
  await kappa?.stop();
}, 60_000);

describe('terraform', () => {
  const tool = readTool<Terraform>('terraform');
  const addresses = tool.resources.map(({ address }) => address);
  let terraform: TerraformReplay;
  beforeAll(() => {
    terraform = new TerraformReplay(tool, call, files);
  });

  test('apply makes everything, and what is read back is what was configured', async () => {
    await terraform.configure();
    expect(await terraform.apply('set')).toEqual(addresses.map((address) => `create ${address}`));
  }, 120_000);

  test('a plan finds no changes', async () => {
    expect(await terraform.plan('set')).toEqual({});
  });

  test('a plan finds what somebody changed with kubectl, and an apply sets it right', async () => {
    const patch = JSON.stringify({ spec: { memoryMiB: 1024, timeoutSeconds: 9 } });
    await kappa.kubectl.ok(['patch', 'fn', 'tf-worker.nd', '--type=merge', '-p', patch]);
    expect(await terraform.plan('set')).toEqual({ 'aws_lambda_function.worker': ['memory_size', 'timeout'] });
    expect(await terraform.apply('set')).toEqual(['update aws_lambda_function.worker']);
    expect(await terraform.plan('set')).toEqual({});
  }, 120_000);

  test('another configuration is an update in place, but where it cannot be', async () => {
    const done = await terraform.apply('change');
    const changing = tool.resources.filter(({ change }) => change !== undefined).map(({ address }) => address);
    expect(done.map((text) => text.split(' ')[1])).toEqual(expect.arrayContaining(changing));
    expect(done.filter((text) => text.startsWith('replace'))).toEqual([
      'replace aws_lambda_layer_version.lib',
      'replace aws_lambda_layer_version_permission.all',
      'replace aws_lambda_permission.bucket',
    ]);
    expect(await terraform.plan('change')).toEqual({});
  }, 120_000);

  test('destroy takes everything away; a second one finds nothing and is content', async () => {
    await terraform.destroy();
    expect(await terraform.remaining()).toEqual([]);
    await terraform.destroy();
    const kinds = 'functions,functionversions,aliases,layers,eventsourcemappings,serviceaccounts';
    await eventually('kubectl shows nothing either', async () => {
      const { items } = await kappa.kubectl.json<{ items: { metadata: { name: string } }[] }>([kinds]);
      return items.every(({ metadata }) => metadata.name === 'default');
    });
  }, 120_000);
});

test.each(['sam', 'cdk'] as const)(
  '%s',
  async (name) => {
    await new FlowsReplay(call, files).runAll(readTool<Flows>(name));
  },
  120_000,
);
