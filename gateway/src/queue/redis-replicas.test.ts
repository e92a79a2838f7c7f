import { once } from 'node:events';
import { createServer } from 'node:net';

import { afterEach, expect, jest, test } from '@jest/globals';

import { QueueUnavailable } from './event-queue.ts';
import { asyncEvent, leaseAt, line, startMs } from './testing.ts';
import type { TestRedis } from './testing-redis.ts';
import { connect, endRedis, isPut, startRedis, until } from './testing-redis-queue.ts';

/*
 * What is acknowledged is at a replica, too, where there is one.
 */

// Redis may have to be installed first.
jest.setTimeout(600_000);

afterEach(endRedis);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Two servers, the second follows the first. */
async function startPair(): Promise<readonly [TestRedis, TestRedis]> {
  const port = String(await freePort());
  const leader = await startRedis('--port', port, '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0');
  return [leader, await startFollower(leader, port)];
}

async function startFollower(leader: TestRedis, port: string): Promise<TestRedis> {
  const replica = await startRedis('--replicaof', '127.0.0.1', port);
  await until(async () => (await leader.command('INFO', 'replication')).includes('state=online'));
  return replica;
}

test('an event is accepted when a replica has it, and refused while none answers', async () => {
  const [leader, replica] = await startPair();
  const queue = connect(leader);
  // On a busy machine a replica's answer may take long.
  await until(() => isPut(queue, 'kept'));
  expect(await replica.command('EXISTS', `{kappa}:event:${line}:kept`)).toBe(':1\r\n');

  replica.signal('SIGSTOP');
  const refusals = await Promise.allSettled([queue.put(asyncEvent()), queue.put(asyncEvent())]);
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ status: 'rejected', reason: expect.any(QueueUnavailable) });
    expect(refusal).toMatchObject({ reason: { message: expect.stringContaining('no replica has acknowledged') } });
  }
  // What is no promise to a caller goes on.
  for (const { lease } of await leaseAt(queue, startMs)) expect(await queue.settle(lease, { kind: 'done' })).toBe(true);

  replica.signal('SIGCONT');
  await until(() => isPut(queue));
});

test('a server whose replicas are gone is used as one that never had any', async () => {
  const [leader, replica] = await startPair();
  const queue = connect(leader);
  await until(() => isPut(queue));
  await replica.kill();
  await until(() => isPut(queue));
});

test('a server that may not be asked for its replicas is used, with a warning', async () => {
  const redis = await startRedis('--rename-command', 'WAIT', '');
  const problems: string[] = [];
  await connect(redis, { problems }).put(asyncEvent());
  expect(problems).toEqual(['Redis does not tell its settings, see to them: what replicas have (WAIT is refused)']);
});

test('a call has one deadline for the connection and the answer', async () => {
  const redis = await startRedis();
  await redis.command('CLIENT', 'PAUSE', '60000', 'WRITE');
  redis.signal('SIGSTOP');
  const queue = connect(redis, { answerWithinMs: 600 });
  const ended: string[] = [];
  const put = queue.put(asyncEvent()).catch(() => ended.push('put'));
  const reference = new Promise<void>((resolve) => {
    setTimeout(() => {
      ended.push('reference');
      resolve();
    }, 850);
  });
  setTimeout(() => redis.signal('SIGCONT'), 300);
  await Promise.all([put, reference]);
  expect(ended).toEqual(['put', 'reference']);
});
