import { expect, test } from '@jest/globals';

import { SourceProblem } from '../source-problem.ts';
import { GroupMirror } from './mirror.ts';

/** A group whose commits wait until they are answered; pauses end when the test says so, or the mirror is closed. */
function slowGroup() {
  const commits: { offsets: ReadonlyMap<number, bigint>; answer: PromiseWithResolvers<void> }[] = [];
  const problems: SourceProblem[] = [];
  const pauses: { ms: number; end: PromiseWithResolvers<void> }[] = [];
  const mirror = new GroupMirror({
    commit: (offsets) => {
      const answer = Promise.withResolvers<void>();
      commits.push({ offsets, answer });
      return answer.promise;
    },
    onProblem: (problem) => problems.push(problem),
    sleep: (ms, signal) => {
      const end = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => end.reject(signal.reason), { once: true });
      pauses.push({ ms, end });
      return end.promise;
    },
    random: () => 1,
  });
  return { mirror, commits, problems, pauses };
}

/** What is ready to run has run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

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

test('what could not be written is told and tried again, with what came meanwhile', async () => {
  const { mirror, commits, problems, pauses } = slowGroup();
  const refused = new SourceProblem('AccessDenied', 'no');
  mirror.show(0, 1n);
  mirror.show(1, 5n);
  commits[0]?.answer.resolve();
  await settle();
  commits[1]?.answer.reject(refused);
  await settle();
  expect([problems, pauses.map(({ ms }) => ms)]).toEqual([[refused], [1_000]]);
  mirror.show(0, 2n);
  expect(commits).toHaveLength(2);
  pauses[0]?.end.resolve();
  await settle();
  expect([...(commits[2]?.offsets ?? [])]).toEqual([
    [1, 5n],
    [0, 2n],
  ]);
  commits[2]?.answer.resolve();
  await mirror.close();
});

test('when it is closed, what is not written is tried once more', async () => {
  const { mirror, commits } = slowGroup();
  mirror.show(0, 1n);
  commits[0]?.answer.reject(new SourceProblem('Unreachable', 'no answer'));
  await settle();
  const closing = mirror.close();
  await settle();
  expect(commits).toHaveLength(2);
  commits[1]?.answer.reject(new SourceProblem('Unreachable', 'no answer'));
  await closing;
  expect(commits).toHaveLength(2);
});
