import { expect, test } from '@jest/globals';
import { makeTarget, startCore } from './testing.ts';

const limitQueue = { maxWaitMs: 10_000, maxCount: 3 };
const capped = makeTarget({ reservedConcurrency: 1, limitQueue });

/** A core with a pod for each of two functions. */
function start(limits: Parameters<typeof startCore>[0]) {
  const world = startCore(limits);
  for (const name of ['p1', 'p2']) world.pod(name);
  return world;
}

test.each<[reason: string, limits: Parameters<typeof startCore>[0], waits: number, bytes: number]>([
  ['in number', {}, 3, 10],
  ['in bytes of a function', { maxQueuedBytes: 100 }, 2, 50],
  ['in bytes of the gateway', { maxTotalQueuedBytes: 100 }, 2, 50],
  ['in bytes of all that wait at limits', { maxLinedBytes: 100 }, 2, 50],
  ['in bytes of an account', { maxAccountLinedBytes: 100 }, 2, 50],
])('the line is bounded %s; who finds it full is told of the limit', (_reason, limits, waits, bytes) => {
  const { arrive, core } = start(limits);
  arrive(capped);
  for (let n = 0; n < waits; n += 1) arrive(capped, bytes);
  expect(() => arrive(capped, bytes)).toThrow(
    expect.objectContaining({ reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' }),
  );
  expect(core.census.linedCount).toBe(waits);
});

test('the events of one account leave room for those of others', () => {
  const { arrive, core } = start({ maxAccountLinedBytes: 100 });
  const elsewhere = { ...capped, versionUid: 'elsewhere', functionObjectName: 'elsewhere', accountId: '222222222222' };
  for (const target of [capped, elsewhere]) arrive(target);
  for (let n = 0; n < 2; n += 1) arrive(capped, 50);
  expect(() => arrive(capped, 1)).toThrow(expect.objectContaining({ status: 429 }));
  arrive(elsewhere, 100);
  expect(core.census.linedBytes).toBe(200);
});
