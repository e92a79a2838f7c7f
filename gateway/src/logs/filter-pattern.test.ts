import { expect, test } from '@jest/globals';

import { parseFilterPattern } from './filter-pattern.ts';

test.each<[pattern: string, message: string, isMeant: boolean]>([
  ['', 'anything', true],
  ['  ', 'anything', true],
  ['ERROR', '[ERROR] it broke', true],
  ['ERROR', 'an error', false],
  ['ERROR broke', 'it broke: ERROR', true],
  ['ERROR broke', 'ERROR', false],
  ['"it broke"', 'ERROR it broke', true],
  ['"it broke"', 'broke it', false],
  ['"say \\"no\\""', 'they say "no"', true],
  ['ERROR -Exiting', 'ERROR found', true],
  ['ERROR -Exiting', 'ERROR found, Exiting', false],
  ['-"not this"', 'but that', true],
  ['-"not this"', 'not this', false],
  ['?ERROR ?WARN', 'WARN of it', true],
  ['?ERROR ?WARN', 'INFO', false],
  ['?"two words" ?WARN', 'here are two words', true],
  ['ERROR ?WARN', 'ERROR only', true],
  ['ERROR ?WARN', 'WARN only', false],
  ['RequestId: 8f5e7c1e-0000', 'START RequestId: 8f5e7c1e-0000', true],
])('%s: "%s" is meant: %s', (pattern, message, isMeant) => {
  expect(parseFilterPattern(pattern)(message)).toBe(isMeant);
});

test.each([
  ['{ $.level = "error" }', 'JSON'],
  ['[ip, user]', 'columns'],
  ['%ERR.R%', 'regular expressions'],
])('%s is refused truthfully', (pattern, what) => {
  expect(() => parseFilterPattern(pattern)).toThrow(new RegExp(`patterns for ${what}.* are not supported`));
});

test.each(['"open', 'a"b"', '-', '""', 'a "b"c'])('%s is no pattern', (pattern) => {
  expect(() => parseFilterPattern(pattern)).toThrow('Invalid filter pattern');
});
