import { expect, test } from '@jest/globals';

import { Shipper, type ShipResult, type ShipStream } from './shipper.ts';
import { packLines } from './testing.ts';

const to: ShipStream = { endpoint: 'http://logs', group: '/aws/lambda/hello', stream: 's' };
const linesOf = (count: number, text = 'x', atMs = (n: number) => n) => ({
  stream: 's',
  first: 0,
  entries: packLines(Array.from({ length: count }, (_, n) => ({ atMs: atMs(n), text }))),
});

/** A server that answers `results` in turn, then stores; and a clock whose timers go off when told. */
function rig(...results: readonly ShipResult['kind'][]) {
  return rejectingRig(0, ...results);
}

/** @param rejected of each batch that is stored */
function rejectingRig(rejected: number, ...results: readonly ShipResult['kind'][]) {
  const batches: { size: number; stream: string }[] = [];
  const underWay = { now: 0, most: 0 };
  const drops: string[] = [];
  const pauses: number[] = [];
  const answers = [...results];
  let timers: (() => void)[] = [];
  const shipper = new Shipper({
    send: async ({ stream }, events) => {
      batches.push({ size: events.length, stream });
      underWay.now += 1;
      underWay.most = Math.max(underWay.most, underWay.now);
      await new Promise((resolve) => setImmediate(resolve));
      underWay.now -= 1;
      const kind = answers.shift() ?? 'stored';
      return kind === 'stored' ? { kind, rejected } : { kind, why: 'test' };
    },
    after: (ms, then) => {
      pauses.push(ms);
      timers.push(then);
    },
    onDropped: (why) => drops.push(why),
  });
  /** Lets timers go off, and what they begin end, until none is left. */
  const run = async (): Promise<void> => {
    while (timers.length > 0 || underWay.now > 0) {
      const due = timers;
      timers = [];
      for (const timer of due) timer();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { shipper, batches, drops, pauses, underWay, run };
}

test('lines of a moment go in one batch', async () => {
  const { shipper, batches, run } = rig();
  shipper.take(to, linesOf(2));
  shipper.take(to, linesOf(3));
  expect(shipper.stats().pendingBytes).toBe(5 * 27);
  await run();
  expect(batches).toEqual([{ size: 5, stream: 's' }]);
  expect(shipper.stats()).toEqual({ shipped: 5, dropped: 0, pendingBytes: 0 });
});

test.each<[what: string, lines: ReturnType<typeof linesOf>, sizes: number[]]>([
  ['10,000 events', linesOf(10_001), [10_000, 1]],
  ['1 MiB, 26 bytes more for each', linesOf(5, 'x'.repeat(262_144 - 26)), [4, 1]],
  ['24 hours', linesOf(3, 'x', (n) => n * 13 * 3_600_000), [2, 1]],
])('a batch has at most %s', async (_what, lines, sizes) => {
  const { shipper, batches, run } = rig();
  shipper.take(to, lines);
  await run();
  expect(batches.map(({ size }) => size)).toEqual(sizes);
  expect(shipper.stats().dropped).toBe(0);
});

test('a server that is away is tried again, with growing pauses, in order', async () => {
  const { shipper, batches, pauses, run } = rig('again', 'again');
  shipper.take(to, linesOf(2));
  await run();
  expect(batches.map(({ size }) => size)).toEqual([2, 2, 2]);
  expect(pauses.filter((ms) => ms !== 1000)).toEqual([500]);
  expect(pauses).toContain(1000);
  expect(shipper.stats()).toEqual({ shipped: 2, dropped: 0, pendingBytes: 0 });
});

test('tries are bounded, and what is refused is not tried again', async () => {
  const away = rig(...Array.from({ length: 12 }, () => 'again' as const));
  away.shipper.take(to, linesOf(2));
  await away.run();
  expect(away.batches).toHaveLength(12);
  expect(away.pauses.filter((ms) => ms === 8000)).toHaveLength(7);
  expect(away.shipper.stats()).toEqual({ shipped: 0, dropped: 2, pendingBytes: 0 });
  const refusing = rig('refused');
  refusing.shipper.take(to, linesOf(2));
  await refusing.run();
  expect(refusing.batches).toHaveLength(1);
  expect(refusing.drops).toEqual(['test']);
  expect(refusing.shipper.stats().dropped).toBe(2);
});

test('what waits is bounded', async () => {
  const { shipper, drops, run } = rig();
  for (let n = 0; n < 20; n += 1) shipper.take(to, linesOf(4, 'x'.repeat(255 * 1024)));
  expect(shipper.stats().pendingBytes).toBeLessThanOrEqual(8 * 1024 * 1024); // the other half is for other endpoints
  expect(drops.length).toBeGreaterThan(40);
  const dropped = drops.length;
  for (const endpoint of ['http://other', 'http://third'])
    for (let n = 0; n < 20; n += 1) shipper.take({ ...to, endpoint }, linesOf(1, 'x'.repeat(255 * 1024)));
  expect(drops).toHaveLength(dropped + 8); // of the third, whose half is not all there
  expect(shipper.stats().pendingBytes).toBeLessThanOrEqual(16 * 1024 * 1024);
  await run();
  expect(shipper.stats()).toEqual({ shipped: 120 - drops.length, dropped: drops.length, pendingBytes: 0 });
});

test('what could be no stream, and frames without a line, leave nothing behind', async () => {
  const { shipper, pauses, batches } = rig();
  shipper.take({ ...to, stream: 'a:b*' }, linesOf(1));
  shipper.take(to, { stream: 's', first: 0, entries: Buffer.alloc(11) });
  expect([pauses, batches, shipper.stats()]).toEqual([[], [], { shipped: 0, dropped: 0, pendingBytes: 0 }]);
});

test('streams that wait are bounded', () => {
  const { shipper, drops } = rig();
  for (let n = 0; n < 10_002; n += 1) shipper.take({ ...to, stream: `s${n}` }, linesOf(1));
  shipper.take({ ...to, stream: 's0' }, linesOf(1));
  expect(drops).toEqual(['too many streams wait', 'too many streams wait']);
  expect(shipper.stats().pendingBytes).toBe(10_001 * 27);
});

test('what a server rejects of a batch is dropped', async () => {
  const { shipper, drops, run } = rejectingRig(2);
  shipper.take(to, linesOf(5));
  await run();
  expect(drops).toEqual(['too old, or too new']);
  expect(shipper.stats()).toEqual({ shipped: 3, dropped: 2, pendingBytes: 0 });
});

test('streams take turns', async () => {
  const { shipper, batches, run } = rig();
  for (let n = 0; n < 12; n += 1) shipper.take({ ...to, stream: `s${n}` }, linesOf(10_001));
  await run();
  expect(new Set(batches.slice(0, 12).map(({ stream }) => stream)).size).toBe(12);
  expect(batches).toHaveLength(24);
});

test('many streams go a few at a time, and all arrive', async () => {
  const { shipper, batches, underWay, run } = rig();
  for (let n = 0; n < 50; n += 1) shipper.take({ ...to, stream: `s${n}` }, linesOf(1));
  await run();
  expect(new Set(batches.map(({ stream }) => stream)).size).toBe(50);
  expect(underWay.most).toBe(4); // half of all: the others are for other endpoints
  for (let n = 0; n < 50; n += 1) shipper.take({ ...to, endpoint: `http://${n % 2}`, stream: `s${n}` }, linesOf(1));
  await run();
  expect(underWay.most).toBe(8);
  expect(shipper.stats()).toEqual({ shipped: 100, dropped: 0, pendingBytes: 0 });
});
