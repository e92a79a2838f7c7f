import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { EventQueue } from '../queue/event-queue.ts';
import { defaultLimits } from '../queue/queue-limits.ts';
import type { ScheduleMarks } from '../queue/schedule-marks.ts';
import { SqliteQueue } from '../queue/sqlite-queue.ts';
import { Scheduler } from './scheduler.ts';
import { testMapping } from './testing.ts';
import { TestClock } from './testing-clock.ts';

const line = 'default/hello';
const HOUR = 3600;
let folder: string;
let clock: TestClock;
let schedulers: Scheduler[];
let queues: (EventQueue & ScheduleMarks)[];
let problems: string[];
let verdicts: (string | null)[];
/** The mapping's generation in the cluster. */
let newest: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-schedules-'));
  clock = new TestClock('2026-11-22T10:00:00Z');
  [schedulers, queues, problems, verdicts, newest] = [[], [], [], [], 1];
});
afterEach(async () => {
  for (const scheduler of schedulers) scheduler.stop();
  await Promise.all(schedulers.map((scheduler) => scheduler.whenIdle()));
  for (const queue of queues) await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Gateway {
  readonly scheduler: Scheduler;
  readonly queue: EventQueue & ScheduleMarks;
  /** The ring says that schedules are its own. */
  isMine: boolean;
}

/** A gateway on the store that all of a test share. */
function gateway(wrap: (store: ScheduleMarks) => ScheduleMarks = (store) => store, eventsPerLine = 1000): Gateway {
  const queue = new SqliteQueue(join(folder, 'events.db'), { ...defaultLimits, eventsPerLine });
  const made: Gateway = {
    queue,
    isMine: true,
    scheduler: new Scheduler({
      store: wrap(queue),
      isReady: () => true,
      knowsAll: () => true,
      isMine: () => made.isMine,
      isNewest: async ({ generation }) => generation === newest,
      addresseeOf: () => ({
        line,
        invokedArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
        accountId: '000000000000',
      }),
      now: clock.now,
      after: clock.after,
      onFired: () => undefined,
      onVerdict: (_mapping, problem) => void verdicts.push(problem),
      onProblem: (err) => void problems.push(String(err)),
    }),
  };
  schedulers.push(made.scheduler);
  queues.push(queue);
  made.scheduler.start();
  return made;
}

const settle = async (): Promise<void> => {
  // what one firing begins another may: a queue's answer comes in a later turn
  for (let turns = 0; turns < 3; turns += 1) {
    await Promise.all(schedulers.map((scheduler) => scheduler.whenIdle()));
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const pass = (seconds: number): Promise<void> => clock.pass(seconds, settle);

/** Takes what was fired, in order; each is settled. */
async function fired(): Promise<readonly { readonly id: string; readonly event: { readonly time?: string } }[]> {
  const [{ queue }] = [{ queue: queues.at(-1) }];
  const leased = await queue?.lease(line, { count: 1000, nowMs: clock.nowMs, leaseMs: 60_000, maxBytes: 1e9 });
  for (const { lease } of leased ?? []) await queue?.settle(lease, { kind: 'done' });
  return (leased ?? []).map(({ event }) => ({ id: event.id, event: JSON.parse(event.payload.toString()) }));
}
const times = async (): Promise<readonly (string | undefined)[]> =>
  (await fired()).map(({ event }) => event.time).sort();

test('fires what EventBridge sends, with an id of its own for each due time', async () => {
  gateway().scheduler.set('default/hourly', testMapping({}));
  await pass(2 * HOUR + 10);
  const [first, second, ...more] = await fired();
  expect(first?.event).toEqual({
    version: '0',
    id: first?.id,
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: '2026-11-22T11:00:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:events:us-east-1:000000000000:rule/hourly'],
    detail: {},
  });
  expect(second?.event).toMatchObject({ time: '2026-11-22T12:00:00Z' });
  expect(second?.id).not.toBe(first?.id);
  expect(first?.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(more).toEqual([]);
});

test('fires the input in place of it', async () => {
  gateway().scheduler.set(
    'default/hourly',
    testMapping({ expression: 'at(2026-11-22T10:00:05)', input: '{"job": 1}' }),
  );
  await pass(60);
  expect(await fired()).toMatchObject([{ event: { job: 1 } }]);
});

test('three gateways that all believe it is theirs fire each due time once', async () => {
  for (const { scheduler } of [gateway(), gateway(), gateway()]) scheduler.set('default/hourly', testMapping({}));
  await pass(3 * HOUR + 10);
  expect(await times()).toEqual(['2026-11-22T11:00:00Z', '2026-11-22T12:00:00Z', '2026-11-22T13:00:00Z']);
});

test('who takes over goes on where the other one stopped', async () => {
  const [one, two] = [gateway(), gateway()];
  two.isMine = false;
  for (const { scheduler } of [one, two]) scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR + 10);
  one.scheduler.stop(); // killed: nobody is left for two hours
  await pass(2 * HOUR);
  two.isMine = true;
  await pass(HOUR);
  expect(await times()).toEqual([11, 12, 13, 14].map((hour) => `2026-11-22T${hour}:00:00Z`));
});

test.each([
  ['Skip', ['2026-11-22T13:00:00Z']],
  ['One', ['2026-11-22T12:00:00Z', '2026-11-22T13:00:00Z']],
  ['All', ['2026-11-22T11:00:00Z', '2026-11-22T12:00:00Z', '2026-11-22T13:00:00Z']],
] as const)('what was missed while no gateway was there: %s', async (missed, want) => {
  clock.nowMs = Date.parse('2026-11-22T12:30:00Z');
  gateway().scheduler.set('default/hourly', testMapping({ missed }));
  await pass(HOUR);
  expect(await times()).toEqual(want);
});

test('a schedule that is stopped fires nothing, and has missed nothing when it goes on', async () => {
  const { scheduler } = gateway();
  scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR + 10);
  scheduler.set('default/hourly', testMapping({ missed: 'All' }, { isEnabled: false }));
  await pass(3 * HOUR);
  scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR);
  expect(await times()).toEqual(['2026-11-22T11:00:00Z', '2026-11-22T15:00:00Z']);
});

test('other terms have missed nothing', async () => {
  const { scheduler } = gateway();
  scheduler.set('default/hourly', testMapping({ expression: 'at(2030-01-01T00:00:00)', missed: 'All' }));
  await pass(HOUR + 10);
  scheduler.set('default/hourly', testMapping({ expression: 'cron(30 * * * ? *)', missed: 'All' }));
  await pass(HOUR);
  expect(await times()).toEqual(['2026-11-22T11:30:00Z']);
});

test('who has not heard of a change leaves the schedule alone until it has', async () => {
  const [one, two] = [gateway(), gateway()];
  for (const { scheduler } of [one, two]) scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR + 10);
  const stopped = testMapping({ missed: 'All' }, { isEnabled: false, generation: 2 });
  newest = 2;
  one.scheduler.set('default/hourly', stopped);
  await pass(2 * HOUR);
  expect(await times()).toEqual(['2026-11-22T11:00:00Z']);
  two.scheduler.set('default/hourly', stopped);
  const inMinutes = testMapping({ expression: 'cron(30 * * * ? *)', missed: 'All' }, { generation: 3 });
  newest = 3;
  two.scheduler.set('default/hourly', inMinutes);
  await pass(HOUR);
  one.scheduler.set('default/hourly', inMinutes);
  await pass(HOUR);
  expect(await times()).toEqual(['2026-11-22T13:30:00Z', '2026-11-22T14:30:00Z']);
});

test('a change that is not of its times has missed nothing and fires nothing twice', async () => {
  const { scheduler } = gateway();
  scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR + 10);
  scheduler.stop(); // the change is heard two hours later
  await pass(2 * HOUR);
  gateway().scheduler.set('default/hourly', testMapping({ missed: 'All' }, { generation: 2 }));
  await pass(HOUR);
  expect(await times()).toEqual([11, 12, 13, 14].map((hour) => `2026-11-22T${hour}:00:00Z`));
});

test('marks go on when the cluster has gone back, and from versions that wrote less', async () => {
  const [one, { scheduler, queue }] = [gateway(), gateway()];
  one.scheduler.set('default/hourly', testMapping({ missed: 'All' }, { generation: 7 }));
  await pass(HOUR + 10);
  one.scheduler.stop();
  scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR);
  scheduler.stop();
  const { uid } = testMapping();
  const before = (await queue.marks([uid])).get(uid) ?? '';
  expect(JSON.parse(before)).toEqual([1, expect.any(String), Date.parse('2026-11-22T12:00:00Z'), 1]);
  await queue.mark({ id: uid, before, after: JSON.stringify(JSON.parse(before).slice(0, 3)) });
  gateway().scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(HOUR);
  expect(await times()).toEqual([11, 12, 13].map((hour) => `2026-11-22T${hour}:00:00Z`));
});

test('a mapping that is gone fires nothing; its mark is removed later, those of others stay', async () => {
  const { scheduler, queue } = gateway();
  scheduler.set('default/hourly', testMapping({}));
  scheduler.set('default/other', testMapping({}, { uid: 'other', name: 'other' }));
  await pass(10);
  scheduler.set('default/hourly', null);
  await pass(HOUR);
  expect(await times()).toEqual(['2026-11-22T11:00:00Z']);
  expect(await queue.markedIds()).toEqual(['other']);
});

test('an answer that was lost neither fires twice nor leaves one out', async () => {
  let calls = 0;
  const { scheduler } = gateway((store) => ({
    marks: (ids) => store.marks(ids),
    mark: (change) => store.mark(change),
    markedIds: () => store.markedIds(),
    unmark: (ids) => store.unmark(ids),
    fire: async (event, change) => {
      calls += 1;
      const kind = calls % 3; // told, lost on the way there, lost on the way back
      if (kind === 1) return store.fire(event, change);
      if (kind === 0) await store.fire(event, change);
      throw new Error('no answer');
    },
  }));
  scheduler.set('default/hourly', testMapping({ missed: 'Skip' }));
  await pass(6 * HOUR + 30);
  expect(await times()).toEqual([11, 12, 13, 14, 15, 16].map((hour) => `2026-11-22T${hour}:00:00Z`));
  expect(problems).toContain('Error: no answer');
});

test('without room it is fired when there is', async () => {
  const { scheduler } = gateway(undefined, 1);
  scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(2 * HOUR + 10);
  expect(await times()).toEqual(['2026-11-22T11:00:00Z']);
  await pass(10);
  expect(await times()).toEqual(['2026-11-22T12:00:00Z']);
  expect(problems[0]).toMatch(/QueueFull/);
});

test('a clock that jumps by days and back fires no more than once, and does not stay silent', async () => {
  const { scheduler } = gateway();
  scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  await pass(10);
  clock.nowMs += 30 * 24 * HOUR * 1000;
  await pass(10);
  const during = await fired();
  clock.nowMs -= 30 * 24 * HOUR * 1000;
  // it is looked at again when another gateway reads the mark
  const other = gateway();
  other.scheduler.set('default/hourly', testMapping({ missed: 'All' }));
  scheduler.stop();
  await pass(2 * HOUR);
  const after = await times();
  expect(during).toHaveLength(100);
  expect(after).toEqual(['2026-11-22T11:00:00Z', '2026-11-22T12:00:00Z']);
});

test('what is wrong with a schedule is said, and others go on', async () => {
  const { scheduler } = gateway();
  scheduler.set('default/wrong', testMapping({ timezone: 'Europe/Atlantis' }, { uid: 'wrong' }));
  scheduler.set('default/broken', testMapping({ input: '{' }, { uid: 'broken' }));
  scheduler.set('default/hourly', testMapping({}));
  expect(verdicts).toEqual([
    'Europe/Atlantis is no time zone that is known here: names are like Europe/Berlin.',
    expect.stringMatching(/^input is no JSON: /),
    null,
  ]);
  await pass(HOUR);
  expect(await times()).toEqual(['2026-11-22T11:00:00Z']);
});

test('three hundred schedules that are due at once are fired, each once', async () => {
  const { scheduler } = gateway(undefined, 10_000);
  for (let n = 0; n < 300; n += 1) scheduler.set(`default/s${n}`, testMapping({}, { uid: `s${n}`, name: `s${n}` }));
  await pass(60);
  clock.nowMs = Date.parse('2026-11-22T11:00:00Z');
  await pass(60);
  const ids = (await fired()).map(({ id }) => id);
  expect([ids.length, new Set(ids).size]).toEqual([300, 300]);
});
