import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { pythonFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

/*
 * The life of layers by the `aws` command and by kubectl. The tests of one block go on where the one before has ended.
 */

const arn = (text: string) => `arn:aws:lambda:us-east-1:000000000000:layer:${text}`;
const role = 'arn:aws:iam::000000000000:role/any';

let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-layers-'));
  const zips: Record<string, [name: string, content: string]> = {
    first: ['python/shared.py', 'EDITION = "first"'],
    second: ['python/shared.py', 'EDITION = "second"'],
    packages: ['nodejs/node_modules/shared/index.js', 'module.exports = "a package";'],
    python: [
      'index.py',
      'import shared\ndef handler(event, context):\n    return {"edition": shared.EDITION, "code": "first"}',
    ],
    newer: [
      'index.py',
      'import shared\ndef handler(event, context):\n    return {"edition": shared.EDITION, "code": "newer"}',
    ],
    node: ['index.mjs', 'import shared from "shared"; export const handler = async () => shared;'],
  };
  for (const [name, [path, content]] of Object.entries(zips))
    writeFileSync(join(folder, `${name}.zip`), await zipWithEntry(path, content));
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const zip = (name: string) => ['--zip-file', `fileb://${join(folder, `${name}.zip`)}`];
const bytesOf = (name: string) => readFileSync(join(folder, `${name}.zip`));
const named = (name: string) => ['--function-name', name];
const publish = <T>(name: string, contents: string, ...more: string[]) =>
  aws.lambda<T>('publish-layer-version', '--layer-name', name, ...zip(contents), ...more);
const version = (name: string, number: number) => ['--layer-name', name, '--version-number', String(number)];

async function call(name: string, ...more: string[]): Promise<unknown> {
  const file = join(folder, 'out.json');
  await aws.lambda('invoke', ...named(name), ...more, file);
  return JSON.parse(readFileSync(file, 'utf8'));
}

async function create(name: string, runtime: string, code: string, layers: readonly string[]): Promise<object> {
  const made = await aws.lambda<object>(
    'create-function',
    ...[...named(name), '--runtime', runtime, '--handler', 'index.handler', '--role', role],
    ...[...zip(code), '--layers', ...layers],
  );
  await aws.lambda('wait', 'function-active-v2', ...named(name));
  return made;
}

describe('a layer and a function', () => {
  test('publish-layer-version: exact digest and size, a link to the zip', async () => {
    const described = ['--description', 'shared code', '--license-info', 'MIT', '--compatible-runtimes', 'python3.13'];
    const made = await publish<{ Content: { Location: string } }>('Shared', 'first', ...described);
    expect(made).toMatchObject({
      LayerArn: arn('Shared'),
      LayerVersionArn: arn('Shared:1'),
      Version: 1,
      Description: 'shared code',
      LicenseInfo: 'MIT',
      CompatibleRuntimes: ['python3.13'],
      CreatedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
      Content: {
        CodeSize: bytesOf('first').length,
        CodeSha256: createHash('sha256').update(bytesOf('first')).digest('base64'),
      },
    });
    const answer = await fetch(made.Content.Location);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytesOf('first'));
  });

  test('create-function --layers, invoke imports from the layer', async () => {
    expect(await create('uses', 'python3.13', 'python', [arn('Shared:1')])).toMatchObject({
      Layers: [{ Arn: arn('Shared:1'), CodeSize: bytesOf('first').length }],
    });
    expect(await call('uses')).toEqual({ edition: 'first', code: 'first' });
    expect(await aws.lambda('get-function-configuration', ...named('uses'))).toMatchObject({
      Layers: [{ Arn: arn('Shared:1'), CodeSize: bytesOf('first').length }],
    });
    await aws.lambda('publish-version', ...named('uses'));
  });

  test('another version of the layer: $LATEST has it, the published version keeps the first', async () => {
    expect(await publish('Shared', 'second')).toMatchObject({ Version: 2 });
    await aws.lambda('update-function-configuration', ...named('uses'), '--layers', arn('Shared:2'));
    await aws.lambda('wait', 'function-updated-v2', ...named('uses'));
    expect(await call('uses')).toEqual({ edition: 'second', code: 'first' });
    expect(await call('uses', '--qualifier', '1')).toEqual({ edition: 'first', code: 'first' });
    expect(await aws.lambda('get-function-configuration', ...named('uses'), '--qualifier', '1')).toMatchObject({
      Layers: [{ Arn: arn('Shared:1') }],
    });
  });

  test('delete-layer-version while it is used: the function keeps it, also with new code', async () => {
    for (const number of [1, 2]) await aws.lambda('delete-layer-version', ...version('Shared', number));
    expect(await aws.refusal('get-layer-version', ...version('Shared', 2))).toMatch(/^ResourceNotFoundException: /);
    await aws.lambda('update-function-code', ...named('uses'), ...zip('newer'));
    await aws.lambda('wait', 'function-updated-v2', ...named('uses'));
    expect(await call('uses')).toEqual({ edition: 'second', code: 'newer' });
    expect(await call('uses', '--qualifier', '1')).toEqual({ edition: 'first', code: 'first' });
    const another = ['create-function', ...named('late'), '--runtime', 'python3.13', '--handler', 'index.handler'];
    expect(await aws.refusal(...another, '--role', role, ...zip('python'), '--layers', arn('Shared:2'))).toBe(
      `InvalidParameterValueException: Layer version ${arn('Shared:2')} does not exist.`,
    );
  });

  test('a number is not given twice', async () => {
    expect(await publish('Shared', 'first')).toMatchObject({ Version: 3 });
  });

  test('without layers again', async () => {
    await aws.lambda('update-function-configuration', ...named('uses'), '--layers', '[]');
    await aws.lambda('wait', 'function-updated-v2', ...named('uses'));
    expect(await aws.lambda('get-function-configuration', ...named('uses'))).not.toHaveProperty('Layers');
    expect(await call('uses')).toMatchObject({ errorType: 'Runtime.ImportModuleError' });
  });
});

test('a Node.js function imports a package of a layer', async () => {
  await publish('packages', 'packages');
  await create('node-uses', 'nodejs24.x', 'node', [arn('packages:1')]);
  expect(await call('node-uses')).toBe('a package');
});

test('lists, and who may use a version', async () => {
  for (const contents of ['first', 'second']) await publish('listed', contents);
  const { Layers } = await aws.lambda<{ Layers: { LayerName: string }[] }>('list-layers');
  expect(Layers.find(({ LayerName }) => LayerName === 'listed')).toMatchObject({
    LayerArn: arn('listed'),
    LatestMatchingVersion: { Version: 2, LayerVersionArn: arn('listed:2') },
  });
  const { LayerVersions } = await aws.lambda<{ LayerVersions: { Version: number }[] }>(
    ...['list-layer-versions', '--layer-name', 'listed', '--page-size', '1'],
  );
  expect(LayerVersions.map(({ Version }) => Version)).toEqual([2, 1]);
  expect(await aws.lambda('get-layer-version-by-arn', '--arn', arn('listed:1'))).toMatchObject({ Version: 1 });
  const statement = [...version('listed', 1), '--statement-id', 'all'];
  const action = ['--action', 'lambda:GetLayerVersion', '--principal', '*'];
  await aws.lambda('add-layer-version-permission', ...statement, ...action);
  const { Policy } = await aws.lambda<{ Policy: string }>('get-layer-version-policy', ...version('listed', 1));
  expect(JSON.parse(Policy)).toMatchObject({ Statement: [{ Sid: 'all', Principal: '*', Resource: arn('listed:1') }] });
  await aws.lambda('remove-layer-version-permission', ...statement);
  expect(await aws.refusal('get-layer-version-policy', ...version('listed', 1))).toMatch(/^ResourceNotFoundException/);
});

describe('by kubectl', () => {
  const layer = (name: string, layerName: string, content: string) => ({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Layer',
    metadata: { name, namespace: 'default' },
    spec: { layerName, version: 1, code: { inline: { files: [{ path: 'python/shared.py', content }] } } },
  });
  const fn = pythonFunction('waits', 'import shared\ndef handler(event, context):\n    return shared.EDITION', {
    layers: [arn('by-kubectl:1')],
  });

  test('a function waits for a layer that comes after it', async () => {
    await kappa.kubectl.apply(fn);
    const conditions = await eventually('it says what is missing', async () => {
      const { status } = await kappa.kubectl.json<{ status?: { conditions?: { type: string }[] } }>(['fn', 'waits']);
      return status?.conditions?.find(({ type }) => type === 'LayersResolved');
    });
    expect(conditions).toMatchObject({ status: 'False', reason: 'LayerMissing' });
    await kappa.kubectl.apply(layer('by-kubectl-v1', 'by-kubectl', 'EDITION = "by kubectl"'));
    await kappa.kubectl.ok(['wait', 'fn/waits', '--for=condition=Ready', '--timeout=30s']);
    expect(await invoke(kappa.endpoint, 'waits')).toMatchObject({ payload: 'by kubectl' });
  });

  test('the Lambda API shows it, and goes on counting after it', async () => {
    await kappa.kubectl.ok(['wait', 'layer/by-kubectl-v1', '--for=condition=Ready', '--timeout=30s']);
    expect(await aws.lambda('get-layer-version', ...version('by-kubectl', 1))).toMatchObject({
      LayerVersionArn: arn('by-kubectl:1'),
      Content: { CodeSize: expect.any(Number), Location: expect.any(String) },
    });
    expect(await publish('by-kubectl', 'first')).toMatchObject({ Version: 2 });
    expect(
      (await kappa.kubectl.ok(['get', 'layers'])).split('\n').filter((line) => /^by-kubectl-v[12] /.test(line)),
    ).toHaveLength(2);
  });

  test('a function of another account has it by permission', async () => {
    const account = { 'kappa.dev/account-id': '111111111111' };
    await kappa.kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels: account } });
    await kappa.kubectl.apply({ ...fn, metadata: { name: 'borrows', namespace: 'team' } });
    const forbidden = '--for=jsonpath={.status.lastUpdateStatusReasonCode}=LayerForbidden';
    await kappa.kubectl.ok(['wait', '-n', 'team', 'fn/borrows', forbidden, '--timeout=30s']);
    const permission = ['--statement-id', 'team', '--action', 'lambda:GetLayerVersion', '--principal', '111111111111'];
    await aws.lambda('add-layer-version-permission', ...version('by-kubectl', 1), ...permission);
    await kappa.kubectl.ok(['wait', '-n', 'team', 'fn/borrows', '--for=condition=Ready', '--timeout=30s']);
    expect(await call('111111111111:function:borrows')).toBe('by kubectl');
  });

  test('a version cannot be changed', async () => {
    const { code, stderr } = await kappa.kubectl.run(
      ['apply', '-f', '-'],
      JSON.stringify(layer('by-kubectl-v1', 'by-kubectl', 'EDITION = "other"')),
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain('the contents of a version cannot be changed; make another version');
  });
});
