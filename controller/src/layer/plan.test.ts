import { expect, test } from '@jest/globals';
import { type LayerObject, parseLayer } from '@kappa/crds/layer';
import { missing, resolved } from '../function/testing.ts';
import { makeLayerStatus } from './plan.ts';

const layer = (name: string, status?: object): LayerObject =>
  parseLayer({
    metadata: { name, namespace: 'default', generation: 2 },
    spec: { layerName: 'Shared', version: 3, code: { zip: { sha256: 'ab'.repeat(32) } } },
    ...(status !== undefined && { status }),
  });

test.each<[reason: string, name: string, code: Parameters<typeof makeLayerStatus>[1], status: string, why: string]>([
  ['its contents are there', 'shared.n1-v3', resolved, 'True', 'Ready'],
  ['they are not', 'shared.n1-v3', missing, 'False', 'BlobMissing'],
  ['it is named otherwise', 'shared-v3', resolved, 'False', 'NameMismatch'],
])('a layer is ready or not: %s', (_reason, name, code, status, reason) => {
  expect(makeLayerStatus(layer(name), code, 0)).toMatchObject({
    observedGeneration: 2,
    conditions: [{ type: 'Ready', status, reason, observedGeneration: 2 }],
  });
});

test('digest and size are as Lambda writes them, and stay when the store is away', () => {
  const status = makeLayerStatus(layer('shared.n1-v3'), resolved, 0);
  const size = { codeSha256: Buffer.from('ab'.repeat(32), 'hex').toString('base64'), codeSizeBytes: 321 };
  expect(status).toMatchObject(size);
  expect(makeLayerStatus(layer('shared.n1-v3', status), missing, 1_000)).toMatchObject(size);
  expect(makeLayerStatus(layer('shared.n1-v3', status), resolved, 9_000)).toEqual(status);
});
