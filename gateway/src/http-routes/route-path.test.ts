import { expect, test } from '@jest/globals';

import { paramsOf, parsePattern, readPath } from './route-path.ts';

test.each<[reason: string, path: string, want: readonly string[] | null]>([
  ['the root has none', '/', []],
  ['segments are decoded', '/a%20b/%C3%A4', ['a b', 'ä']],
  ['a letter that was encoded is that letter', '/%61dmin', ['admin']],
  ['empty segments count for nothing', '//a///b/', ['a', 'b']],
  ['an encoded slash is part of its segment', '/a%2Fb', ['a/b']],
  ['dots alone are refused', '/a/../b', null],
  ['a dot alone is refused', '/./b', null],
  ['dots that were encoded are refused', '/a/%2e%2E/b', null],
  ['dots behind an encoded slash are refused', '/a%2f..%2fb', null],
  ['dots behind a backslash are refused', '/a%5C..', null],
  ['dots with a parameter are refused', '/a/..;/b', null],
  ['a dot with an encoded one, too', '/a/.%3Bx=1/b', null],
  ['dots beside others are not', '/...a/b..', ['...a', 'b..']],
  ['what cannot be decoded is refused', '/%zz', null],
  ['bytes that are no UTF-8 are refused', '/%ff', null],
  ['a path of too many segments is refused', '/a'.repeat(1025), null],
])('readPath: %s', (_reason, path, want) => {
  expect(readPath(path)).toEqual(want);
});

test.each<[reason: string, pattern: string, path: string, want: object | null]>([
  ['none without braces', '/a/b', '/a/b', null],
  ['one segment each', '/{a}/x/{b}', '/1/x/2%2F3', { a: '1', b: '2/3' }],
  ['the rest', '/a/{proxy+}', '/a/b/c%20d', { proxy: 'b/c d' }],
  ['an encoded slash is none of the rest', '/{proxy+}', '/a%2Fb/c', { proxy: 'a%2Fb/c' }],
])('paramsOf: %s', (_reason, pattern, path, want) => {
  const params = paramsOf(parsePattern(pattern), readPath(path) ?? []);
  expect(params === null ? null : { ...params }).toEqual(want);
});

test('paramsOf: a name from the prototype is one like any other', () => {
  const params = paramsOf(parsePattern('/{__proto__}'), ['x']);
  expect(JSON.stringify(params)).toBe('{"__proto__":"x"}');
});
