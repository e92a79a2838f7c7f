import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandOutput,
  type LambdaClient,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect } from '@jest/globals';

import { buildImages } from '../images/src/build-images.ts';
import { eventually } from '../src/eventually.ts';
import { ImageRegistry } from '../src/image-registry.ts';
import { InstalledKappa, release } from '../src/installed.ts';
import { test } from '../src/needs.ts';

/*
 * Functions from container images, pulled by the nodes from a registry of this file: e2e/images/user is laid out as AWS's base images are. One
 * function after the other: the nodes are small.
 */

const repository = 'shop/user';
const byApi = 'image-by-api';
const byKubectl = 'image-by-kubectl';
const missing = 'image-missing';
const broken = 'image-broken';
const all = [byApi, byKubectl, missing, broken];
const role = 'arn:aws:iam::000000000000:role/default';

let kappa: InstalledKappa;
let client: LambdaClient;
let registry: ImageRegistry | undefined;
/** Of the image as it was built. */
let digest = '';
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  client = await kappa.lambda();
  await kappa.kubectl.ok(['delete', 'fn', ...all, '--ignore-not-found', '--timeout=50s']);
  const [image] = await buildImages({ names: ['user'] });
  registry = await ImageRegistry.start(process.env['KAPPA_E2E_LEDGER_HOST'] ?? '127.0.0.1');
  digest = await registry.push(repository, '1', image?.archive ?? '');
}, 180_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.deleteFunctions(all);
  await registry?.stop();
  await kappa?.stop();
}, 60_000);

const started = (): ImageRegistry => {
  if (registry === undefined) throw new Error('the registry did not start');
  return registry;
};
const uriOf = (tag: string): string => `${started().host}/${repository}:${tag}`;
const pinned = (of: string): string => `${started().host}/${repository}@${of}`;
const textOf = ({ Payload }: InvokeCommandOutput): unknown => JSON.parse(Buffer.from(Payload ?? []).toString());
const call = (FunctionName: string, event: object = {}, Qualifier?: string): Promise<InvokeCommandOutput> =>
  client.send(
    new InvokeCommand({
      FunctionName,
      Payload: Buffer.from(JSON.stringify(event)),
      ...(Qualifier !== undefined && { Qualifier }),
    }),
  );
const create = (FunctionName: string, ImageUri: string) =>
  client.send(
    new CreateFunctionCommand({
      FunctionName,
      PackageType: 'Image',
      Code: { ImageUri },
      Role: role,
      MemorySize: 256,
      Timeout: 30,
      Environment: { Variables: { COLOUR: 'blue' } },
    }),
  );
const getFunction = (FunctionName: string) => client.send(new GetFunctionCommand({ FunctionName }));
const failureOf = async (FunctionName: string) => {
  const { Configuration } = await getFunction(FunctionName);
  return Configuration?.State === 'Failed' ? Configuration : undefined;
};

interface Seen {
  readonly calls: number;
  readonly environment: Readonly<Record<string, string>>;
}

test('an image made for Lambda runs as it is @registry', async () => {
  const startMs = performance.now();
  const { State, PackageType, Runtime } = await create(byApi, uriOf('1'));
  expect([State, PackageType, Runtime]).toEqual(['Pending', 'Image', undefined]);
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 240 }, { FunctionName: byApi });
  const activeMs = Math.round(performance.now() - startMs);
  const { Code, Configuration } = await getFunction(byApi);
  expect(Code).toMatchObject({ RepositoryType: 'ECR', ImageUri: uriOf('1'), ResolvedImageUri: pinned(digest) });
  expect(Configuration).toMatchObject({ CodeSha256: digest.replace('sha256:', ''), CodeSize: 0, PackageType: 'Image' });

  const callMs = performance.now();
  const first = await call(byApi, { text: 'ü' });
  process.stdout.write(`image: Active after ${activeMs} ms, first call ${Math.round(performance.now() - callMs)} ms\n`);
  expect(textOf(first)).toMatchObject({
    event: { text: 'ü' },
    calls: 1,
    directory: '/var/task',
    uid: 65532,
    token: false,
    writeRoot: 'EROFS',
    writeTmp: 'done',
    writeAgent: expect.stringMatching(/^(EROFS|EACCES)$/),
    agentMemory: expect.stringMatching(/^(EACCES|EPERM)$/),
    environment: {
      COLOUR: 'blue',
      FROM_IMAGE: 'yes',
      _HANDLER: 'app.handler',
      AWS_LAMBDA_FUNCTION_NAME: byApi,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    },
  });
  const second = textOf(await call(byApi)) as Seen;
  expect(second.calls).toBe(2);
  expect(Object.keys(second.environment).filter((name) => /^KAPPA_|KUBERNETES_/.test(name))).toEqual([]);
  const failed = await call(byApi, { do: 'throw' });
  expect([failed.FunctionError, textOf(failed)]).toEqual([
    'Unhandled',
    expect.objectContaining({ errorType: 'TypeError' }),
  ]);
  const [pod] = await eventually('its pod is labelled', async () => {
    const pods = await kappa.podsOf(byApi);
    return pods.length > 0 ? pods : undefined;
  });
  expect(pod?.spec.containers[0]?.image).toBe(pinned(digest));
}, 420_000);

test('the same tag again is looked up again; a version keeps its digest @registry', async () => {
  await client.send(new PublishVersionCommand({ FunctionName: byApi }));
  const other = started().derive(repository, digest, '1', { Cmd: ['app.other'] });
  await client.send(new UpdateFunctionCodeCommand({ FunctionName: byApi, ImageUri: uriOf('1') }));
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 240 }, { FunctionName: byApi });
  expect((await getFunction(byApi)).Code?.ResolvedImageUri).toBe(pinned(other));
  expect(textOf(await call(byApi))).toBe('other');
  expect(textOf(await call(byApi, {}, '1'))).toMatchObject({ environment: { _HANDLER: 'app.handler' } });
}, 420_000);

test('an update to an image that is not there leaves what answers @registry', async () => {
  await client.send(new UpdateFunctionCodeCommand({ FunctionName: byApi, ImageUri: uriOf('gone') }));
  const failed = await eventually('the update has failed', async () => {
    const { Configuration } = await getFunction(byApi);
    return Configuration?.LastUpdateStatus === 'Failed' ? Configuration : undefined;
  });
  expect(failed).toMatchObject({ State: 'Active', LastUpdateStatusReasonCode: 'InvalidImage' });
  expect(failed.LastUpdateStatusReason).toContain(`${uriOf('gone')} does not exist`);
  expect(textOf(await call(byApi))).toBe('other');
  await kappa.kubectl.ok(['delete', 'fn', byApi, '--timeout=50s']);
}, 180_000);

test('kubectl says what takes the place of the CMD @registry', async () => {
  await kappa.applyReady({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name: byKubectl, namespace: 'default' },
    spec: {
      code: { image: { uri: pinned(digest) } },
      imageConfig: { command: ['app.other'] },
      memoryMiB: 256,
      timeoutSeconds: 30,
      http: { auth: 'None' },
    },
  });
  const answer = await fetch(`${kappa.endpoint}/fn/default/${byKubectl}/`);
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('other')]);
  await kappa.kubectl.ok(['delete', 'fn', byKubectl, '--timeout=50s']);
}, 420_000);

test('an image that is not there, or not whole, says so @registry', async () => {
  await create(missing, uriOf('none'));
  const unknown = await eventually('it has failed', () => failureOf(missing));
  expect(unknown).toMatchObject({ StateReasonCode: 'InvalidImage' });
  started().derive(repository, digest, 'broken', {}, [`sha256:${'0'.repeat(64)}`]);
  await create(broken, uriOf('broken'));
  const partial = await eventually('a node could not pull it', () => failureOf(broken), 180_000);
  expect(partial).toMatchObject({ StateReasonCode: 'InvalidImage' });
  expect(partial.StateReason).toMatch(/ErrImagePull|ImagePullBackOff/);
}, 300_000);

test('what nobody uses any more leaves no pool @registry', async () => {
  await kappa.kubectl.ok(['delete', 'fn', ...all, '--ignore-not-found', '--timeout=50s']);
  await eventually(
    'the pools of images are gone',
    async () => {
      const names = await kappa.kubectl.ok(['get', 'pools', '-n', release.poolNamespace, '-o', 'name']);
      return !names.includes('/image-');
    },
    240_000,
  );
}, 300_000);
