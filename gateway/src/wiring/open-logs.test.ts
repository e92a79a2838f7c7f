import { expect, test } from '@jest/globals';

import { parseConfig } from '../config.ts';
import type { Target } from '../dispatch/types.ts';
import { packLines } from '../logs/testing.ts';
import { makeContext } from './context.ts';
import { openLogs } from './open-logs.ts';

const fn = (accountId: string) => ({ accountId, functionName: 'hello', namespace: 'team' }) as Target;
const lines = { stream: 's', first: 0, entries: packLines([{ atMs: 1, text: 'x' }]) };

test('lines are of the account that a version has now; of the last known one when it is gone', async () => {
  let target: Target | undefined = fn('111111111111');
  const logs = openLogs(makeContext(parseConfig({ KAPPA_LOG_LEVEL: 'silent' })), {
    targetOf: () => target,
    askOthers: async () => [],
    endpointsOf: () => ({}),
  });
  logs?.logged('v', lines);
  target = fn('222222222222');
  logs?.logged('v', lines);
  target = undefined;
  logs?.logged('v', lines);
  const counts = ['111111111111', '222222222222'].map(async (accountId) => {
    const [stream] = (await logs?.all?.streams({ accountId, functionName: 'hello' })) ?? [];
    return stream?.bytes;
  });
  expect(await Promise.all(counts)).toEqual([lines.entries.length, 2 * lines.entries.length]);
});

test('lines of a version that was gone before, or of what could be no stream, are left out', () => {
  const logs = openLogs(makeContext(parseConfig({ KAPPA_LOG_LEVEL: 'silent' })), {
    targetOf: (uid) => (uid === 'v' ? fn('111111111111') : undefined),
    askOthers: async () => [],
    endpointsOf: () => ({ AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'http://logs.invalid' }),
  });
  logs?.logged('gone', lines);
  logs?.logged('v', { ...lines, stream: 'a:b*' });
  expect([logs?.stats().functions, logs?.shipping().pendingBytes]).toEqual([0, 0]);
});
