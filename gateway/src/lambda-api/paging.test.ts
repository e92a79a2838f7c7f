import { expect, test } from '@jest/globals';

import { makeMarker, PAGE_SIZE, pageOf, pageSize, readMarker } from './paging.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const page = (names: readonly string[], input: object) => pageOf(names, input, (name) => name, byText);

test('a page goes on where the last one ended, also when its end is gone', () => {
  const first = page(['a', 'b', 'c'], { MaxItems: 2 });
  expect(first.entries).toEqual(['a', 'b']);
  expect(page(['a', 'c'], { MaxItems: 2, Marker: first.NextMarker })).toEqual({ entries: ['c'] });
});

test('the last page has no marker, nor has an empty list', () => {
  expect(page(['a', 'b'], { MaxItems: 2 })).toEqual({ entries: ['a', 'b'] });
  expect(page([], {})).toEqual({ entries: [] });
});

test('no page is larger than Lambda’s', () => {
  expect([pageSize(undefined), pageSize(10_000), pageSize(1)]).toEqual([PAGE_SIZE, PAGE_SIZE, 1]);
});

test('a marker that nobody gave is refused', () => {
  expect(readMarker(makeMarker('name'))).toBe('name');
  for (const marker of ['?', 'YQ==', '!!!!']) expect(() => readMarker(marker)).toThrow('The Marker is not valid.');
});
