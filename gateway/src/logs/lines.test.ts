import { expect, test } from '@jest/globals';

import { splitHead } from '../link/codec.ts';
import { HEADER_BYTES } from '../link/generated/frames.ts';
import { parseLogHead } from '../link/messages.ts';
import { readExchange } from '../link/testing-exchange.ts';
import { placesIn } from './lines.ts';

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
