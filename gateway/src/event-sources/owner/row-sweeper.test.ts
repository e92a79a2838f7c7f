import { expect, test } from '@jest/globals';

import { MemoryCheckpoints } from '../checkpoints/testing-checkpoints.ts';
import { RowSweeper } from './row-sweeper.ts';

test('what is kept of a mapping goes an hour after it, and never while nobody knows which there are', async () => {
  const store = new MemoryCheckpoints();
  for (const mapping of ['here', 'gone']) await store.claim({ mapping, shard: 's' }, 'a', null);
  let nowMs = 0;
  let known: ReadonlySet<string> | null = new Set(['here']);
  const sweeper = new RowSweeper({ store, known: () => known, nowMs: () => nowMs });
  const after = async (ms: number): Promise<readonly string[]> => {
    nowMs += ms;
    await sweeper.sweep();
    return store.mappings();
  };
  expect(await after(0)).toEqual(['here', 'gone']);
  expect(await after(3_599_999)).toEqual(['here', 'gone']);
  known = null;
  expect(await after(3_600_000)).toEqual(['here', 'gone']);
  known = new Set(['here']);
  expect(await after(0)).toEqual(['here', 'gone']);
  expect(await after(3_600_000)).toEqual(['here']);
});
