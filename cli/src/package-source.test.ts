import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { packageSource } from './package-source.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-package-'));
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'index.py'), 'print(1)');
  writeFileSync(join(folder, 'lib', 'a.py'), 'x = 1');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the same folder gives the same bytes, whatever the times of its files', async () => {
  const before = await packageSource(folder);
  writeFileSync(join(folder, 'index.py'), 'print(1)');
  expect((await packageSource(folder)).equals(before)).toBe(true);
});

test('an executable bit changes the package', async () => {
  const before = await packageSource(folder);
  chmodSync(join(folder, 'index.py'), 0o755);
  expect((await packageSource(folder)).equals(before)).toBe(false);
});

test.each([
  ['a symbolic link', () => symlinkSync('/etc/passwd', join(folder, 'link')), () => folder, 'not a regular file'],
  ['a file that is no zip', () => undefined, () => join(folder, 'index.py'), 'neither a folder nor a .zip'],
  ['a path that is not there', () => undefined, () => join(folder, 'nope'), 'ENOENT'],
])('refused: %s', async (_reason, prepare, path, message) => {
  prepare();
  await expect(packageSource(path())).rejects.toThrow(message);
});
