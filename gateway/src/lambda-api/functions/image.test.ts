import { beforeEach, describe, expect, test } from '@jest/globals';
import { functions, functionVersions } from '@kappa/crds/client/kinds';
import { makeVersionSpec, type SnapshotImage } from '@kappa/crds/version-snapshot';

import { viewVersion } from '../../registry/views.ts';
import { TestApi } from '../testing-call.ts';
import { publish } from '../versions/versions.ts';
import { createFunction } from './create.ts';
import { getFunction } from './get.ts';
import { stateOf } from './state.ts';
import { updateFunctionCode, updateFunctionConfiguration } from './update.ts';

const uri = 'registry.example/shop/cart:7';
const sha256 = 'cd'.repeat(32);
const reference = `registry.example/shop/cart@sha256:${sha256}`;
const Role = 'arn:aws:iam::000000000000:role/r';
const request = { FunctionName: 'f', Role, PackageType: 'Image', Code: { ImageUri: uri } } as const;
let api: TestApi;
beforeEach(() => {
  api = new TestApi();
});

const create = (more: object = {}) => createFunction(api.call({ ...request, ...more }), api.deps);
const specOf = async () => (await api.kubernetes.get(functions, 'default', 'f')).spec;

/** What the controller makes of the function as it is now, and the gateway sees. */
async function resolve(status: object = {}): Promise<void> {
  const fn = await api.kubernetes.get(functions, 'default', 'f');
  const own: SnapshotImage = {
    uri,
    ...fn.spec.code.image,
    reference,
    entryPoint: ['/entry'],
    command: ['app.handler'],
  };
  const spec = makeVersionSpec(fn, { sha256, sizeBytes: 0, image: own });
  const latestVersion = `f-${spec.revision}`;
  api.kubernetes.set(functionVersions.plural, 'default', latestVersion, { spec });
  const served = { latestVersion, codeSha256: Buffer.from(sha256, 'hex').toString('base64'), codeSizeBytes: 0 };
  const observedGeneration = fn.metadata.generation;
  const good = { state: 'Active', lastUpdateStatus: 'Successful', observedGeneration, ...served };
  api.kubernetes.set(functions.plural, 'default', 'f', { status: { ...good, ...status } });
  const seen = { generation: observedGeneration, latestVersion, uid: fn.metadata.uid };
  const sight = { fn: seen, routed: { isPending: false } } as unknown as Parameters<typeof api.sights.set>[1];
  api.sights.set('default/f', sight); // states look at no more of it
}

test('a function is made of an image, with nothing that an image brings itself', async () => {
  const answer = await create({ ImageConfig: { Command: ['app.other'], EntryPoint: [] }, MemorySize: 512 });
  expect(answer).toMatchObject({
    State: 'Pending',
    PackageType: 'Image',
    CodeSize: 0,
    ImageConfigResponse: { ImageConfig: { Command: ['app.other'] } },
  });
  for (const member of ['Runtime', 'Handler', 'Layers', 'RuntimeVersionConfig'])
    expect(answer).not.toHaveProperty(member);
  const spec = await specOf();
  expect(spec).toMatchObject({ code: { image: { uri } }, imageConfig: { command: ['app.other'] }, memoryMiB: 512 });
  expect([spec.runtime, spec.handler]).toEqual([undefined, undefined]);
});

test.each<[reason: string, more: object, says: string]>([
  ['no image', { Code: {} }, 'Please provide ImageUri'],
  ['a zip beside it', { Code: { ImageUri: uri, ZipFile: Buffer.from('x') } }, 'Please do not provide ZipFile'],
  ['a zip from S3', { Code: { S3Bucket: 'b', S3Key: 'k' } }, 'Please do not provide ZipFile or S3'],
  ['no name of an image', { Code: { ImageUri: 'no name' } }, 'Provide a valid source image'],
  ['a runtime', { Runtime: 'nodejs24.x' }, 'Runtime and Handler are not supported'],
  ['a handler', { Handler: 'x' }, 'Runtime and Handler are not supported'],
  ['layers', { Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:a:1'] }, 'Layers are not supported'],
  ['a relative directory', { ImageConfig: { WorkingDirectory: 'app' } }, 'must be an absolute path'],
])('refused: %s', async (_reason, more, says) => {
  await expect(create(more)).rejects.toMatchObject({
    code: 'InvalidParameterValueException',
    message: expect.stringContaining(says),
  });
});

describe('once it is known', () => {
  beforeEach(async () => {
    await create();
    await resolve();
  });

  test('where it lies is told, with its digest', async () => {
    const { Code, Configuration } = await getFunction(api.call({ FunctionName: 'f' }), api.deps);
    expect(Code).toEqual({ RepositoryType: 'ECR', ImageUri: uri, ResolvedImageUri: reference });
    expect(Configuration).toMatchObject({ CodeSha256: sha256, CodeSize: 0, State: 'Active' });
  });

  test('an update looks the tag up again, and tells no digest of another image', async () => {
    const answer = await updateFunctionCode(api.call({ FunctionName: 'f', ImageUri: uri }), api.deps);
    expect(answer.LastUpdateStatus).toBe('InProgress');
    expect((await specOf()).code).toEqual({ image: { uri, deployedAt: '2026-11-22T01:02:03.000Z' } });
    await resolve();
    await updateFunctionCode(api.call({ FunctionName: 'f', ImageUri: `${uri}1` }), api.deps);
    const { Code } = await getFunction(api.call({ FunctionName: 'f' }), api.deps);
    expect(Code).toEqual({ RepositoryType: 'ECR', ImageUri: `${uri}1` });
  });

  test('a dry run changes nothing', async () => {
    const answer = await updateFunctionCode(api.call({ FunctionName: 'f', ImageUri: uri, DryRun: true }), api.deps);
    expect([answer.CodeSha256, (await specOf()).code]).toEqual([sha256, { image: { uri } }]);
  });

  test('it stays an image', async () => {
    const zip = updateFunctionCode(api.call({ FunctionName: 'f', ZipFile: Buffer.from('x') }), api.deps);
    await expect(zip).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
    const handler = updateFunctionConfiguration(api.call({ FunctionName: 'f', Handler: 'x' }), api.deps);
    await expect(handler).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
  });

  test('its settings are replaced as a whole', async () => {
    const change = (ImageConfig: object) =>
      updateFunctionConfiguration(api.call({ FunctionName: 'f', ImageConfig }), api.deps);
    await change({ Command: ['a'], WorkingDirectory: '/app' });
    expect((await specOf()).imageConfig).toEqual({ command: ['a'], workingDirectory: '/app' });
    await resolve();
    const answer = await change({});
    expect(answer).not.toHaveProperty('ImageConfigResponse');
  });

  test('a version keeps the digest', async () => {
    const version = await publish(api.call({ FunctionName: 'f', CodeSha256: sha256 }), api.deps);
    expect(version).toMatchObject({ Version: '1', CodeSha256: sha256, PackageType: 'Image' });
    const stored = await api.kubernetes.get(functionVersions, 'default', 'f-v1');
    expect(stored.spec.code).toMatchObject({ sha256, image: { reference } });
    expect(viewVersion(stored)).toMatchObject({
      runtime: 'image',
      handler: 'app.handler',
      image: { pool: expect.stringMatching(/^image-/), process: ['/entry', 'app.handler'] },
    });
  });
});

test.each<[reason: string, status: object, want: object]>([
  [
    'while its first pod starts',
    { state: 'Pending', lastUpdateStatus: 'InProgress', latestVersion: undefined },
    { State: 'Pending', StateReasonCode: 'Creating' },
  ],
  ['while an update is tried', { lastUpdateStatus: 'InProgress' }, { State: 'Active', LastUpdateStatus: 'InProgress' }],
  [
    'when nobody may read it',
    { state: 'Failed', stateReason: 'why', stateReasonCode: 'ImageAccessDenied', lastUpdateStatus: 'Failed' },
    { State: 'Failed', StateReason: 'why', StateReasonCode: 'ImageAccessDenied' },
  ],
  [
    'when no pod starts',
    { state: 'Failed', stateReason: 'why', stateReasonCode: 'StartTimeout', lastUpdateStatus: 'Failed' },
    { State: 'Failed', StateReason: 'why', StateReasonCode: 'InternalError' },
  ],
  [
    'where there is no engine',
    { state: 'Failed', stateReason: 'why', stateReasonCode: 'ImagesUnsupported', lastUpdateStatus: 'Failed' },
    { State: 'Failed', StateReasonCode: 'InvalidConfiguration' },
  ],
])('the state %s', async (_reason, status, want) => {
  await create();
  await resolve(status);
  expect(stateOf(await api.kubernetes.get(functions, 'default', 'f'), api.deps.directory)).toMatchObject(want);
});

describe('published with its making', () => {
  test('it waits until the image is known', async () => {
    api = new TestApi({ sleep: () => resolve() });
    const answer = await create({ Publish: true });
    expect(answer).toMatchObject({ Version: '1', FunctionArn: expect.stringMatching(/:f:1$/) });
  });

  test('and says so when that does not work', async () => {
    const status = { lastUpdateStatus: 'Failed', lastUpdateStatusReason: 'Image x does not exist' };
    api = new TestApi({ sleep: () => resolve(status) });
    await expect(create({ Publish: true })).rejects.toMatchObject({
      code: 'ResourceConflictException',
      message: expect.stringContaining('does not exist'),
    });
    expect((await specOf()).code).toEqual({ image: { uri } });
  });

  test.each([{ uri: `${uri}1` }, { uri, deployedAt: '2026-11-22T02:00:00Z' }])(
    'nor is a version made of two updates when somebody deploys %j meanwhile',
    async (image) => {
      const deploy = async () => {
        const spec = { ...(await specOf()), code: { image } };
        api.kubernetes.set(functions.plural, 'default', 'f', { spec });
        await resolve();
      };
      api = new TestApi({ sleep: deploy });
      await expect(create({ Publish: true })).rejects.toMatchObject({
        code: 'ResourceConflictException',
        message: expect.stringContaining('changed meanwhile'),
      });
    },
  );
});
