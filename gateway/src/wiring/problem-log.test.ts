import { expect, test } from '@jest/globals';
import { pino } from 'pino';

import { problemLog } from './problem-log.ts';

test('a problem is told when it is new, then at most every 10 s with how often it came', () => {
  const lines: { msg: string; untold?: number }[] = [];
  let nowMs = 0;
  const log = problemLog(pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }), () => nowMs);
  for (let n = 0; n < 1000; n += 1) log('a', {}, 'away');
  log('b', {}, 'other');
  nowMs = 10_000;
  log('a', {}, 'away');
  expect(lines.map(({ msg, untold }) => [msg, untold])).toEqual([
    ['away', undefined],
    ['other', undefined],
    ['away', 999],
  ]);
});
