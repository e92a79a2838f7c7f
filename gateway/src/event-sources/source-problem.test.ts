import { describe, expect, test } from '@jest/globals';

import { type ProblemReason, pauseAfterProblem, SourceProblem, toSourceProblem } from './source-problem.ts';

describe('pauses before a source is tried again', () => {
  test.each<[reason: string, problem: ProblemReason, before: number, random: number, wantMs: number]>([
    ['the first failure', 'Unreachable', 0, 1, 1_000],
    ['they double', 'Unreachable', 3, 1, 8_000],
    ['up to half a minute where it may pass by itself', 'Unreachable', 20, 1, 30_000],
    ['up to a minute where somebody must act', 'AccessDenied', 20, 1, 60_000],
    ['half of it at least', 'SourceNotFound', 0, 0, 500],
    ['what can never work is left alone', 'InvalidSource', 0, 0, 300_000],
    ['a position that is gone costs no time', 'PositionLost', 9, 1, 0],
  ])('%s', (_reason, problem, before, random, wantMs) => {
    expect(pauseAfterProblem(problem, before, random)).toBe(wantMs);
  });
});

test('a bug in a source is a problem of its mapping', () => {
  const bug = new TypeError('x is undefined');
  expect(toSourceProblem(bug)).toMatchObject({ reason: 'Unreachable', cause: bug });
  const problem = new SourceProblem('AccessDenied', 'no');
  expect(toSourceProblem(problem)).toBe(problem);
});
