import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Held, hold, holderOf } from './holder.ts';
import { identify } from './proc.ts';
import { makeFolder } from './testing.ts';

let folder: ReturnType<typeof makeFolder>;
let file: string;
beforeEach(() => {
  folder = makeFolder();
  file = join(folder.path, 'state/dev.lock');
});
afterEach(() => folder.remove());

test('one holds it, the next is told who, and it is free again after it was given back', () => {
  const giveBack = hold(file);
  expect(() => hold(file)).toThrow(Held);
  expect(() => hold(file)).toThrow(`process ${process.pid} holds`);
  expect(holderOf(file)?.pid).toBe(process.pid);
  giveBack();
  expect(holderOf(file)).toBeNull();
  hold(file)();
  expect(readdirSync(join(folder.path, 'state'))).toEqual([]);
});

test.each([
  ['a process that got the number later', { ...identify(process.pid), startTicks: '1' }],
  ['a process of an earlier boot', { ...identify(process.pid), bootId: 'earlier' }],
  ['something unreadable', 'half'],
])('%s holds nothing', (_reason, content) => {
  hold(file)();
  writeFileSync(file, JSON.stringify(content).slice(0, content === 'half' ? 2 : undefined));
  const giveBack = hold(file);
  expect(holderOf(file)?.pid).toBe(process.pid);
  giveBack();
});
