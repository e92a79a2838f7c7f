import { expect, test } from '@jest/globals';

import { Holds } from './holds.ts';
import { queueMessage } from './testing-records.ts';

const [a, b] = [queueMessage('a'), queueMessage('b')];

test('held again when half of the time is over, for as long as it is here', () => {
  const holds = new Holds(30_000);
  holds.keep([a], 0);
  holds.keep([b], 5_000);
  expect(holds.due(14_999)).toEqual([]);
  expect(holds.due(15_000)).toEqual([a]);
  holds.keep([a], 15_000);
  expect(holds.due(20_000)).toEqual([b]);
  holds.drop([b]);
  expect(holds.due(29_999)).toEqual([]);
  expect(holds.due(30_000)).toEqual([a]);
  expect([holds.has(a), holds.has(b), holds.size]).toEqual([true, false, 1]);
});

test('a source that keeps messages by itself is never told', () => {
  const holds = new Holds(null);
  holds.keep([a, b], 0);
  expect(holds.due(Number.MAX_SAFE_INTEGER)).toEqual([]);
});
