import { appendFileSync, closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { trimLog } from './log-file.ts';
import { makeFolder } from './testing.ts';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder.remove());

test('a long log keeps its newest lines, and whoever has it open goes on behind them', () => {
  const file = join(folder.path, 'log');
  const writer = openSync(file, 'a');
  for (let line = 0; line < 100; line += 1) writeSync(writer, `line ${String(line).padStart(4, '0')}\n`);
  expect(trimLog(file, 999)).toBe(true);
  writeSync(writer, 'line 0100\n');
  closeSync(writer);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines[0]).toBe('line 0051');
  expect(lines.slice(-2)).toEqual(['line 0099', 'line 0100']);
  expect(statSync(file).size).toBeLessThan(520);
});

test('a log within the limit and a log that is not there are left alone', () => {
  const file = join(folder.path, 'log');
  expect(trimLog(file, 10)).toBe(false);
  appendFileSync(file, '0123456789');
  expect(trimLog(file, 10)).toBe(false);
});
