import { expect, test } from '@jest/globals';
import { type LayerObject, parseLayer } from '@kappa/crds/layer';
import type { ResolvedCode } from './resolve-code.ts';
import { type LayerSources, type ResolvedLayers, resolveLayers } from './resolve-layers.ts';
import { makeFunction } from './testing.ts';

const own = 'arn:aws:lambda:us-east-1:000000000000:layer:';
const others = 'arn:aws:lambda:us-east-1:111111111111:layer:';
const contents = { kind: 'resolved', sha256: 'ab'.repeat(32), sizeBytes: 5 } satisfies ResolvedCode;

function layerOf(namespace: string, layerName: string, permissions: object[] = []): LayerObject {
  return parseLayer({
    metadata: { name: `${layerName}-v1`, namespace },
    spec: { layerName, version: 1, code: { zip: { sha256: 'ab'.repeat(32) } }, permissions },
  });
}

function sourcesOf(layers: readonly LayerObject[], resolve: () => ResolvedCode = () => contents): LayerSources {
  const accounts: Record<string, string> = { default: '000000000000', team: '111111111111' };
  return {
    accountOf: (namespace) => accounts[namespace] ?? '',
    namespaceOf: (accountId, region) =>
      region === 'us-east-1' ? Object.keys(accounts).find((name) => accounts[name] === accountId) : undefined,
    find: async (namespace, name) =>
      layers.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name) ?? null,
    resolve: async () => resolve(),
  };
}

const { sha256, sizeBytes } = contents;
const resolvedTo = (...arns: string[]): ResolvedLayers => ({
  kind: 'resolved',
  layers: arns.map((arn) => ({ arn, sha256, sizeBytes })),
});

test.each<[reason: string, arns: string[], layers: LayerObject[], want: object]>([
  ['none', [], [], resolvedTo()],
  [
    'two, in their order',
    [`${own}b:1`, `${own}a:1`],
    [layerOf('default', 'a'), layerOf('default', 'b')],
    resolvedTo(`${own}b:1`, `${own}a:1`),
  ],
  ['none of that name', [`${own}a:1`], [layerOf('default', 'b')], { reason: 'LayerMissing' }],
  ['none of that number', [`${own}a:2`], [layerOf('default', 'a')], { reason: 'LayerMissing' }],
  ['none in that region', [`${own}a:1`.replace('us', 'eu')], [layerOf('default', 'a')], { reason: 'LayerMissing' }],
  ['an account that nobody is', [`${own}a:1`.replace('0000:', '0001:')], [], { reason: 'LayerMissing' }],
  [
    'of another account, by permission',
    [`${others}a:1`],
    [layerOf('team', 'a', [{ sid: 's', principal: '000000000000' }])],
    resolvedTo(`${others}a:1`),
  ],
  ['of another account, without', [`${others}a:1`], [layerOf('team', 'a')], { reason: 'LayerForbidden' }],
])('layers: %s', async (_reason, arns, layers, want) => {
  expect(await resolveLayers(makeFunction({ layers: arns }), [], sourcesOf(layers))).toMatchObject(want);
});

test('what the function has already needs no layer any more', async () => {
  const kept = [{ arn: `${others}a:1`, sha256: 'cd'.repeat(32), sizeBytes: 7 }];
  const fn = makeFunction({ layers: [`${own}b:1`, `${others}a:1`] });
  expect(await resolveLayers(fn, kept, sourcesOf([layerOf('default', 'b')]))).toEqual({
    kind: 'resolved',
    layers: [{ arn: `${own}b:1`, sha256, sizeBytes }, ...kept],
  });
});

test('a layer whose contents are not there says so', async () => {
  const failed = { kind: 'failed', reason: 'BlobMissing', message: 'no blob' } as const;
  const sources = sourcesOf([layerOf('default', 'a')], () => failed);
  expect(await resolveLayers(makeFunction({ layers: [`${own}a:1`] }), [], sources)).toEqual({
    ...failed,
    message: `${own}a:1: no blob`,
  });
});
