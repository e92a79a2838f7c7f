import { describe, expect, test } from '@jest/globals';

import { matches } from './match.ts';
import { InvalidPattern, parsePattern } from './pattern.ts';

const event = {
  source: 'shop',
  city: 'Gießen',
  count: 5,
  price: 301.8,
  isPaid: true,
  note: null,
  empty: '',
  tags: ['new', 'blue'],
  mixed: [1, 'two', null],
  none: [],
  order: { state: 'running', id: 'i-0', deep: { er: { est: 'x' } } },
  staff: [
    { first: 'John', last: 'Doe', skills: ['go'] },
    { first: 'Anna', last: 'Smith' },
  ],
};

describe('what an event has', () => {
  test.each<[reason: string, pattern: object, want: boolean]>([
    ['a text', { source: ['shop'] }, true],
    ['one of several', { source: ['bank', 'shop'] }, true],
    ['capital letters count', { source: ['Shop'] }, false],
    ['all members', { source: ['shop'], count: [4] }, false],
    ['a number', { count: [5] }, true],
    ['a number in another spelling', { price: [3.018e2] }, true],
    ['a number is no text', { count: ['5'] }, false],
    ['true', { isPaid: [true] }, true],
    ['true is no text', { isPaid: ['true'] }, false],
    ['null', { note: [null] }, true],
    ['null is not what is not there', { nothing: [null] }, false],
    ['an empty text', { empty: [''] }, true],
    ['null is no empty text', { note: [''] }, false],
    ['inside of objects', { order: { deep: { er: { est: ['x'] } } } }, true],
    ['an object where the pattern wants a value', { order: ['running'] }, false],
    ['a value where the pattern wants an object', { source: { a: ['b'] } }, false],
    ['one of a list', { tags: ['blue'] }, true],
    ['none of a list', { tags: ['red'] }, false],
    ['null in a list', { mixed: [null] }, true],
    ['an empty list has nothing', { none: [{ exists: true }] }, false],
    ['one of the objects of a list', { staff: { first: ['Anna'] } }, true],
    ['two members of the same object', { staff: { first: ['Anna'], last: ['Smith'] } }, true],
    ['two members of different objects', { staff: { first: ['Anna'], last: ['Doe'] } }, false],
    ['a list in an object of a list', { staff: { skills: ['go'], last: ['Doe'] } }, true],
    ['members that every object has are no members of an event', { constructor: [{ exists: true }] }, false],
  ])('%s', (_reason, pattern, want) => {
    expect(matches(parsePattern(JSON.stringify(pattern)), event)).toBe(want);
  });
});

describe('operators', () => {
  test.each<[reason: string, pattern: object, want: boolean]>([
    ['exists', { count: [{ exists: true }] }, true],
    ['exists: null does', { note: [{ exists: true }] }, true],
    ['exists: an object is no leaf', { order: [{ exists: true }] }, false],
    ['exists not', { nothing: [{ exists: false }] }, true],
    ['exists not: an object is no leaf', { order: [{ exists: false }] }, true],
    ['exists not: an empty list', { none: [{ exists: false }] }, true],
    ['exists not: there it is', { count: [{ exists: false }] }, false],
    ['exists not, below what is not there', { no: { thing: [{ exists: false }] } }, true],
    ['exists not, below a value', { source: { thing: [{ exists: false }] } }, true],
    ['exists not in any object of a list', { staff: { middle: [{ exists: false }] } }, true],
    ['exists in one object of a list', { staff: { skills: [{ exists: false }] } }, false],
    ['not there, or this', { count: [{ exists: false }, 5] }, true],
    ['prefix', { source: [{ prefix: 'sh' }] }, true],
    ['prefix of nothing', { source: [{ prefix: '' }] }, true],
    ['prefix of a number', { count: [{ prefix: '5' }] }, false],
    ['suffix', { source: [{ suffix: 'op' }] }, true],
    ['suffix of another', { source: [{ suffix: 'sh' }] }, false],
    ['any case', { source: [{ 'equals-ignore-case': 'SHOP' }] }, true],
    ['any case of letters that become two', { city: [{ 'equals-ignore-case': 'GIESSEN' }] }, true],
    ['any case of more', { source: [{ 'equals-ignore-case': 'SHOPS' }] }, false],
    ['numeric =', { price: [{ numeric: ['=', 301.8] }] }, true],
    ['numeric, a range', { count: [{ numeric: ['>', 0, '<=', 5] }] }, true],
    ['numeric, the upper end is not in', { count: [{ numeric: ['>=', 0, '<', 5] }] }, false],
    ['numeric of a text', { empty: [{ numeric: ['=', 0] }] }, false],
    ['numeric of one in a list', { mixed: [{ numeric: ['<', 2] }] }, true],
    ['anything but a text', { source: [{ 'anything-but': 'bank' }] }, true],
    ['anything but this text', { source: [{ 'anything-but': ['bank', 'shop'] }] }, false],
    ['anything but numbers', { count: [{ 'anything-but': [4, 6] }] }, true],
    ['anything but a text: a number is', { count: [{ 'anything-but': 'five' }] }, true],
    ['anything but, of what is not there', { nothing: [{ 'anything-but': 'x' }] }, false],
    [
      'anything but texts: null and true are',
      { note: [{ 'anything-but': 'x' }], isPaid: [{ 'anything-but': ['x'] }] },
      true,
    ],
    ['anything but: one of a list is enough', { tags: [{ 'anything-but': 'new' }] }, true],
    ['anything but a prefix', { source: [{ 'anything-but': { prefix: 'sh' } }] }, false],
    ['anything but suffixes', { source: [{ 'anything-but': { suffix: ['x', 'y'] } }] }, true],
    ['anything but, any case', { source: [{ 'anything-but': { 'equals-ignore-case': 'SHOP' } }] }, false],
    ['$or, the second', { $or: [{ count: [4] }, { source: ['shop'] }] }, true],
    ['$or, none', { $or: [{ count: [4] }, { source: ['bank'] }] }, false],
    ['$or and more', { isPaid: [true], $or: [{ count: [5] }, { count: [6] }] }, true],
    ['$or inside', { order: { $or: [{ state: ['off'] }, { id: [{ prefix: 'i-' }] }] } }, true],
    ['$or in $or', { $or: [{ count: [4] }, { source: ['shop'], $or: [{ price: [1] }, { isPaid: [true] }] }] }, true],
  ])('%s', (_reason, pattern, want) => {
    expect(matches(parsePattern(JSON.stringify(pattern)), event)).toBe(want);
  });

  test('a member called __proto__ is one of the event, or is not there', () => {
    const pattern = parsePattern('{"__proto__": {"a": [1]}}');
    expect(matches(pattern, JSON.parse('{"__proto__": {"a": 1}}'))).toBe(true);
    expect(matches(pattern, {})).toBe(false);
  });

  test('lists in lists are one list', () => {
    expect(matches(parsePattern('{"a": {"b": [2]}}'), { a: [[{ b: 1 }], [{ b: [[2]] }]] })).toBe(true);
  });
});

test.each<[text: string]>([
  ['{'],
  ['[]'],
  ['{}'],
  ['{"a": 1}'],
  ['{"a": "x"}'],
  ['{"a": []}'],
  ['{"a": {}}'],
  ['{"a": [[1]]}'],
  ['{"a": [{}]}'],
  ['{"a": [{"prefix": 1}]}'],
  ['{"a": [{"prefix": "x", "suffix": "y"}]}'],
  ['{"a": [{"wildcard": "x*"}]}'],
  ['{"a": [{"exists": "true"}]}'],
  ['{"a": [{"numeric": []}]}'],
  ['{"a": [{"numeric": ["="]}]}'],
  ['{"a": [{"numeric": ["=", "1"]}]}'],
  ['{"a": [{"numeric": ["<", 1, ">", 0]}]}'],
  ['{"a": [{"numeric": [">", 0, "<", 5, "<", 6]}]}'],
  ['{"a": [{"anything-but": []}]}'],
  ['{"a": [{"anything-but": [1, "x"]}]}'],
  ['{"a": [{"anything-but": null}]}'],
  ['{"a": [{"anything-but": {"prefix": ""}}]}'],
  ['{"a": [{"anything-but": {"exists": true}}]}'],
  ['{"$or": [{"a": [1]}]}'],
  ['{"$or": [{"a": [1]}, {}]}'],
  ['{"$or": [{"prefix": ["a"]}, {"b": [1]}]}'],
  ['{"$or": [{"a": {"prefix": ["a"]}}, {"b": [1]}]}'],
  ['{"a": [{"numeric": [">", 5, "<", 1]}]}'],
  ['{"a": [{"numeric": [">=", 5, "<=", 5]}]}'],
  ['{"a": [{"prefix": {"equals-ignore-case": "x"}}]}'],
  ['{"a": [{"cidr": "10.0.0.0/24"}]}'],
  [`${'{"a":'.repeat(60)}[1]${'}'.repeat(60)}`],
])('%s is no pattern', (text) => {
  expect(() => parsePattern(text)).toThrow(InvalidPattern);
});

test.each<[pattern: object, event: object]>([
  [{ $or: { a: [1] } }, { $or: { a: 1 } }],
  [{ $or: [1, 2] }, { $or: 2 }],
  [{ $or: [{ prefix: 'a' }, { prefix: 'b' }] }, { $or: 'bc' }],
])('$or that is no list of two patterns is a member of that name: %j', (pattern, event) => {
  expect(matches(parsePattern(JSON.stringify(pattern)), event)).toBe(true);
  expect(matches(parsePattern(JSON.stringify(pattern)), {})).toBe(false);
});

test('what stands inside and beside $or must both hold', () => {
  const pattern = parsePattern('{"a": [1, 2], "$or": [{"a": [2, 3]}, {"b": [1]}]}');
  expect([1, 2, 3].map((a) => matches(pattern, { a }))).toEqual([false, true, false]);
});

describe('records that are meant to hurt', () => {
  const pattern = parsePattern('{"list": {"missing": [{"exists": false}], "n": [-1]}}');

  test('a list of many objects costs as much as it is long', () => {
    const list = Array.from({ length: 100_000 }, (_, n) => ({ n }));
    expect(matches(pattern, { list })).toBe(false);
    expect(matches(pattern, { list: [...list, { missing: 1 }] })).toBe(false);
    expect(matches(pattern, { list: [...list, { n: -1 }] })).toBe(true);
  });

  test('lists in lists, as deep as they get', () => {
    const deep = (inner: string) => JSON.parse(`{"list": ${'['.repeat(100_000)}${inner}${']'.repeat(100_000)}}`);
    expect(matches(pattern, deep('{"n": -1}'))).toBe(true);
    expect(matches(pattern, deep(''))).toBe(false);
    expect(matches(parsePattern('{"list": [{"exists": false}]}'), deep(''))).toBe(true);
  });
});
