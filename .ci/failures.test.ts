import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import { failuresIn, tell } from './failures.ts';

/** Recorded: a file that was played again, tests that were, one that failed three times; then a Go package, a Python test and a step. */
const log = stripVTControlCharacters(readFileSync(new URL('testdata/log.txt', import.meta.url), 'utf8'));

test('every failure and every failed try is found, and which of them count', () => {
  expect(failuresIn(log).map(({ isFinal, file, title }) => [isFinal, file, title])).toEqual([
    [false, 'specs/e-state.test.ts', 'fails where nobody has been'],
    [false, 'specs/c-never.test.ts', 'try 1 of: no request fails'],
    [false, 'specs/c-never.test.ts', 'try 2 of: no request fails'],
    [true, 'specs/c-never.test.ts', 'no request fails'],
    [false, 'specs/c-seldom.test.ts', 'try 1 of: a runtime answers at last'],
    [false, 'specs/c-seldom.test.ts', 'try 2 of: a runtime answers at last'],
    [true, '', '--- FAIL: TestLink (0.02s)'],
    [true, '', 'FAIL: test_throws (test_bootstrap.Errors.test_throws)'],
    [true, '', 'make: *** [Makefile:48: test-python] Error 1'],
  ]);
});

test('the error is told, and its cause, without excerpts of code', () => {
  expect(failuresIn(log).find(({ title }) => title.startsWith('try 1 of: a runtime'))?.lines).toEqual([
    'within 30000 ms not true: it answers',
    '  at Object.<anonymous> (specs/c-seldom.test.ts:6:28)',
    'Cause:',
    '    it stayed false',
    '      at Object.<anonymous> (specs/c-seldom.test.ts:6:87)',
  ]);
});

test('the same failure in the list at the end of a long run is one', () => {
  const summary = `${log}\nSummary of all failing tests\n${log.slice(log.indexOf('FAIL cluster'), log.indexOf('Test Suites: 1 failed, 1 passed'))}`;
  expect(failuresIn(summary)).toEqual(failuresIn(log));
});

test.each([
  [1, 13],
  [5, 65],
  [30, 60],
])('%i failures take %i lines', (count, lines) => {
  const failure = { isFinal: true, file: 'f', title: 't', lines: Array.from({ length: 40 }, () => 'line') };
  expect(tell(Array.from({ length: count }, () => failure))).toHaveLength(lines);
});
