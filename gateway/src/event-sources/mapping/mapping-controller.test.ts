import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PollerWorld } from '../poll/testing-poller.ts';
import type { OpenDeps, OpenSource } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';
import { FakeStream } from '../testing-source.ts';
import { MappingController } from './mapping-controller.ts';
import { silentObserver } from './testing-gateways.ts';
import { queueTraits } from './testing-mapping.ts';
import { mappingView } from './testing-view.ts';

const denied = new SourceProblem('AccessDenied', 'no');
const shard = { id: 'one', parents: [] };
const holding = {
  claim: { key: { mapping: 'm', shard: 'one' }, epoch: 1 },
  checkpoint: null,
  mayBegin: () => true,
  save: () => Promise.resolve(true),
};

let world: PollerWorld;
let stream: FakeStream;
let tell: OpenDeps['onProblem'];
let opened: number;
let opening: Promise<unknown>;
let controller: MappingController;

beforeEach(() => {
  world = new PollerWorld();
  stream = new FakeStream();
  stream.add('one');
  opened = 0;
  opening = Promise.resolve();
  const open = async (_mapping: unknown, { onProblem }: OpenDeps): Promise<OpenSource> => {
    opened += 1;
    tell = onProblem;
    await opening;
    return stream;
  };
  const { clock, invoke, random, newRequestId } = { ...world.deps(), clock: world.clock };
  controller = new MappingController(
    {
      mapping: mappingView(),
      source: { name: 'fake', serves: () => true, traits: queueTraits, open },
      filter: () => true,
      observerOf: () => silentObserver,
    },
    {
      openDeps: () => ({ now: clock.now, secret: unused, aws: unused, guard: unused }),
      rooms: world.rooms,
      mayRun: () => Promise.resolve(true),
      tell: world.tell,
      clock,
      invoke,
      random,
      newRequestId,
    },
  );
});
afterEach(() => controller.close());

test('what is to be opened again shows no shard at once, and begins none', async () => {
  await world.clock.until(() => controller.shards.length === 1);
  opening = world.clock.sleep(5_000, new AbortController().signal);
  controller.reopen();
  expect(controller.shards).toEqual([]);
  expect(controller.begin(shard, holding)).toBeNull();
  await world.clock.until(() => controller.shards.length === 1);
  expect(controller.begin(shard, holding)).not.toBeNull();
});

test('what is being opened is not opened twice', async () => {
  await world.clock.until(() => controller.isOpen);
  opening = world.clock.sleep(5_000, new AbortController().signal);
  for (let seconds = 0; seconds < 20; seconds += 1) {
    if (seconds < 4) controller.reopen();
    await world.clock.pass(1_000);
  }
  expect(opened).toBe(2);
});

test('a refusal that passes is no reason for doubt', async () => {
  await world.clock.until(() => controller.isOpen);
  await world.clock.pass(60_000);
  controller.begin(shard, holding);
  stream.nextError = denied;
  for (let looks = 0; looks < 100; looks += 1) {
    await world.clock.pass(100);
    expect(controller.isDoubtful).toBe(false);
  }
  expect(stream.nextError).toBeNull();
});

test('one that lasts is', async () => {
  await world.clock.until(() => controller.isOpen);
  await world.clock.pass(60_000);
  stream.read = () => Promise.reject(denied);
  controller.begin(shard, holding);
  await world.clock.until(() => controller.isDoubtful, 10_000);
});

test('nor is what a source tells of its own work beside reading', async () => {
  await world.clock.until(() => controller.isOpen);
  await world.clock.pass(60_000);
  for (let looks = 0; looks < 100; looks += 1) {
    tell(denied);
    await world.clock.pass(100);
    expect(controller.isDoubtful).toBe(false);
  }
});

const unused = (): never => {
  throw new Error('the fake stream needs none');
};
