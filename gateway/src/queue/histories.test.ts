import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { EventQueue, LeasedEvent, Settlement } from './event-queue.ts';
import { asyncEvent, line, startMs } from './testing.ts';
import { ModelQueue, type Step } from './testing-model.ts';
import { installMs, type StoreName, storeNames, TestStores } from './testing-stores.ts';

/*
 * Random histories of two gateways on one queue. After each step the store has answered what the model says: no event is lost, none is run by
 * two leases that hold, and who comes late is refused.
 */

type Gateways = readonly [EventQueue, EventQueue];

let stores: TestStores;

beforeAll(async () => {
  stores = await TestStores.start();
}, installMs);
afterAll(() => stores.stop());

async function withStore(store: StoreName, play: (gateways: Gateways) => Promise<void>): Promise<void> {
  const connect = await stores.empty(store);
  await play([connect(), connect()]);
  await stores.closeQueues();
}

const some = fc.nat({ max: 7 });
const ms = fc.constantFrom(0, 1, 1000, 60_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), id: some }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('lease' as const),
      gateway: fc.constantFrom(0 as const, 1 as const),
      count: fc.integer({ min: 1, max: 4 }),
      leaseMs: ms,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), lease: some, ms }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      lease: some,
      how: fc.constantFrom('done' as const, 'retry' as const, 'dead' as const),
      ms,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('replay' as const, 'drop' as const), id: some }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms }) },
);

function settlementOf(how: Settlement['kind'], atMs: number, { progress }: LeasedEvent): Settlement {
  if (how === 'done') return { kind: 'done' };
  const next = { ...progress, attempts: progress.attempts + 1 };
  if (how === 'retry') return { kind: 'retry', dueMs: atMs, progress: next };
  return { kind: 'dead', atMs, condition: 'RetriesExhausted', progress: next };
}

/** One step on the store and on the model; the answers are the same. @param leases that were ever given, newest first */
async function play(step: Step, gateways: Gateways, model: ModelQueue, leases: LeasedEvent[]): Promise<void> {
  const [first] = gateways;
  const { nowMs } = model;
  if (step.kind === 'wait') model.nowMs += step.ms;
  if (step.kind === 'put') {
    await first.put(asyncEvent({ id: `event-${step.id}`, acceptedMs: nowMs }));
    model.put(`event-${step.id}`);
  }
  if (step.kind === 'lease') {
    const { count, leaseMs } = step;
    const leased = await gateways[step.gateway].lease(line, { count, nowMs, leaseMs, maxBytes: 1024 });
    expect(leased.map(({ event }) => event.id)).toEqual(model.due(count));
    for (const one of leased) model.took(one);
    leases.unshift(...leased);
  }
  if (step.kind === 'replay' || step.kind === 'drop') {
    const id = `event-${step.id}`;
    const answer = step.kind === 'replay' ? await first.replay(line, id, nowMs) : await first.drop(line, id);
    expect(answer).toBe(step.kind === 'replay' ? model.replay(id) : model.drop(id));
  }
  if (step.kind !== 'renew' && step.kind !== 'settle') return;
  const held = leases[step.lease];
  if (held === undefined) return;
  if (step.kind === 'renew') {
    expect(await first.renew(held.lease, nowMs + step.ms)).toBe(model.renew(held, nowMs + step.ms));
    return;
  }
  const settlement = settlementOf(step.how, nowMs + step.ms, held);
  expect(await first.settle(held.lease, settlement)).toBe(model.settle(held, settlement));
}

/** Everything that the store has is what the model has. */
async function compare(queue: EventQueue, { events, nowMs }: ModelQueue): Promise<void> {
  for (let i = 0; i <= 7; i += 1) {
    const found = await queue.find(line, `event-${i}`);
    const expected = events.get(`event-${i}`);
    const { state, atMs, acceptedMs, attempts } = expected ?? {};
    expect(found && [found.state, found.atMs, found.event.acceptedMs, found.progress.attempts]).toEqual(
      expected && [state, atMs, acceptedMs, attempts],
    );
  }
  const live = [...events.values()].filter(({ state }) => state !== 'dead');
  const leased = live.filter(({ state, atMs }) => state === 'leased' && atMs > nowMs).length;
  const state = {
    line,
    waiting: live.length - leased,
    leased,
    nextMs: Math.min(...live.map(({ atMs }) => atMs)),
    oldestMs: Math.min(...live.map(({ acceptedMs }) => acceptedMs)),
  };
  expect(await queue.lines(nowMs)).toEqual(live.length === 0 ? [] : [state]);
}

test.each(storeNames)('a history of any steps on %s is what the model says', async (store) => {
  const history = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
  const check = fc.asyncProperty(history, async (steps) => {
    await withStore(store, async (gateways) => {
      const model = new ModelQueue();
      const leases: LeasedEvent[] = [];
      for (const one of steps) await play(one, gateways, model, leases);
      await compare(gateways[1], model);
    });
  });
  await fc.assert(check, { numRuns: 60, seed: 7 });
});

test.each(storeNames)('many who take at once from %s take each event once', async (store) => {
  await withStore(store, async (gateways) => {
    const ids = Array.from({ length: 400 }, (_, i) => `event-${i}`);
    await Promise.all(ids.map((id) => gateways[0].put(asyncEvent({ id }))));
    const taken: string[] = [];
    const take = async (queue: EventQueue): Promise<void> => {
      const leased = await queue.lease(line, { count: 7, nowMs: startMs, leaseMs: 1000, maxBytes: 1024 });
      taken.push(...leased.map(({ event }) => event.id));
      const settled = await Promise.all(leased.map(({ lease }) => queue.settle(lease, { kind: 'done' })));
      expect(settled).not.toContain(false);
      if (leased.length > 0) await take(queue);
    };
    await Promise.all([...gateways, ...gateways, ...gateways, ...gateways].map(take));
    expect(taken.sort()).toEqual(ids.sort());
    expect(await gateways[0].lines(startMs)).toEqual([]);
  });
});
