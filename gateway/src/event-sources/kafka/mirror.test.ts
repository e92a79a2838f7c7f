import { expect, test } from '@jest/globals';

import { SourceProblem } from '../source-problem.ts';
import { GroupMirror } from './mirror.ts';

/** A group whose commits wait until they are answered. */
function slowGroup() {
  const commits: { offsets: ReadonlyMap<number, bigint>; answer: PromiseWithResolvers<void> }[] = [];
  const problems: SourceProblem[] = [];
  const mirror = new GroupMirror(
    (offsets) => {
      const answer = Promise.withResolvers<void>();
      commits.push({ offsets, answer });
      return answer.promise;
    },
    (problem) => problems.push(problem),
  );
  return { mirror, commits, problems };
}

test('one commit at a time, with the newest offset of each partition', async () => {
  const { mirror, commits } = slowGroup();
  mirror.show(0, 1n);
  for (const offset of [2n, 3n]) mirror.show(0, offset);
  mirror.show(1, 9n);
  expect(commits.map(({ offsets }) => [...offsets])).toEqual([[[0, 1n]]]);
  commits[0]?.answer.resolve();
  const closing = mirror.close();
  await commits[0]?.answer.promise;
  await Promise.resolve();
  expect(commits.map(({ offsets }) => [...offsets])[1]).toEqual([
    [0, 3n],
    [1, 9n],
  ]);
  commits[1]?.answer.resolve();
  await closing;
});

test('what could not be written is told, and goes with the next one unless it is older', async () => {
  const { mirror, commits, problems } = slowGroup();
  mirror.show(0, 1n);
  mirror.show(1, 5n);
  commits[0]?.answer.resolve();
  await Promise.resolve();
  const refused = new SourceProblem('AccessDenied', 'no');
  commits[1]?.answer.reject(refused);
  await mirror.close();
  expect(problems).toEqual([refused]);
  mirror.show(0, 2n);
  expect([...(commits[2]?.offsets ?? [])]).toEqual([
    [1, 5n],
    [0, 2n],
  ]);
  commits[2]?.answer.resolve();
  await mirror.close();
});
