import { beforeEach, expect, test } from '@jest/globals';

import type { RouteProblem } from './table.ts';
import { LastingProblems } from './tell-problems.ts';

const MINUTE_MS = 60_000;
let nowMs: number;
let isMine: boolean;
let told: string[];
let problems: LastingProblems;
beforeEach(() => {
  nowMs = 0;
  isMine = true;
  told = [];
  problems = new LastingProblems({
    tell: ({ owner }) => told.push(owner.name),
    isMine: () => isMine,
    nowMs: () => nowMs,
  });
});

const problem = (name: string): RouteProblem => ({
  owner: { namespace: 'default', name, uid: `uid-${name}` },
  reason: 'RouteConflict',
  message: 'It does not answer.',
});

test('a problem is told at once, and every half hour while it lasts', () => {
  problems.tell(problem('a'));
  for (nowMs = 0; nowMs <= 65 * MINUTE_MS; nowMs += MINUTE_MS) problems.check([problem('a')]);
  expect(told).toEqual(['a', 'a', 'a']);
});

test('what nobody could tell while the gateways did not know each other is told when they do', () => {
  isMine = false;
  problems.tell(problem('a'));
  problems.check([problem('a')]);
  expect(told).toEqual([]);
  isMine = true;
  problems.check([problem('a')]);
  problems.check([problem('a')]);
  expect(told).toEqual(['a']);
});

test('a problem that comes back is told again at once', () => {
  problems.tell(problem('a'));
  problems.check([problem('b')]);
  problems.check([problem('a'), problem('b')]);
  expect(told).toEqual(['a', 'b', 'a']);
});
