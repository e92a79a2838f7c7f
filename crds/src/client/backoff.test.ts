import { expect, test } from '@jest/globals';
import { Backoff } from './backoff.ts';

/** The pauses in a row, when the other side asks for so much each time. */
async function pauses(askedMs: readonly number[], random: number): Promise<number[]> {
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const backoff = new Backoff({ sleep, random: () => random }, { firstMs: 100, maxMs: 10_000 });
  for (const ms of askedMs) await backoff.pause(new AbortController().signal, ms);
  return slept;
}

test.each<[reason: string, askedMs: number[], least: number[], most: number[]]>([
  ['grows, and is capped', Array(9).fill(0), [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000], []],
  ['is what was asked for at least, twice that at most', [1000, 1000], [1000, 1000], [2000, 2000]],
  ['is longer than asked for after many failures', [1, 1, 1], [50, 100, 200], [100, 200, 400]],
  ['is capped whatever was asked for', [3_600_000], [5000], [10_000]],
])('a pause %s', async (_reason, askedMs, least, most) => {
  expect(await pauses(askedMs, 0)).toEqual(least);
  expect(await pauses(askedMs, 1)).toEqual(most.length > 0 ? most : least.map((ms) => 2 * ms));
});
