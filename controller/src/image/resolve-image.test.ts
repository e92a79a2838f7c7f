import { expect, test } from '@jest/globals';
import type { FunctionObject } from '@kappa/crds/function';
import { makeFunction } from '../function/testing.ts';
import { RegistryRefusal } from './registry.ts';
import { type ImageSources, resolveImage } from './resolve-image.ts';

const sha256 = 'cd'.repeat(32);
const uri = 'registry.example/shop/cart:7';
const facts = { sha256, entryPoint: ['/entry'], command: ['app.handler'] };
const pinned = {
  uri,
  reference: `registry.example/shop/cart@sha256:${sha256}`,
  entryPoint: ['/entry'],
  command: ['app.handler'],
};
const specOf = (image: object = {}, spec: object = {}): FunctionObject['spec'] =>
  makeFunction({ code: { image: { uri, ...image } }, ...spec }).spec;

const found: ImageSources = { isSupported: true, describe: async () => facts };
const never: ImageSources = { isSupported: true, describe: () => Promise.reject(new Error('asked')) };
const refusing = (reason: RegistryRefusal['reason']): ImageSources => ({
  isSupported: true,
  describe: () => Promise.reject(new RegistryRefusal(reason, 'does not exist')),
});

test.each<
  [reason: string, spec: FunctionObject['spec'], known: (typeof pinned)[], sources: ImageSources, want: object]
>([
  ['a tag is pinned', specOf(), [], found, { kind: 'resolved', sha256, sizeBytes: 0, image: pinned }],
  ['once', specOf(), [pinned], never, { kind: 'resolved', sha256, image: pinned }],
  ['another one is looked up', specOf({ uri: `${uri}1` }), [pinned], found, { image: { ...pinned, uri: `${uri}1` } }],
  [
    'the same one again, when that is meant',
    specOf({ deployedAt: '2026-11-22T00:00:00Z' }),
    [pinned],
    found,
    { image: { ...pinned, deployedAt: '2026-11-22T00:00:00Z' } },
  ],
  ['no name of an image', specOf({ uri: 'Cart' }), [], never, { kind: 'failed', reason: 'InvalidImage' }],
  [
    'there is none',
    specOf(),
    [],
    refusing('InvalidImage'),
    { reason: 'InvalidImage', message: `Image ${uri} does not exist` },
  ],
  ['it is not ours', specOf(), [], refusing('ImageAccessDenied'), { reason: 'ImageAccessDenied' }],
  ['the registry is away', specOf(), [], refusing('FetchFailed'), { kind: 'failed', reason: 'FetchFailed' }],
  [
    'a name that has no room for a digest',
    specOf({ uri: `registry.example/${'x'.repeat(480)}` }),
    [],
    found,
    { kind: 'failed', reason: 'InvalidImage', message: expect.stringContaining('at most 440 characters') },
  ],
  [
    'no engine to run it',
    specOf(),
    [],
    { ...found, isSupported: false },
    { kind: 'failed', reason: 'ImagesUnsupported' },
  ],
  [
    'nor is what runs already ended by that',
    specOf(),
    [pinned],
    { ...never, isSupported: false },
    { kind: 'resolved' },
  ],
  [
    'it starts nothing',
    specOf(),
    [],
    { isSupported: true, describe: async () => ({ sha256, entryPoint: [], command: [] }) },
    { kind: 'failed', reason: 'InvalidImage', message: expect.stringContaining('neither ENTRYPOINT nor CMD') },
  ],
  [
    'but the function says what',
    specOf({}, { imageConfig: { entryPoint: ['/mine'] } }),
    [],
    { isSupported: true, describe: async () => ({ sha256, entryPoint: [], command: [] }) },
    { kind: 'resolved', image: { entryPoint: [], command: [] } },
  ],
])('resolveImage: %s', async (_reason, spec, known, sources, want) => {
  expect(await resolveImage(spec, known, sources)).toMatchObject(want);
});

test.each<[architectures: FunctionObject['spec']['architectures'], want: string]>([
  [undefined, 'amd64'],
  [['x86_64'], 'amd64'],
  [['arm64'], 'arm64'],
])('architecture %s', async (architectures, want) => {
  const asked: string[] = [];
  const describe = async (_image: unknown, architecture: string) => {
    asked.push(architecture);
    return facts;
  };
  await resolveImage(specOf({}, { architectures }), [], { isSupported: true, describe });
  expect(asked).toEqual([want]);
});

test('what nobody expected is an error, not an answer', async () => {
  await expect(resolveImage(specOf(), [], never)).rejects.toThrow('asked');
});
