import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KeyIndex } from './key-index.ts';

test('an index is what a walk through all keys would find', () => {
  const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(null, 'x', 'y', 'z'));
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const index = new KeyIndex();
      const groups = new Map<string, string>();
      for (const [key, group] of changes) {
        expect(index.set(key, group)).toBe(groups.get(key) ?? null);
        if (group === null) groups.delete(key);
        else groups.set(key, group);
      }
      for (const group of ['x', 'y', 'z']) {
        const keys = [...groups].filter(([, of]) => of === group).map(([key]) => key);
        expect([...index.keysOf(group)].sort()).toEqual(keys.sort());
        expect(index.has(group)).toBe(keys.length > 0);
      }
      expect([...index.groups()].sort()).toEqual([...new Set(groups.values())].sort());
    }),
  );
});
