import { expect, test } from '@jest/globals';
import { HotFunctions } from './hot.ts';

const running = (count: number) => new Map(count === 0 ? [] : [['f', count]]);

test.each<[here: number, elsewhere: number, owners: number]>([
  [0, 0, 1],
  [31, 0, 1],
  [32, 0, 2],
  [20, 20, 2],
  [70, 0, 3],
  [24, 46, 3],
])('%p running here and %p elsewhere: %p owners', (here, elsewhere, owners) => {
  const hot = new HotFunctions({ runningPerOwner: 32, hotHoldMs: 10_000 });
  expect(hot.tick({ running: running(here), elsewhere: running(elsewhere) }, 0)).toBe(owners > 1);
  expect(hot.ownersOf('f')).toBe(owners);
});

test('rises at once, falls after the hold, and is forgotten', () => {
  const hot = new HotFunctions({ runningPerOwner: 32, hotHoldMs: 10_000 });
  const at = (nowMs: number, count: number): number => {
    hot.tick({ running: running(count), elsewhere: new Map() }, nowMs);
    return hot.ownersOf('f');
  };
  expect(at(0, 40)).toBe(2);
  expect(at(200, 100)).toBe(4);
  expect(at(5000, 0)).toBe(4);
  expect(at(10_300, 40)).toBe(2);
  expect(at(11_000, 0)).toBe(2);
  expect(at(20_300, 0)).toBe(1);
  expect(hot.entries().size).toBe(0);
});
