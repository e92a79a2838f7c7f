import { expect, test } from '@jest/globals';

import { splitHead } from '../link/codec.ts';
import { HEADER_BYTES } from '../link/generated/frames.ts';
import { parseLogHead } from '../link/messages.ts';
import { readExchange } from '../link/testing-exchange.ts';
import { placesIn } from './lines.ts';
import { packLines } from './testing.ts';

test('lines are read as agents write them', () => {
  const [frame] = readExchange('log');
  const { head, bytes } = splitHead(frame?.bytes.subarray(HEADER_BYTES) ?? Buffer.alloc(0));
  const { stream, first } = parseLogHead(head);
  expect([stream, first]).toEqual(['2025/11/22/[$LATEST]0123456789abcdef0123456789abcdef', 0]);
  const lines = [...placesIn({ stream, first, entries: bytes })];
  expect(
    lines.map(({ number, atMs, start, end }) => [number, atMs - 1763812800000, bytes.toString('utf8', start, end)]),
  ).toEqual([
    [0, 0, 'START RequestId: 8f5e7c1e-0000-4000-8000-000000000001 Version: $LATEST'],
    [1, 1234, 'zwölf\t\u2026\r'],
    [2, 1234, 'the last one'],
  ]);
});

test.each([-1, 0.5, 2 ** 53, '0', undefined])('a first number %s is none', (first) => {
  expect(() => parseLogHead({ stream: 's', first })).toThrow('first is missing or of the wrong type');
});

test('lines end before a time that no clock shows', () => {
  const lines = [8.64e15, 8.64e15 + 2, 1].map((atMs) => ({ atMs, text: 'x' }));
  expect([...placesIn({ stream: 's', first: 0, entries: packLines(lines) })]).toEqual([
    { number: 0, atMs: 8.64e15, start: 12, end: 13 },
  ]);
});
