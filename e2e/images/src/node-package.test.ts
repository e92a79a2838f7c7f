import { expect, test } from '@jest/globals';

import { bases } from './bases.ts';
import { nodeDigests } from './node-package.ts';

test('each Node.js that a base downloads is pinned, for both architectures', () => {
  const versions = Object.values(bases).flatMap((base) =>
    'node' in base && base.node !== 'pinned' ? [base.node] : [],
  );
  expect(Object.keys(nodeDigests).toSorted()).toEqual(versions.toSorted());
  for (const digests of Object.values(nodeDigests)) expect(Object.keys(digests)).toEqual(['x64', 'arm64']);
});
