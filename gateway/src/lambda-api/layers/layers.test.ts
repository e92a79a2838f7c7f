import { beforeEach, describe, expect, test } from '@jest/globals';
import { configMaps, layers } from '@kappa/crds/client/kinds';
import { layerObjectName } from '@kappa/crds/layer';

import type { OperationCall } from '../call.ts';
import { TestApi } from '../testing-call.ts';
import {
  deleteLayerVersion,
  getLayerVersion,
  getLayerVersionByArn,
  listLayers,
  listLayerVersions,
  publishLayerVersion,
} from './layers.ts';
import { TestBlobs, zipOf } from './testing.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:layer:My_Layer';
let api: TestApi;
let zip: Buffer;
beforeEach(async () => {
  api = new TestApi(new TestBlobs().deps);
  zip = await zipOf({ 'python/shared.py': 'X = 1' });
});

const publish = (more: object = {}, LayerName = 'My_Layer') =>
  publishLayerVersion(api.call({ LayerName, Content: { ZipFile: zip }, ...more }), api.deps);
const get = (VersionNumber: number, LayerName = 'My_Layer') =>
  getLayerVersion(api.call({ LayerName, VersionNumber }), api.deps);
const remove = (VersionNumber: number, LayerName = 'My_Layer') =>
  deleteLayerVersion(api.call({ LayerName, VersionNumber }), api.deps);

test('what is published is answered, and can be read by name, by ARN of the layer and by ARN of the version', async () => {
  const described = { Description: 'shared', CompatibleRuntimes: ['python3.13'], LicenseInfo: 'MIT' } as const;
  const made = await publish({ ...described, CompatibleArchitectures: ['x86_64'] });
  expect(made).toEqual({
    ...described,
    CompatibleArchitectures: ['x86_64'],
    LayerArn: arn,
    LayerVersionArn: `${arn}:1`,
    Version: 1,
    CreatedDate: '2026-11-22T00:00:00.000+0000',
    Content: {
      CodeSize: zip.length,
      CodeSha256: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      Location: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9000\/code\/[0-9a-f]{64}$/),
    },
  });
  expect(await get(1)).toEqual(made);
  expect(await get(1, arn)).toEqual(made);
  expect(await getLayerVersionByArn(api.call({ Arn: `${arn}:1` }), api.deps)).toEqual(made);
});

describe('numbers', () => {
  test('are never given twice: not after the newest was deleted, not after all were', async () => {
    expect((await publish()).Version).toBe(1);
    expect((await publish()).Version).toBe(2);
    await remove(2);
    expect((await publish()).Version).toBe(3);
    await remove(1);
    await remove(3);
    expect((await publish()).Version).toBe(4);
    expect((await publish({}, 'other')).Version).toBe(1);
    const { data } = await api.kubernetes.get(configMaps, 'kappa-system', 'kappa-layer-numbers');
    expect(data).toEqual({ 'default.My_Layer': '4', 'default.other': '1' });
  });

  test('go on after those that kubectl has given', async () => {
    const spec = { layerName: 'other', version: 7, code: { zip: { sha256: 'ab'.repeat(32) } } };
    api.kubernetes.set('layers', 'default', 'other-v7', { spec });
    expect((await publish({}, 'other')).Version).toBe(8);
  });

  test('that kubectl takes at the same moment are passed over', async () => {
    await publish();
    api.kubernetes.beforeReplace = () => {
      const spec = { layerName: 'My_Layer', version: 2, code: { zip: { sha256: 'ab'.repeat(32) } } };
      api.kubernetes.set('layers', 'default', layerObjectName('My_Layer', 2), { spec });
    };
    const { LayerVersionArn } = await publish();
    expect(LayerVersionArn).toBe(`${arn}:3`);
  });
});

test('a version that is gone is not found, and deleting it again is fine', async () => {
  await publish();
  await remove(1);
  await remove(1);
  await expect(get(1)).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
    message: 'The resource you requested does not exist.',
  });
  expect(await api.kubernetes.list(layers, { namespace: 'default' })).toEqual([]);
});

test.each<[reason: string, ask: () => Promise<unknown>, code: string, message: RegExp]>([
  ['version 0', () => get(0), 'InvalidParameterValueException', /^Layer Version Cannot be less than 1$/],
  ['a function', () => get(1, arn.replace('layer', 'function')), 'InvalidParameterValueException', /neither the name/],
  ['another region', () => get(1, arn.replace('us-east-1', 'eu-west-1')), 'ResourceNotFoundException', /eu-west-1/],
  ['no zip', () => publish({ Content: { ZipFile: Buffer.from('x') } }), 'InvalidParameterValueException', /unzip/],
  ['no contents', () => publish({ Content: {} }), 'InvalidParameterValueException', /provide a source/],
])('refused: %s', async (_reason, ask, code, message) => {
  await expect(ask()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

describe('lists', () => {
  beforeEach(async () => {
    await publish({ CompatibleRuntimes: ['python3.13'] }, 'b');
    await publish({ CompatibleRuntimes: ['nodejs24.x'], CompatibleArchitectures: ['arm64'] }, 'b');
    await publish({}, 'a');
  });
  const layersOf = async (input: object) =>
    ((await listLayers(api.call(input), api.deps)).Layers ?? []).map(
      ({ LayerName, LatestMatchingVersion }) => `${LayerName} ${LatestMatchingVersion?.Version}`,
    );

  test('of layers show the newest version that matches', async () => {
    expect(await layersOf({})).toEqual(['a 1', 'b 2']);
    expect(await layersOf({ CompatibleRuntime: 'python3.13' })).toEqual(['b 1']);
    expect(await layersOf({ CompatibleArchitecture: 'arm64' })).toEqual(['b 2']);
    expect(await layersOf({ CompatibleRuntime: 'java21' })).toEqual([]);
  });

  test('of versions show the newest first, page by page', async () => {
    const page = (input: object) => listLayerVersions(api.call({ LayerName: 'b', MaxItems: 1, ...input }), api.deps);
    const first = await page({});
    expect(first.LayerVersions?.map(({ Version }) => Version)).toEqual([2]);
    const second = await page({ Marker: first.NextMarker });
    expect(second.LayerVersions?.map(({ Version }) => Version)).toEqual([1]);
    expect(second).not.toHaveProperty('NextMarker');
    expect(await listLayerVersions(api.call({ LayerName: 'nobody' }), api.deps)).toEqual({ LayerVersions: [] });
  });
});

describe('layers of another account', () => {
  const others = 'arn:aws:lambda:us-east-1:111111111111:layer:shared';
  const stranger = <Input>(input: Input): OperationCall<Input> => {
    const principal = { accessKeyId: 'AKTEST', accounts: ['000000000000'] };
    return { ...api.call(input), principal: principal as unknown as OperationCall<Input>['principal'] };
  };
  const put = (permissions: object[]) => {
    const spec = { layerName: 'shared', version: 1, code: { zip: { sha256: 'ab'.repeat(32) } }, permissions };
    api.kubernetes.set('layers', 'team', 'shared-v1', { spec });
  };
  beforeEach(() => {
    const namespaceOf = async (accountId: string) => (accountId === '111111111111' ? 'team' : undefined);
    api = new TestApi({
      ...new TestBlobs().deps,
      directory: { namespaceOf } as unknown as TestApi['deps']['directory'],
    });
  });

  test('are read by permission', async () => {
    put([{ sid: 's', principal: '000000000000' }]);
    expect(await getLayerVersionByArn(stranger({ Arn: `${others}:1` }), api.deps)).toMatchObject({ LayerArn: others });
  });

  test('are not told of without one, there or not, nor changed or listed with one', async () => {
    put([]);
    const read = (number: number) => getLayerVersionByArn(stranger({ Arn: `${others}:${number}` }), api.deps);
    await expect(read(1)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(read(2)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    put([{ sid: 's', principal: '*' }]);
    const input = { LayerName: others, VersionNumber: 1 };
    await expect(deleteLayerVersion(stranger(input), api.deps)).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    const list = listLayerVersions(stranger({ LayerName: others }), api.deps);
    await expect(list).rejects.toMatchObject({ code: 'AccessDeniedException' });
    const publishing = publishLayerVersion(stranger({ LayerName: others, Content: { ZipFile: zip } }), api.deps);
    await expect(publishing).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});
