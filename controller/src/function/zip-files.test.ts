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

test('another content or another path gives another digest', async () => {
  const base = await digest([{ path: 'a.py', content: '1' }]);
  expect(await digest([{ path: 'a.py', content: '2' }])).not.toBe(base);
  expect(await digest([{ path: 'b.py', content: '1' }])).not.toBe(base);
});
