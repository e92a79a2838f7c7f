import { expect, test } from '@jest/globals';

import { mergeIndexes } from './bundle-images.ts';
import { imageTable } from './image-table.ts';

test('the table gives sizes in MB and says what was not built now', () => {
  const image = { name: 'kappa/x:1', archive: '/a.tar', bytes: 12_340_000, unpackedBytes: 56_000_000, seconds: 7.5 };
  const table = imageTable([
    { ...image, isCached: false },
    { ...image, name: 'kappa/long-name:1', isCached: true },
  ]);
  expect(table.split('\n')).toEqual([
    'image              compressed MB  unpacked MB  seconds       archive',
    'kappa/x:1          12.3           56.0         7.5           /a.tar',
    'kappa/long-name:1  12.3           56.0         7.5 (cached)  /a.tar',
  ]);
});

test('a merged index has the manifests of all', () => {
  const merged = mergeIndexes(['{"schemaVersion":2,"manifests":[{"digest":"a"}]}', '{"manifests":[{"digest":"b"}]}']);
  expect(JSON.parse(merged)).toEqual({ schemaVersion: 2, manifests: [{ digest: 'a' }, { digest: 'b' }] });
});
