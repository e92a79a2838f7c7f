import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { hashInputs, listInputs } from './inputs.ts';

let root = '';
const write = (path: string, text: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kappa-inputs-'));
  write('src/main.ts', 'one');
  write('src/part/two.ts', 'two');
  write('LICENSE', 'free');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const hash = (facts: readonly string[] = []): string => hashInputs(root, ['src', 'LICENSE'], facts);

test.each<[what: string, change: () => void]>([
  ['a content', () => write('src/main.ts', 'other')],
  ['a new file', () => write('src/three.ts', '')],
  ['a removed file', () => rmSync(join(root, 'src/part/two.ts'))],
  ['an executable bit', () => chmodSync(join(root, 'src/main.ts'), 0o755)],
  [
    'text that moves from one file to its neighbour',
    () => {
      write('src/main.ts', 'onetw');
      write('src/part/two.ts', 'o');
    },
  ],
])('the hash changes with %s', (_what, change) => {
  const before = hash();
  change();
  expect(hash()).not.toBe(before);
});

test.each<[what: string, change: () => void]>([
  ['a time', () => utimesSync(join(root, 'LICENSE'), 1, 1)],
  ['a test', () => write('src/main.test.ts', '')],
  ['test helpers', () => write('src/testing-agent.ts', '')],
  ['compiled Python', () => write('src/__pycache__/x.pyc', '')],
  ['installed modules', () => write('src/node_modules/x/index.js', '')],
])('the hash does not change with %s', (_what, change) => {
  const before = hash();
  change();
  expect(hash()).toBe(before);
});

test('facts and their borders count', () => {
  expect(new Set([hash(), hash(['ab', 'c']), hash(['a', 'bc']), hash(['abc'])]).size).toBe(4);
});

test('inputs are sorted and come once', () => {
  expect(listInputs(root, ['src', 'LICENSE', 'src/main.ts'])).toEqual(['LICENSE', 'src/main.ts', 'src/part/two.ts']);
});
