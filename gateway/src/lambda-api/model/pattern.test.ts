import { expect, test } from '@jest/globals';

import { lambdaModel } from './model.ts';
import { compilePattern } from './pattern.ts';

test.each<[reason: string, source: string, good: readonly string[], bad: readonly string[]]>([
  ['the whole value', '[a-z]+', ['abc'], ['abc1', '1abc', 'abc\n', '']],
  ['all alternatives', 'a|b', ['a', 'b'], ['ab', 'xa']],
  ['anchors inside', '((?!^\\d+$)^[0-9a-zA-Z-_]+$)', ['live', '1a'], ['12', 'a b']],
  ['white space of ASCII only', '[^\\s]+', ['a\u00a0b'], ['a b', 'a\tb']],
  ['white space outside a class', 'a\\sb', ['a b'], ['a\u00a0b']],
  ['no end of a line for a point', 'a.c', ['abc', 'a\u{1F600}c'], ['a\nc', 'a\rc', 'a\u0085c', 'a\u2028c']],
  ['a point in a class, and one that is meant', '[.]\\.', ['..'], ['a.', '.a']],
  ['classes of Unicode', '[\\p{L}\\p{N}]*', ['größe²'], ['a-b']],
  ['looking back', '[a-z.]*(?<!\\.)', ['a.b'], ['a.']],
])('compilePattern: %s', (_reason, source, good, bad) => {
  const pattern = compilePattern(source);
  expect(good.filter((text) => !pattern.test(text))).toEqual([]);
  expect(bad.filter((text) => pattern.test(text))).toEqual([]);
});

test('no pattern of the model takes long, whatever it gets', () => {
  const patterns = new Set<RegExp>();
  const visit = (shape: unknown): void => {
    if (typeof shape !== 'object' || shape === null) return;
    if (shape instanceof RegExp) patterns.add(shape);
    else for (const part of Object.values(shape)) visit(part);
  };
  for (const { input } of lambdaModel.operations.values()) visit(input);
  expect(patterns.size).toBeGreaterThan(60);
  const nasty = ['a', '-', '1', 'a.', 'a-', 'arn:aws:', 'a:', ' ', '/a', 'aws-a', 'us-gov-'].map(
    (text) => `${text.repeat(20_000 / text.length)}\u0000`,
  );
  for (const pattern of patterns) {
    const begin = performance.now();
    for (const text of nasty) pattern.test(text);
    expect([pattern.source, performance.now() - begin < 500]).toEqual([pattern.source, true]);
  }
});
