import { beforeEach, describe, expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';

import type { OperationCall } from '../call.ts';
import { publishLayerVersion } from '../layers/layers.ts';
import { TestBlobs, zipOf } from '../layers/testing.ts';
import { TestApi } from '../testing-call.ts';
import { requireLayers, requireRoomTogether, shownLayers } from './layers.ts';

const arn = (text: string) => `arn:aws:lambda:us-east-1:000000000000:layer:${text}`;
let api: TestApi;
let blobs: TestBlobs;
beforeEach(async () => {
  blobs = new TestBlobs();
  const none = { fn: undefined, routed: undefined, versions: [], aliases: [] };
  const directory = { look: () => none, namespaceOf: async () => 'default' };
  api = new TestApi({ ...blobs.deps, directory: directory as unknown as TestApi['deps']['directory'] });
  const ZipFile = await zipOf({ a: 'text' });
  for (const LayerName of ['a', 'b'])
    await publishLayerVersion(api.call({ LayerName, Content: { ZipFile } }), api.deps);
});

const require = (...arns: string[]) => requireLayers(arns, [], api.call({}), api.deps);

test('layers are found in their order, with digest and size', async () => {
  const [b, a] = await require(arn('b:1'), arn('a:1'));
  expect([b?.arn, a?.arn]).toEqual([arn('b:1'), arn('a:1')]);
  const zip = blobs.stored.get(b?.sha256 ?? '');
  expect(b?.sizeBytes).toBe(zip?.length);
});

test.each<[reason: string, arns: string[], message: string]>([
  ['a layer that is not there', [arn('a:2')], `Layer version ${arn('a:2')} does not exist.`],
  [
    'one of another region',
    [arn('a:1').replace('us-east-1', 'eu-west-1')],
    `Layer version ${arn('a:1').replace('us-east-1', 'eu-west-1')} does not exist.`,
  ],
  ['six', ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => arn(`${name}:1`)), 'Cannot reference more than 5 layers.'],
  [
    'two versions of one',
    [arn('a:1'), arn('b:1'), arn('a:2')],
    `Two different versions of the same layer are not allowed to be referenced in the same function. ${arn('a:1')} and ${arn('a:2')}.`,
  ],
])('refused: %s', async (_reason, arns, message) => {
  await expect(require(...arns)).rejects.toMatchObject({ code: 'InvalidParameterValueException', message });
});

test('what the function has already is not looked for', async () => {
  const kept = [{ arn: arn('gone:1'), sha256: 'ab'.repeat(32), sizeBytes: 5 }];
  expect(await requireLayers([arn('gone:1')], kept, api.call({}), api.deps)).toEqual(kept);
});

test('a layer of another account needs its permission', async () => {
  const stranger = { ...api.call({}), accountId: '111111111111', namespace: 'other' } as OperationCall<unknown>;
  const asking = requireLayers([arn('a:1')], [], stranger, api.deps);
  await expect(asking).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

describe('room', () => {
  /** A zip that says that it has so many bytes unpacked. */
  const store = async (name: string, bytes: number) => {
    const zip = await zipOf({ [name]: 'x' });
    zip.writeUInt32LE(bytes, zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24);
    const { sha256 } = await api.deps.blobs.put(zip);
    return { arn: arn(`${name}:1`), sha256, sizeBytes: zip.length };
  };

  test('is for code and layers together', async () => {
    const [code, layer] = [await store('code', 100_000_000), await store('layer', 162_144_000)];
    await requireRoomTogether(code, [layer], api.deps);
    const more = await store('more', 1);
    await expect(requireRoomTogether(code, [layer, more], api.deps)).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
      message:
        'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes.',
    });
  });

  test('is not asked for by what is not stored yet', async () => {
    const layer = await store('layer', 262_144_000);
    await requireRoomTogether({ sha256: 'ab'.repeat(32) }, [layer], api.deps);
    await requireRoomTogether(null, [layer], api.deps);
  });
});

test('an answer shows sizes, also before a version has them', async () => {
  await api.function('f', { layers: [arn('b:1'), arn('a:1')] });
  const fn = await api.kubernetes.get(functions, 'default', 'f');
  const size = [...blobs.stored.values()][0]?.length;
  expect(await shownLayers(fn, api.deps)).toEqual([
    { Arn: arn('b:1'), CodeSize: size },
    { Arn: arn('a:1'), CodeSize: size },
  ]);
});
