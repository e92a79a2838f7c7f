import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

import { withLock } from './lock.ts';

test('two holders never overlap, and a failure lets go', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-lock-'));
  const file = join(folder, 'lock');
  let holders = 0;
  let most = 0;
  const hold = (): Promise<void> =>
    withLock(file, async () => {
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
    });
  try {
    await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await Promise.all([hold(), hold(), hold()]);
    expect(most).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
