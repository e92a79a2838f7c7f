import { expect, test } from '@jest/globals';
import type { EventSourceMappingSpec, EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { PollerObserver } from '../poll/poller.ts';
import type { EventSource } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';
import { FakeQueue } from '../testing-source.ts';
import type { FlowReports } from './ask-flows.ts';
import { MappingController } from './mapping-controller.ts';
import type { MappingView } from './mapping-view.ts';
import { Mappings } from './mappings.ts';
import type { FlowProblem } from './plan-conditions.ts';
import { StatusWriter } from './status-writer.ts';
import { silentObserver } from './testing-gateways.ts';
import { mappingObject, queueTraits } from './testing-mapping.ts';
import { viewMapping } from './view-mapping.ts';

/** One gateway with a source that opens, or does not; time is moved by hand, and nothing is ever claimed by itself. */
function rig(hasStore = true) {
  const world = {
    nowMs: 1_000_000,
    opens: 0,
    fails: null as SourceProblem | null,
    isFirst: true,
    isStoreAway: false,
    functionProblem: null as FlowProblem | null,
    others: [] as FlowReports[],
    stored: null as EventSourceMappingStatus | null,
    events: [] as string[],
    held: new Map<MappingController, string[]>(),
    givenUp: [] as (() => void)[],
    setups: [] as MappingController[],
  };
  const source: EventSource = {
    name: 'fake',
    traits: queueTraits,
    serves: ({ source: { eventSourceArn = '' } }) => eventSourceArn.includes(':sqs:'),
    open: async () => {
      world.opens += 1;
      if (world.fails !== null) throw world.fails;
      return new FakeQueue({ nowMs: () => world.nowMs });
    },
  };
  const clock = {
    now: () => world.nowMs,
    nowMs: () => world.nowMs,
    sleep: (_ms: number, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  };
  const told: PollerObserver[] = [];
  const mappings = new Mappings({
    sourceOf: (view) => (source.serves(view) ? source : null),
    makeController: (setup) => {
      told.push(setup.observerOf('queue'));
      const controller = new MappingController(setup, {
        openDeps: () => ({}), // the fake source needs none
        rooms: { hasRoom: true },
        invoke: () => Promise.resolve({ kind: 'missing' }),
        mayRun: () => Promise.resolve(true),
        clock,
        random: () => 0,
        newRequestId: () => 'id',
      } as unknown as ConstructorParameters<typeof MappingController>[1]);
      return controller;
    },
    owner: {
      add: (controller) => void world.setups.push(controller),
      remove: () => undefined,
      whenGivenUp: () => new Promise((resolve) => world.givenUp.push(resolve)),
      heldShards: (controller) => world.held.get(controller) ?? [],
      get isStoreAway() {
        return world.isStoreAway;
      },
    },
    writer: new StatusWriter({
      kubernetes: {
        applyStatus: async (kind, object) => {
          world.stored = object.status as EventSourceMappingStatus;
          return kind.parse({ metadata: { name: 'orders' }, spec: { functionName: 'f' } });
        },
        event: async (_regarding, { type, reason }) => void world.events.push(`${type} ${reason}`),
      },
      now: () => world.nowMs,
      nowMs: () => world.nowMs,
      onProblem: () => undefined,
    }),
    hasStore,
    observerOf: () => silentObserver,
    functionProblem: () => world.functionProblem,
    ranksFirst: () => world.isFirst,
    askOthers: async () => world.others,
    now: () => world.nowMs,
    nowMs: () => world.nowMs,
  });
  return { world, mappings, told };
}

type Rig = ReturnType<typeof rig>;

const view = (spec: Partial<EventSourceMappingSpec> = {}, generation = 1, name = 'orders'): MappingView => {
  const object = mappingObject(spec);
  return viewMapping({ ...object, metadata: { ...object.metadata, generation, name } }, queueTraits);
};

/** The watch brings it, the source opens or not, and the status is written until nothing is left to write. */
async function pass({ world, mappings }: Rig, seen: MappingView | null, ms = 6_000) {
  mappings.set('default/orders', seen === null ? null : { view: seen, status: world.stored });
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  world.nowMs += ms;
  await mappings.writeStatuses();
  return world.stored;
}

const ready = (status: EventSourceMappingStatus | null) =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.reason;

/** This gateway has claimed the shard of the newest controller. */
function claim({ world }: Rig): void {
  const newest = world.setups.at(-1);
  if (newest !== undefined) world.held.set(newest, ['queue']);
}

test('a new mapping is opened, claimed, and polled', async () => {
  const all = rig();
  expect(await pass(all, view())).toMatchObject({ state: 'Creating', heldShards: 0, shards: 1 });
  claim(all);
  expect(await pass(all, view())).toMatchObject({
    state: 'Enabled',
    heldShards: 1,
    lastProcessingResult: 'No records processed',
  });
  all.told[0]?.ended({ kind: 'ok' }, 0);
  expect(await pass(all, view())).toMatchObject({ lastProcessingResult: 'OK' });
  expect([all.world.opens, all.world.events]).toEqual([1, ['Normal Polling']]);
});

test('a change that needs no new connection is in force at once; one of the source is a new connection', async () => {
  const all = rig();
  await pass(all, view());
  claim(all);
  await pass(all, view());
  expect(await pass(all, view({ batchSize: 5 }, 2))).toMatchObject({ state: 'Enabled', observedGeneration: 2 });
  expect(all.world.setups.map(({ mapping }) => mapping.batch.maxRecords)).toEqual([5]);
  const sourceAccessConfigurations = [{ type: 'BASIC_AUTH', uri: 'secret://other' }] as const;
  expect(await pass(all, view({ sourceAccessConfigurations }, 3))).toMatchObject({ state: 'Updating', heldShards: 1 });
  expect(all.world.opens).toBe(2);
});

test('a source that could not be opened is opened again at once when anything of the mapping changes', async () => {
  const all = rig();
  all.world.fails = new SourceProblem('InvalidSource', 'nobody has said where it is');
  expect(ready(await pass(all, view()))).toBe('InvalidSource');
  all.world.fails = null;
  await pass(all, view({ batchSize: 5 }, 2));
  claim(all);
  expect(ready(await pass(all, view({ batchSize: 5 }, 2)))).toBe('Polling');
});

test('switched off while a batch runs, then on again', async () => {
  const all = rig();
  await pass(all, view());
  claim(all);
  await pass(all, view());
  expect(await pass(all, view({ enabled: false }, 2))).toMatchObject({ state: 'Disabling', heldShards: 1 });
  all.world.held.clear();
  for (const call of all.world.givenUp) call();
  expect(await pass(all, view({ enabled: false }, 2))).toMatchObject({ state: 'Disabled', heldShards: 0 });
  expect(await pass(all, view({}, 3))).toMatchObject({ state: 'Enabling' });
  claim(all);
  expect(await pass(all, view({}, 3))).toMatchObject({ state: 'Enabled' });
});

test.each<[reason: string, spec: Partial<EventSourceMappingSpec>, cause: (all: Rig) => void, message: string]>([
  [
    'InvalidSource',
    { eventSourceArn: 'arn:aws:s3:::pictures' },
    () => undefined,
    'no event source here reads arn:aws:s3:::pictures',
  ],
  ['InvalidFilter', { filters: [{ pattern: '{"body":"a"}' }] }, () => undefined, 'filter 1: body must be an object'],
  ...(
    ['InvalidSource', 'SourceNotFound', 'CredentialsMissing', 'AccessDenied', 'Unreachable', 'Throttled'] as const
  ).map((reason): [string, object, (all: Rig) => void, string] => [
    reason,
    {},
    ({ world }) => {
      world.fails = new SourceProblem(reason, `it is ${reason}`);
    },
    `it is ${reason}`,
  ]),
  ...(['FunctionNotFound', 'FunctionNotReady', 'FunctionThrottled'] as const).map(
    (reason): [string, object, (all: Rig) => void, string] => [
      reason,
      {},
      ({ world }) => {
        world.functionProblem = { reason, message: `it is ${reason}` };
      },
      `it is ${reason}`,
    ],
  ),
  [
    'StoreUnavailable',
    {},
    ({ world }) => {
      world.isStoreAway = true;
    },
    'nothing is lost',
  ],
])('%s is told, with a Warning, and is over when it is mended', async (reason, spec, cause, message) => {
  const all = rig();
  cause(all);
  await pass(all, view(spec), 20_000);
  const stuck = await pass(all, view(spec));
  expect(stuck).toMatchObject({
    state: 'Enabled',
    stateTransitionReason: expect.stringContaining(message),
    lastProcessingResult: expect.stringMatching(/^PROBLEM: /),
    conditions: [{ type: 'Ready', status: 'False', reason, message: expect.stringContaining(message) }],
  });
  expect(all.world.events).toContain(`Warning ${reason}`);
  Object.assign(all.world, { fails: null, isStoreAway: false, functionProblem: null });
  await pass(all, view({ sourceAccessConfigurations: [] }, 2)); // mended by hand, so that nobody has to wait
  claim(all);
  expect(ready(await pass(all, view({ sourceAccessConfigurations: [] }, 2)))).toBe('Polling');
  expect(all.world.events.at(-1)).toBe('Normal Polling');
});

test('what a poller meets is told, and a lost position by an event alone', async () => {
  const all = rig();
  await pass(all, view());
  claim(all);
  all.told[0]?.problem(new SourceProblem('PositionLost', 'records were removed'));
  expect(ready(await pass(all, view()))).toBe('Polling');
  all.told[0]?.problem(new SourceProblem('AccessDenied', 'not any more'));
  expect(ready(await pass(all, view()))).toBe('AccessDenied');
  all.told[0]?.problem(null);
  expect(ready(await pass(all, view()))).toBe('Polling');
  expect(all.world.events).toEqual([
    'Warning PositionLost',
    'Normal Polling',
    'Warning AccessDenied',
    'Normal Polling',
  ]);
});

test('shards at other gateways count; a gateway that is not the first writes nothing', async () => {
  const all = rig();
  await pass(all, view());
  const { uid } = view();
  const other = { polledGeneration: 1, shards: 1, heldShards: 1, problem: null, lastBatch: null };
  all.world.others = [{}, { [uid]: other }];
  expect(await pass(all, view())).toMatchObject({ state: 'Enabled', heldShards: 1 });
  expect(all.mappings.reports([uid, 'another'])).toMatchObject({ [uid]: { polledGeneration: null, heldShards: 0 } });
  all.world.isFirst = false;
  all.world.stored = null;
  expect(await pass(all, view())).toBeNull();
});

test('one that is gone is let go, and another of its name is another one', async () => {
  const all = rig();
  await pass(all, view());
  await pass(all, { ...view(), uid: 'another' });
  expect(all.world.setups.map(({ uid }) => uid)).toEqual([view().uid, 'another']);
  for (const call of all.world.givenUp) call();
  all.world.stored = null;
  expect(await pass(all, null)).toBeNull();
  expect(all.mappings.reports([view().uid, 'another'])).toEqual({});
  all.mappings.close();
});

test('an install without a store opens nothing, and says why', async () => {
  const all = rig(false);
  expect(await pass(all, view())).toMatchObject({
    state: 'Enabled',
    stateTransitionReason: expect.stringContaining('set KAPPA_REDIS_URL'),
    conditions: [{ reason: 'StoreUnavailable' }],
  });
  expect(all.world.opens).toBe(0);
});
