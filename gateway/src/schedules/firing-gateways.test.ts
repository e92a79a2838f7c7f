import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, jest, test } from '@jest/globals';

import { connect, endRedis, startRedis, until } from '../queue/testing-redis-queue.ts';

/*
 * Several gateways, each of which believes that it is the only one, on one Redis; they and Redis are killed in the middle.
 */

// Redis may have to be installed first.
jest.setTimeout(600_000);

const gateways: ChildProcess[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await kill(gateway);
  await endRedis();
});

async function kill(gateway: ChildProcess): Promise<void> {
  if (gateway.exitCode !== null || gateway.signalCode !== null) return;
  const ended = once(gateway, 'exit');
  gateway.kill('SIGKILL');
  await ended;
}

/** A minute of its clock is half a second: of what was missed 100 are made up for, so nobody may be away for 50 seconds. */
const SPEED = 120;

/** What a gateway said that it has fired. */
const firings = new WeakMap<ChildProcess, number>();
const firedBy = (gateway: ChildProcess): number => firings.get(gateway) ?? 0;

function startGateway(url: string, startMs: number): ChildProcess {
  const file = new URL('testing-firing-gateway.ts', import.meta.url).pathname;
  const args = ['--disable-warning=ExperimentalWarning', file, url, String(startMs), String(SPEED)];
  const gateway = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  gateway.stdout.on('data', (piece: Buffer) =>
    firings.set(gateway, firedBy(gateway) + piece.toString().split('\n').length - 1),
  );
  gateways.push(gateway);
  return gateway;
}

test('each due time is fired once, whoever is killed', async () => {
  const redis = await startRedis();
  const startMs = Math.floor(Date.now() / 1000) * 1000;
  const start = (): ChildProcess => startGateway(redis.url, startMs);
  let pair = [start(), start()] as const;
  const isFiring = async (): Promise<void> => {
    const [one, two] = pair;
    const before = firedBy(one) + firedBy(two);
    await until(() => firedBy(one) + firedBy(two) >= before + 3);
  };
  for (let round = 0; round < 3; round += 1) {
    await isFiring();
    await kill(pair[0]);
    pair = [pair[1], start()];
  }
  await isFiring();
  await redis.kill();
  await redis.restart();
  await isFiring();
  pair[0].kill('SIGSTOP'); // in the middle of whatever it does, and back after the other has gone on
  const [, other] = pair;
  const before = firedBy(other);
  await until(() => firedBy(other) >= before + 3);
  pair[0].kill('SIGCONT');
  await isFiring();
  for (const gateway of pair) await kill(gateway);

  const queue = connect(redis);
  const times: number[] = [];
  for (;;) {
    const leased = await queue.lease('default/hello', { count: 100, nowMs: 1e15, leaseMs: 60_000, maxBytes: 1e9 });
    if (leased.length === 0) break;
    for (const { lease, event } of leased) {
      times.push(Date.parse(JSON.parse(event.payload.toString()).time));
      await queue.settle(lease, { kind: 'done' });
    }
  }
  times.sort((a, b) => a - b);
  expect(times.length).toBeGreaterThanOrEqual(20);
  // the first is a minute after the start, and none is missing or there twice
  expect(times).toEqual(times.map((_, i) => startMs + (i + 1) * 60_000));
});
