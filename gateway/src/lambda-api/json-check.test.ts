import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { eventProblem } from './event-check.ts';
import { JsonCheck } from './json-check.ts';

function problemOf(bytes: Buffer, pieceBytes = bytes.length): string | null {
  const check = new JsonCheck();
  for (let at = 0; at < bytes.length; at += Math.max(1, pieceBytes)) check.push(bytes.subarray(at, at + pieceBytes));
  return eventProblem(bytes, check);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('what is an event', () => {
  test.each<[reason: string, text: string, problem: string | null]>([
    ['an object', '{"a":[1,-0.5e+3,true,false,null,"\\u00e9\\n"],"b":{}}', null],
    ['a bare number', '0', null],
    ['a number may not start with 0', '01', "unexpected character ('1' (code 49)) at line 1, column 2"],
    ['blank around a value', ' \r\n\t"x" ', null],
    ['a word', 'hello', "unexpected character ('h' (code 104)) at line 1, column 1"],
    ['an open object', '{"a":1', 'unexpected end of the text at line 1, column 7'],
    ['a comma before the end', '[1,]', "unexpected character (']' (code 93)) at line 1, column 4"],
    ['the place is counted by lines', '{\n"a":\n  x}', "unexpected character ('x' (code 120)) at line 3, column 3"],
    ['two values', '1 2', "unexpected character ('2' (code 50)) at line 1, column 3"],
    ['wrong closing', '[}', "unexpected character ('}' (code 125)) at line 1, column 2"],
    ['a control character in a text', '"\u0001"', 'unexpected character (code 1) at line 1, column 2'],
    ['only blanks', '  ', 'unexpected end of the text at line 1, column 3'],
    ['a lone minus', '-', 'unexpected end of the text at line 1, column 2'],
  ])('%s', (_reason, text, problem) => {
    expect(problemOf(Buffer.from(text))).toBe(problem);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(problemOf(Buffer.from([0x22, 0xff, 0x22]))).toBe('the text is not UTF-8');
  });

  test('nesting has a bound', () => {
    expect(problemOf(Buffer.from('['.repeat(10_000) + ']'.repeat(10_000)))).toBeNull();
    expect(problemOf(Buffer.from('['.repeat(10_001)))).toContain('column 10001');
  });
});

test('agrees with JSON.parse on every JSON value, in pieces of any size', () => {
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 1, max: 7 }), (text, pieceBytes) => {
      expect(problemOf(Buffer.from(text), pieceBytes)).toBeNull();
    }),
  );
});

test('agrees with JSON.parse on damaged JSON', () => {
  const damaged = fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', '.', 'e', 't', '\n'),
    )
    .map(([text, at, put]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + put + text.slice(cut + 1);
    });
  fc.assert(
    fc.property(damaged, (text) => {
      fc.pre(text.length > 0 && Buffer.from(text).toString() === text);
      expect(problemOf(Buffer.from(text)) === null).toBe(isJson(text));
    }),
    { numRuns: 2000 },
  );
});
