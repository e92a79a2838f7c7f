import { expect, test } from '@jest/globals';
import { prefixOf, renderLine } from './render-log.ts';

const time = new Date(2026, 0, 2, 3, 4, 5).getTime();

test.each([
  ['information has no level word', { level: 30, msg: 'listening', port: 9000 }, '03:04:05 listening port=9000'],
  ['a warning says so', { level: 40, msg: 'slow' }, '03:04:05 WARN slow'],
  ['the process’s own words are left out', { level: 30, pid: 1, hostname: 'h', name: 'n', msg: 'm' }, '03:04:05 m'],
  ['text with spaces is quoted', { level: 50, msg: 'm', error: 'a b' }, '03:04:05 ERROR m error="a b"'],
  ['objects are JSON', { level: 30, msg: 'm', at: { port: 1 } }, '03:04:05 m at={"port":1}'],
  [
    'an error shows its stack',
    { level: 50, msg: 'm', err: { message: 'x', stack: 'Error: x\n  at y' } },
    '03:04:05 ERROR m err=Error: x\n  at y',
  ],
])('renderLine: %s', (_reason, entry, want) => {
  expect(renderLine(JSON.stringify({ ...entry, time }))).toBe(want);
});

test.each(['plain text', '{"broken', '{"no":"level"}', ''])('what is no log entry stays as it is: %p', (line) => {
  expect(renderLine(line)).toBe(line);
});

test('colours are for terminals', () => {
  expect(prefixOf('api', 1, false)).toBe('api        | ');
  expect(prefixOf('api', 1, true)).toContain('\u001b[35mapi ');
});
