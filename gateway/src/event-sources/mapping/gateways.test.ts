import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';

import { SqliteCheckpoints } from '../../queue/sqlite-checkpoints.ts';
import { sourceRecord } from '../poll/testing-records.ts';
import type { OpenQueue } from '../source.ts';
import { TestClock } from '../testing-clock.ts';
import { FakeQueue } from '../testing-source.ts';
import { type TestCluster, TestGateway } from './testing-gateways.ts';
import { mappingObject, queueTraits } from './testing-mapping.ts';
import { viewMapping } from './view-mapping.ts';

/*
 * Gateways with all their parts but connections, a store of checkpoints on disk, and a queue in memory.
 */

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A receive that finds nothing takes its time, as a real one does. */
function waiting(queue: FakeQueue, clock: TestClock): OpenQueue {
  return {
    kind: 'queue',
    holdMs: queue.holdMs,
    receive: async (wish) => {
      const found = await queue.receive(wish);
      if (found.length === 0) await clock.sleep(wish.waitMs, wish.signal).catch(() => undefined);
      return found;
    },
    settle: (messages, action) => queue.settle(messages, action),
    eventOf: (records) => queue.eventOf(records),
    close: () => queue.close(),
  };
}

function rig() {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-mappings-'));
  const sqlite = new SqliteCheckpoints(join(folder, 'checkpoints.db'));
  cleanUps.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => sqlite.close(),
  );
  const clock = new TestClock();
  const queue = new FakeQueue({ nowMs: clock.nowMs });
  const world = { isStoreAway: false };
  const ran: string[] = [];
  const refuse = () => Promise.reject(new Error('the store does not answer'));
  const cluster: TestCluster = {
    clock,
    store: {
      claim: (key, owner, seen) => (world.isStoreAway ? refuse() : sqlite.claim(key, owner, seen)),
      beat: (claims) => (world.isStoreAway ? refuse() : sqlite.beat(claims)),
      save: (claim, text, isEnd) => (world.isStoreAway ? refuse() : sqlite.save(claim, text, isEnd)),
      release: (claim) => (world.isStoreAway ? refuse() : sqlite.release(claim)),
      rows: (mappings) => (world.isStoreAway ? refuse() : sqlite.rows(mappings)),
      mappings: () => sqlite.mappings(),
      forget: (mapping) => sqlite.forget(mapping),
      close: () => sqlite.close(),
    },
    queue: waiting(queue, clock),
    invoke: (event) => {
      ran.push(event);
      return { kind: 'ran', answer: Buffer.from('null'), executedVersion: '$LATEST' };
    },
    first: null,
    gateways: [],
    status: null,
    events: [],
  };
  const start = (name: string): TestGateway => {
    const gateway = new TestGateway(name, cluster);
    cleanUps.push(() => gateway.die());
    cluster.first ??= gateway;
    gateway.start(viewMapping(mappingObject(), queueTraits));
    return gateway;
  };
  const readyBecause = (): string | undefined =>
    cluster.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  return { clock, queue, world, cluster, ran, start, readyBecause };
}

test('messages are read and deleted, and the status says so', async () => {
  const { clock, queue, cluster, ran, start } = rig();
  start('one');
  queue.send(sourceRecord('a'), sourceRecord('b'));
  await clock.until(() => queue.size === 0);
  expect(ran).toEqual(['{"Records":[{"id":"a"},{"id":"b"}]}']);
  await clock.until(() => cluster.status?.lastProcessingResult === 'OK', 10_000);
  expect(cluster.status).toMatchObject({ state: 'Enabled', heldShards: 1, shards: 1 });
  expect(cluster.events).toEqual(['Normal Polling']);
});

test('a gateway dies: the next one reads and tells within ten seconds', async () => {
  const { clock, queue, cluster, start } = rig();
  const one = start('one');
  const two = start('two');
  await clock.until(() => cluster.status?.heldShards === 1);
  one.die();
  cluster.first = two;
  queue.send(sourceRecord('a'));
  await clock.until(() => queue.size === 0, 10_000);
  await clock.until(() => cluster.status?.lastProcessingResult === 'OK', 10_000);
  expect(cluster.status).toMatchObject({ state: 'Enabled' });
});

test('the store is away: told, nothing is begun, and it goes on when the store is back', async () => {
  const { clock, queue, world, cluster, ran, start, readyBecause } = rig();
  start('one');
  await clock.until(() => readyBecause() === 'Polling');
  world.isStoreAway = true;
  await clock.until(() => readyBecause() === 'StoreUnavailable', 15_000);
  queue.send(sourceRecord('a'));
  await clock.pass(30_000);
  expect(ran.length).toBeLessThanOrEqual(1); // one long poll may have been under way
  const before = ran.length;
  await clock.pass(60_000);
  expect(ran).toHaveLength(before);
  world.isStoreAway = false;
  queue.send(sourceRecord('b'));
  await clock.until(() => queue.size === 0, 60_000);
  await clock.until(() => readyBecause() === 'Polling', 15_000);
  expect(cluster.events).toEqual(['Normal Polling', 'Warning StoreUnavailable', 'Normal Polling']);
});

test('switched off: what runs ends, and nothing more is read', async () => {
  const { clock, queue, cluster, ran, start } = rig();
  const one = start('one');
  await clock.until(() => cluster.status?.state === 'Enabled');
  const object = mappingObject({ enabled: false });
  one.see(viewMapping({ ...object, metadata: { ...object.metadata, generation: 2 } }, queueTraits));
  await clock.until(() => cluster.status?.state === 'Disabled', 30_000);
  queue.send(sourceRecord('a'));
  await clock.pass(60_000);
  expect([ran, cluster.status?.heldShards]).toEqual([[], 0]);
});
