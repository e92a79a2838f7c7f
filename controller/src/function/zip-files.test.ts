import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { zipFiles } from './zip-files.ts';

const digest = async (files: Parameters<typeof zipFiles>[0]): Promise<string> =>
  createHash('sha256')
    .update(await zipFiles(files))
    .digest('hex');

test('the same files give the same digest in any order and any time zone', async () => {
  const a = { path: 'index.mjs', content: 'export const handler = () => 1;' };
  const b = { path: 'lib/ü.mjs', content: 'export default 2;' };
  expect(await digest([a, b])).toBe(await digest([b, a]));
});

test('what begins with #! can be executed, nothing else', async () => {
  const zip = await zipFiles([
    { path: 'bootstrap', content: '#!/bin/sh\n' },
    { path: 'data', content: 'x#!' },
  ]);
  const entry = (name: string) => zip.lastIndexOf(name) - 46; // the directory comes last; its entries begin 46 bytes before the name
  expect(zip.readUInt32LE(entry('bootstrap') + 38) >>> 16).toBe(0o100755);
  expect(zip.readUInt32LE(entry('data') + 38) >>> 16).toBe(0o100644);
});

test('another content or another path gives another digest', async () => {
  const base = await digest([{ path: 'a.py', content: '1' }]);
  expect(await digest([{ path: 'a.py', content: '2' }])).not.toBe(base);
  expect(await digest([{ path: 'b.py', content: '1' }])).not.toBe(base);
});
