import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withLock } from './lock.ts';
import { parsePidRecord, parseStartTicks, readStartTicks } from './processes.ts';

test('the start time is found behind a name with spaces and brackets', () => {
  const fields = ['S', ...Array.from({ length: 18 }, (_, at) => String(at)), '4711', '0'];
  expect(parseStartTicks(`123 (a ) b) ${fields.join(' ')}`)).toBe(4711);
});

test('a running process has a start time, and one that is not has none', () => {
  expect(readStartTicks(process.pid)).toBeGreaterThan(0);
  expect(readStartTicks(2 ** 22 + 1)).toBeNull();
});

test('a pid record without its start time is none', () => {
  expect(parsePidRecord('{"pid":1,"startTicks":2}')).toEqual({ pid: 1, startTicks: 2 });
  expect(() => parsePidRecord('{"pid":1}')).toThrow(SyntaxError);
  expect(() => parsePidRecord('')).toThrow(SyntaxError);
});

test('work under one lock never overlaps', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lock-'));
  const steps: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    steps.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${name} ends`);
  };
  await Promise.all(['a', 'b'].map((name) => withLock(join(directory, 'lock'), work(name))));
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  rmSync(directory, { recursive: true });
});
