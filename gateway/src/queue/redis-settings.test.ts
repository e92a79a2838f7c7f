import { afterEach, expect, jest, test } from '@jest/globals';

import { QueueUnavailable } from './event-queue.ts';
import { asyncEvent } from './testing.ts';
import { connect, endRedis, isPut, startRedis, until } from './testing-redis-queue.ts';

/*
 * A Redis that would lose events is given none.
 */

// Redis may have to be installed first.
jest.setTimeout(600_000);

afterEach(endRedis);

test.each([
  ['without a log', ['--appendonly', 'no'], /appendonly is no/],
  ['that syncs its log later', ['--appendfsync', 'everysec'], /appendfsync is everysec/],
  [
    'that syncs none while it rewrites its log',
    ['--no-appendfsync-on-rewrite', 'yes'],
    /on-rewrite is yes: no is needed/,
  ],
  ['that throws keys away', ['--maxmemory-policy', 'allkeys-lru'], /maxmemory-policy is allkeys-lru/],
])('a Redis %s is given no event, and why is said', async (_reason, settings, why) => {
  const redis = await startRedis(...settings);
  const problems: string[] = [];
  const queue = connect(redis, { problems });
  const refusal = queue.put(asyncEvent());
  await expect(refusal).rejects.toBeInstanceOf(QueueUnavailable);
  await expect(refusal).rejects.toThrow(why);
  expect(problems.join()).toMatch(why);
});

test('a Redis that is set right is used without a restart', async () => {
  const redis = await startRedis('--appendfsync', 'everysec');
  const queue = connect(redis);
  expect(await isPut(queue)).toBe(false);
  await redis.command('CONFIG', 'SET', 'appendfsync', 'always');
  await until(() => isPut(queue));
});

test('a Redis that does not tell its settings is used, with a warning once', async () => {
  const redis = await startRedis('--rename-command', 'CONFIG', '');
  const problems: string[] = [];
  const queue = connect(redis, { problems });
  await queue.put(asyncEvent());
  await redis.kill();
  await until(async () => !(await isPut(queue)));
  await redis.restart();
  await until(() => isPut(queue));
  const warning =
    'Redis does not tell its settings, see to them: appendfsync (always is needed); no-appendfsync-on-rewrite (no is needed)';
  expect(problems.filter((problem) => problem === warning)).toHaveLength(1);
});

test('a password is used, and a wrong one is no event lost', async () => {
  const redis = await startRedis('--requirepass', 'open sesame');
  const problems: string[] = [];
  expect(await isPut(connect(redis, { password: 'open sesame' }))).toBe(true);
  await expect(connect(redis, { password: 'wrong', problems }).put(asyncEvent())).rejects.toBeInstanceOf(
    QueueUnavailable,
  );
  expect(problems.join()).toMatch(/WRONGPASS/);
  expect(problems.join()).not.toMatch(/wrong/);
});
