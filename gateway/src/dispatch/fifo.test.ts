import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fifo } from './fifo.ts';

test('a Fifo is an array that is only used at its ends', () => {
  const step = fc.oneof(
    fc.record({ at: fc.constantFrom('push' as const, 'unshift' as const), item: fc.nat() }),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const each of steps) {
        if (each === null) expect(fifo.shift()).toBe(array.shift());
        else {
          fifo[each.at](each.item);
          array[each.at](each.item);
        }
        expect(fifo.length).toBe(array.length);
        expect(fifo.peek()).toBe(array[0]);
      }
    }),
  );
});
