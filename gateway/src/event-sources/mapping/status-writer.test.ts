import { expect, test } from '@jest/globals';
import { KubernetesError } from '@kappa/crds/client/errors';
import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { FlowReport } from './flow.ts';
import { StatusWriter } from './status-writer.ts';

const mapping = { uid: 'u1', namespace: 'default', name: 'orders', generation: 1, isEnabled: true, isDeleting: false };
const polled: FlowReport = { polledGeneration: 1, shards: 1, heldShards: 1, problem: null, lastBatch: null };
const failed: FlowReport = { ...polled, lastBatch: { result: { kind: 'functionFailed' }, atMs: 1 } };
const away = { reason: 'Unreachable', message: 'no answer' } as const;

/** A Kubernetes API that keeps one status, and a clock that is moved by hand. */
function rig() {
  const world = {
    nowMs: 1_000_000,
    stored: null as EventSourceMappingStatus | null,
    writes: [] as unknown[],
    events: [] as string[],
    problems: [] as unknown[],
    fails: null as KubernetesError | null,
  };
  const writer = new StatusWriter({
    kubernetes: {
      applyStatus: async (kind, object, manager) => {
        if (world.fails !== null) throw world.fails;
        const { status, metadata } = object as { status: EventSourceMappingStatus; metadata: object };
        world.stored = status;
        world.writes.push([manager, metadata, status.state, status.lastProcessingResult]);
        return kind.parse({ metadata: { name: 'orders' }, spec: { functionName: 'f' } });
      },
      event: async ({ name }, { type, reason }) => void world.events.push(`${name} ${type} ${reason}`),
    },
    now: () => world.nowMs,
    nowMs: () => world.nowMs,
    onProblem: (error) => world.problems.push(error),
  });
  const tell = (report: FlowReport, afterMs = 1_000, seen = world.stored) => {
    world.nowMs += afterMs;
    return writer.tell(mapping, seen, { userAction: 'USER_INITIATED', report, isStuck: false });
  };
  return { world, writer, tell };
}

test('a status is written once, as its own field manager, for that very object', async () => {
  const { world, tell } = rig();
  for (let times = 0; times < 3; times += 1) await tell(polled);
  await tell(polled, 60_000);
  const metadata = { uid: 'u1', namespace: 'default', name: 'orders' };
  expect(world.writes).toEqual([['kappa-event-sources', metadata, 'Enabled', 'No records processed']]);
  expect(world.events).toEqual(['orders Normal Polling']);
});

test('what is new waits for five seconds, a new state does not', async () => {
  const { world, tell } = rig();
  await tell({ ...polled, polledGeneration: null, heldShards: 0 });
  await tell(polled);
  expect(world.writes).toHaveLength(2);
  for (let seconds = 1; seconds < 5; seconds += 1) await tell(failed);
  expect(world.writes).toHaveLength(2);
  await tell(failed);
  expect(world.writes.at(-1)).toMatchObject({ 3: 'PROBLEM: Function call failed' });
  expect(world.events.at(-1)).toBe('orders Warning FunctionFailed');
});

test('a watch that is behind is not believed, one that is not is', async () => {
  const { world, tell } = rig();
  await tell(polled);
  await tell(polled, 6_000, null);
  expect(world.writes).toHaveLength(1);
  await tell(polled, 60_000, { ...world.stored, state: 'Disabled' }); // by somebody else's hand
  expect(world.writes).toHaveLength(2);
});

test('without an API server nothing is lost: it is written later, and told once', async () => {
  const { world, tell } = rig();
  world.fails = new KubernetesError('cannot patch', 0, 'Unreachable');
  await tell({ ...polled, problem: away });
  await tell({ ...polled, problem: away });
  expect([world.writes.length, world.problems.length, world.events.length]).toEqual([0, 1, 0]);
  world.fails = null;
  await tell({ ...polled, problem: away }, 6_000);
  expect(world.writes).toMatchObject([{ 3: 'PROBLEM: no answer' }]);
  expect(world.events).toEqual(['orders Warning Unreachable']);
});

test('of a mapping that is gone nothing is said', async () => {
  const { world, writer, tell } = rig();
  world.fails = new KubernetesError('there is no such object', 404, 'NotFound');
  await tell(polled);
  expect(world.problems).toEqual([]);
  writer.forget('u1');
  world.fails = null;
  await tell(polled);
  expect(world.writes).toHaveLength(1);
});
