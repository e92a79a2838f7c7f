import { expect, test } from '@jest/globals';

import { placesIn } from './lines.ts';
import { RecentLogs } from './recent-logs.ts';
import { emptyLogs, hello, packLines, put, streamA } from './testing.ts';

const other = { accountId: '111111111111', functionName: 'hello' };
const kibibyte = packLines([{ atMs: 1, text: 'x'.repeat(1012) }]);
const textsOf = (logs: RecentLogs): string[] =>
  logs
    .of(hello)
    .flatMap((chunk) => [...placesIn(chunk)].map(({ start, end }) => chunk.entries.toString('utf8', start, end)));

test('lines are kept as copies, by account and function', () => {
  const logs = emptyLogs();
  const entries = packLines([{ atMs: 1, text: 'one' }]);
  logs.take(hello, { stream: streamA, first: 0, entries });
  entries.fill(0);
  logs.take(other, { stream: streamA, first: 0, entries: kibibyte });
  expect(textsOf(logs)).toEqual(['one']);
  expect(logs.functionsOf(hello.accountId)).toEqual(['hello']);
  expect(logs.functionsOf('222222222222')).toEqual([]);
  expect(logs.stats()).toMatchObject({ functions: 2, forgottenBytes: 0 });
});

test('one function has at most an eighth, and what is oldest goes', () => {
  const logs = new RecentLogs({ maxBytes: 80 * 1024, now: () => 0 });
  logs.take(other, { stream: streamA, first: 0, entries: kibibyte });
  for (let number = 0; number < 100; number += 1) put(logs, streamA, number, `1 ${number}${'x'.repeat(1000)}`);
  expect(textsOf(logs).at(-1)).toMatch(/^99x/);
  const { bytes, functions, forgottenBytes } = logs.stats();
  expect(functions).toBe(2);
  expect(bytes).toBeLessThanOrEqual((10 + 2) * 1024);
  expect(forgottenBytes).toBeGreaterThan(90 * 1000);
});

test('all together have the bound, and a function without lines is forgotten', () => {
  const logs = new RecentLogs({ maxBytes: 80 * 1024, now: () => 0 });
  for (let number = 0; number < 100; number += 1)
    logs.take({ accountId: '1', functionName: `f${number}` }, { stream: streamA, first: 0, entries: kibibyte });
  const { bytes, functions } = logs.stats();
  expect(bytes).toBeLessThanOrEqual(80 * 1024);
  expect(functions).toBe(64);
  expect(logs.functionsOf('1')).toContain('f99');
  expect(logs.functionsOf('1')).not.toContain('f0');
});

test('what no agent sends is not taken, and breaks nothing', () => {
  const logs = emptyLogs();
  logs.take(hello, { stream: 'a:b*', first: 0, entries: kibibyte });
  logs.take(hello, { stream: streamA, first: 0, entries: Buffer.alloc(0) });
  expect(logs.stats().functions).toBe(0);
  const broken = packLines([
    { atMs: 1, text: 'whole' },
    { atMs: 1, text: 'cut' },
  ]);
  logs.take(hello, { stream: streamA, first: 0, entries: broken.subarray(0, broken.length - 1) });
  expect(textsOf(logs)).toEqual(['whole']);
});
