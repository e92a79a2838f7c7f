import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';

import { checkpointText, parseCheckpoint } from '../checkpoints/checkpoint.ts';
import { mappingView } from '../mapping/testing-view.ts';
import { findStuck } from '../owner/plan-watch.ts';
import { SourceProblem } from '../source-problem.ts';
import { FakeStream } from '../testing-source.ts';
import { MAX_HELD_BYTES } from './plan-share.ts';
import { StreamPoller } from './stream-poller.ts';
import { failed, PollerWorld, ran, refused, reported, testShard } from './testing-poller.ts';
import { sourceRecord } from './testing-records.ts';

let world: PollerWorld;
let stream: FakeStream;
/** What is kept of the shard. */
let kept: string | null;
/** Answers to saves: 'lost' = somebody else has the shard. */
let store: 'well' | 'away' | 'lost';
const pollers: StreamPoller[] = [];

beforeEach(() => {
  world = new PollerWorld();
  stream = new FakeStream();
  stream.add(testShard.id);
  kept = null;
  store = 'well';
});
afterEach(() => {
  for (const poller of pollers.splice(0)) poller.abandon();
});

function start(
  spec: Partial<EventSourceMappingSpec> = {},
  over: Parameters<PollerWorld['deps']>[0] = {},
): StreamPoller {
  const mapping = mappingView({ startingPosition: 'TRIM_HORIZON', batchSize: 3, ...spec });
  const poller: StreamPoller = new StreamPoller(world.deps({ mapping, ...over }), stream, {
    checkpoint: kept,
    tell: world.tell,
    ahead: world.rooms.ahead(),
    onEnd: () => undefined,
    save: async (text) => {
      if (store === 'away') throw new Error('the store is away');
      if (store === 'lost') {
        poller.abandon();
        return false;
      }
      kept = text;
      return true;
    },
  });
  pollers.push(poller);
  return poller;
}

const put = (ids: string, over: Parameters<typeof sourceRecord>[1] = {}): void =>
  stream.put(testShard.id, ...[...ids].map((id) => sourceRecord(id, { arrivedMs: world.clock.now(), ...over })));
const batches = (): string[] => world.batches.map((ids) => ids.join(''));
/** The last record before which all has ended. */
const mark = (): string | null => {
  const position = kept === null ? null : parseCheckpoint(kept).position;
  return position?.kind === 'after' ? position.id : null;
};
const until = (holds: () => boolean): Promise<void> => world.clock.until(holds);

describe('what is read', () => {
  test('is given in order and in batches, and the checkpoint follows', async () => {
    put('abcdefgh');
    start();
    await until(() => mark() === 'h');
    expect(batches()).toEqual(['abc', 'def', 'gh']);
  });

  test('waits for more as long as the window says', async () => {
    start({ maximumBatchingWindowSeconds: 20 });
    put('a');
    await until(() => world.counts.polled === 1);
    const readMs = world.clock.nowMs();
    await until(() => world.batches.length === 1);
    expect(world.clock.nowMs() - readMs).toBe(20_000);
  });

  test('goes on where the checkpoint is', async () => {
    put('abcdef');
    kept = checkpointText({ position: { kind: 'after', id: 'c' }, isEnd: false, trials: [], window: null });
    start();
    await until(() => mark() === 'f');
    expect(batches()).toEqual(['def']);
  });

  test('is passed over when no filter wants it, and the checkpoint moves', async () => {
    put('abcdef');
    start({}, { filter: ({ filterable }) => ['b', 'e'].includes(String(filterable().metadata['id'])) });
    await until(() => mark() === 'f');
    expect(batches().join('')).toBe('be');
    expect(world.counts.filteredOut).toBe(4);
  });

  test('does not begin with a checkpoint of a newer version', async () => {
    put('a');
    kept = '{"version":9}';
    start();
    await until(() => world.problems.length > 0);
    expect(world.problems[0]?.message).toContain('a newer version of Kappa');
    expect(world.batches).toEqual([]);
  });

  test('is the oldest when its place is gone, which is told', async () => {
    put('abc');
    kept = checkpointText({ position: { kind: 'after', id: 'b' }, isEnd: false, trials: [], window: null });
    stream.nextError = new SourceProblem('PositionLost', 'it is trimmed');
    start();
    await until(() => mark() === 'c');
    expect(batches()).toEqual(['abc']);
    expect(world.problems.map((problem) => problem?.reason)).toEqual(['PositionLost']);
  });

  test('is read again after a pause when the source is away', async () => {
    put('a');
    stream.nextError = new Error('connection refused');
    start();
    await until(() => mark() === 'a');
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(1_000);
  });

  test('ends with the shard, once all has ended', async () => {
    put('abcd');
    stream.end(testShard.id);
    start();
    await until(() => kept !== null && parseCheckpoint(kept).isEnd);
    expect(batches()).toEqual(['abc', 'd']);
  });
});

describe('what fails', () => {
  test('comes again before anything later, with longer pauses, and in the end it is given up', async () => {
    put('abcdef');
    world.answer = (ids) => (ids.includes('a') ? failed : ran());
    start({ maximumRetryAttempts: 2 });
    await until(() => mark() === 'f');
    expect(batches()).toEqual(['abc', 'abc', 'abc', 'def']);
    expect(world.results).toEqual(['functionFailed', 'functionFailed', 'gaveUp', 'ok']);
    expect(world.counts.dropped).toBe(3);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(300);
  });

  test('is halved until the one that fails stands alone', async () => {
    put('abcd');
    world.answer = (ids) => (ids.includes('c') ? failed : ran());
    start({ batchSize: 4, bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 });
    await until(() => mark() === 'd');
    expect(batches()).toEqual(['abcd', 'ab', 'cd', 'c', 'c', 'd']);
    expect(world.counts.dropped).toBe(1);
  });

  test('is all from the first that the function names', async () => {
    put('abc');
    world.answer = (ids) => (ids.includes('a') ? reported('b') : ran());
    start({ reportBatchItemFailures: true });
    await until(() => mark() === 'c');
    expect(batches()).toEqual(['abc', 'bc']);
  });

  test('is not counted while there is no capacity', async () => {
    put('abc');
    let refusals = 20;
    world.answer = () => (refusals-- > 0 ? refused : ran());
    start({ maximumRetryAttempts: 0 });
    await until(() => mark() === 'c');
    expect(batches()).toHaveLength(21);
    expect(world.counts.dropped).toBe(0);
  });

  test('is given up when it is too old, before it is tried once more', async () => {
    put('ab', { arrivedMs: 0 });
    put('c');
    start({ maximumRecordAgeSeconds: 60 });
    await until(() => mark() === 'c');
    expect(batches()).toEqual(['c']);
    expect(world.results).toEqual(['gaveUp', 'ok']);
  });

  test('keeps its count when another gateway goes on', async () => {
    put('abcdef');
    world.answer = (ids) => (ids.includes('a') ? failed : ran());
    const first = start({ maximumRetryAttempts: 3 });
    await until(() => world.batches.length === 2);
    await world.clock.until(() => kept?.includes('"attempts":2') === true);
    await world.clock.settled(first.giveUp());
    const before = world.batches.length;
    start({ maximumRetryAttempts: 3 });
    await until(() => mark() === 'f');
    expect(batches().filter((ids) => ids === 'abc')).toHaveLength(4);
    expect(batches().slice(before).join(' ')).toMatch(/^(abc ){1,2}def$/);
  });
});

describe('an event that is larger than it may be', () => {
  const large = (id: string, mib: number): string => JSON.stringify({ id, pad: 'x'.repeat(mib * 1024 * 1024) });

  test('is halved until it fits, and only a record that does not fit alone is given up', async () => {
    for (const [id, mib] of [
      ['a', 1],
      ['b', 3],
      ['c', 3],
      ['d', 7],
      ['e', 1],
    ] as const)
      put(id, { text: large(id, mib), bytes: 100 });
    start({ batchSize: 5 });
    await until(() => mark() === 'e');
    expect(batches()).toEqual(['ab', 'c', 'e']);
    expect(world.results).toEqual(['ok', 'ok', 'gaveUp', 'ok']);
    expect(world.counts.dropped).toBe(1);
  });

  test('is made smaller by the bytes of the state of its window', async () => {
    put('a');
    world.answer = () => ran({ state: '€'.repeat(349_000) });
    start({ tumblingWindowSeconds: 900 });
    await until(() => mark() === 'a');
    for (const id of ['b', 'c']) put(id, { text: large(id, 2.6) });
    await until(() => mark() === 'c');
    expect(batches().slice(0, 3)).toEqual(['a', 'b', 'c']);
    expect(world.counts.dropped).toBe(0);
  });
});

describe('who is to be told of what was given up', () => {
  const spec = { onFailure: 'arn:aws:sqs:us-east-1:000000000000:dead', maximumRetryAttempts: 0 };

  test('is told before the checkpoint passes it, however long that takes', async () => {
    put('abcd');
    world.answer = (ids) => (ids.includes('a') ? failed : ran());
    world.deafFor = 3;
    start(spec);
    await until(() => world.deafFor === 1);
    expect(mark()).toBeNull();
    expect(world.batches).toHaveLength(1);
    await until(() => mark() === 'd');
    expect(world.told).toMatchObject([
      { condition: 'RetryAttemptsExhausted', invokeCount: 1, shard: testShard, executedVersion: '$LATEST' },
    ]);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(7_000);
    expect(world.counts).toMatchObject({ told: 3, dropped: 0 });
  });

  test('is told by the next gateway when this one ends meanwhile, and the function is not asked again', async () => {
    put('abc');
    world.answer = () => failed;
    world.deafFor = 1;
    const first = start(spec);
    await until(() => world.deafFor === 0);
    await world.clock.settled(first.giveUp());
    expect(mark()).toBeNull();
    start(spec);
    await until(() => mark() === 'c');
    expect(world.batches).toHaveLength(1);
    expect(world.told).toHaveLength(1);
  });
});

describe('lanes', () => {
  test('of one shard run at once, each key in its order, and a slow one holds up no other', async () => {
    const letGo = Promise.withResolvers<void>();
    for (const id of ['a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
      stream.put(testShard.id, sourceRecord(id, { key: id.charAt(0) }));
    world.answer = async (ids) => {
      if (ids.includes('a1')) await letGo.promise;
      return ran();
    };
    start({ parallelizationFactor: 10, batchSize: 1 });
    const done = (): string[] => world.batches.flat();
    await until(() => ['b1', 'b2', 'c1', 'c2'].every((id) => done().includes(id)));
    expect(done()).not.toContain('a2');
    expect(mark()).toBeNull();
    letGo.resolve();
    await until(() => mark() === 'c2');
    for (const key of ['a', 'b', 'c']) expect(done().indexOf(`${key}1`)).toBeLessThan(done().indexOf(`${key}2`));
  });

  test('reading goes no further than it may while the function does not get on', async () => {
    put('abcdefghijklmnopqrstuvwxyz');
    world.answer = () => failed;
    start();
    await until(() => world.batches.length === 5);
    expect(world.counts.polled).toBeLessThanOrEqual(3 * 4);
  });
});

test('a shard reads little ahead while others have all the memory, and gives back what it had', async () => {
  for (const id of 'abcdefghij') put(id, { key: id, bytes: 512 * 1024 });
  world.answer = () => failed;
  const others = world.rooms.ahead();
  others.set(MAX_HELD_BYTES);
  const poller = start({ parallelizationFactor: 10, batchSize: 1 });
  await until(() => world.batches.length > 20);
  expect(world.counts.polled).toBe(2);
  others.set(0);
  await until(() => world.counts.polled === 10);
  others.set(MAX_HELD_BYTES - 4 * 1024 * 1024);
  const probe = world.rooms.ahead();
  probe.set(2 * 1024 * 1024);
  expect(probe.mayGrow()).toBe(false);
  poller.abandon();
  expect(probe.mayGrow()).toBe(true);
});

describe('the end of a poller', () => {
  test('given up: what runs ends and is saved, and nothing is begun', async () => {
    put('abcdef');
    const letGo = Promise.withResolvers<void>();
    world.answer = async () => {
      await letGo.promise;
      return ran();
    };
    const poller = start();
    await until(() => world.batches.length === 1);
    const gone = poller.giveUp();
    letGo.resolve();
    await world.clock.settled(gone);
    expect(mark()).toBe('c');
    expect(world.batches).toHaveLength(1);
    expect(poller.runningCount).toBe(0);
    expect(world.running).toBe(0);
  });

  test('abandoned: nothing is saved any more', async () => {
    put('abc');
    const letGo = Promise.withResolvers<void>();
    world.answer = async () => {
      await letGo.promise;
      return ran();
    };
    const poller = start();
    await until(() => world.batches.length === 1);
    poller.abandon();
    letGo.resolve();
    await until(() => world.running === 0);
    expect(kept).toBeNull();
    expect(world.clock.sleeping).toBe(0);
  });

  test('the shard is somebody else’s: it stops', async () => {
    put('abcdefghi');
    store = 'lost';
    start();
    await until(() => world.clock.sleeping === 0);
    expect(kept).toBeNull();
  });

  test.each([
    ['the claim has become old', 'abc'],
    ['the claim is lost', ''],
  ])('while a batch waited for room %s: it is not begun before all is well', async (what, want) => {
    put('abc');
    const free = Promise.withResolvers<void>();
    const deps = world.deps();
    const takeRoom: typeof deps.takeRoom = async (...args) => {
      asked += 1;
      await free.promise;
      return deps.takeRoom(...args);
    };
    let asked = 0;
    const poller = start({}, { takeRoom });
    await until(() => asked === 1);
    if (what === 'the claim is lost') poller.abandon();
    else world.isClaimYoung = false;
    free.resolve();
    await world.clock.pass(10_000);
    expect([world.batches, world.running]).toEqual([[], 0]);
    world.isClaimYoung = true;
    await world.clock.pass(10_000);
    expect(batches().join()).toBe(want);
  });

  test('the store is away for a while: the checkpoint is kept when it is back', async () => {
    put('abc');
    store = 'away';
    start();
    await until(() => world.batches.length === 1);
    await world.clock.pass(5_000);
    store = 'well';
    await until(() => mark() === 'c');
    expect(batches()).toEqual(['abc']);
  });
});

describe('the watchdog leaves alone', () => {
  const stuck = (poller: StreamPoller): readonly string[] => findStuck(poller.watched, world.clock.nowMs());
  const runLong = async () => {
    await world.clock.sleep(600_000, new AbortController().signal);
    return ran();
  };

  test('a poller that is given up while a batch of one lane runs for long', async () => {
    put('abc', { key: 'k' });
    world.answer = runLong;
    const poller = start({ parallelizationFactor: 3 });
    await until(() => world.batches.length === 1);
    const gone = poller.giveUp();
    await world.clock.pass(590_000);
    expect(stuck(poller)).toEqual([]);
    await world.clock.settled(gone);
    expect(mark()).toBe('c');
  });

  test('a shard that is read to its end while its last batch runs for long', async () => {
    put('abc');
    stream.end(testShard.id);
    world.answer = runLong;
    const poller = start();
    await until(() => world.batches.length === 1);
    await world.clock.pass(590_000);
    expect(stuck(poller)).toEqual([]);
  });

  test('a shard whose checkpoint cannot be understood', async () => {
    kept = '{"version":9}';
    const poller = start();
    await until(() => world.problems.length > 0);
    await world.clock.pass(60_000);
    expect(stuck(poller)).toEqual([]);
  });
});

describe('tumbling windows', () => {
  const spec = { tumblingWindowSeconds: 60 };
  const counting = (_ids: readonly string[], event: Readonly<Record<string, unknown>>) => {
    const state = event['state'] as { n?: number };
    return ran({ state: { n: (state.n ?? 0) + (event['Records'] as unknown[]).length } });
  };
  const shown = (): string[] =>
    world.events.map(
      (event) =>
        `${(event['Records'] as { id: string }[]).map(({ id }) => id).join('')} ${JSON.stringify(event['state'])}${event['isFinalInvokeForWindow'] === true ? ' final' : ''}`,
    );
  const at = (second: number) => ({ arrivedMs: 1_200_000 + second * 1_000 });

  test('state goes from call to call, and a later record ends the window', async () => {
    put('abcd', at(1));
    put('e', at(61));
    world.answer = counting;
    start(spec);
    await until(() => mark() === 'e');
    expect(shown().slice(0, 3)).toEqual(['abc {}', 'd {"n":3} final', 'e {}']);
  });

  test('the time ends it, too, and state survives a hand-over', async () => {
    world.clock.wallMs = 1_200_000;
    put('ab', at(0));
    world.answer = counting;
    const first = start(spec);
    await until(() => mark() === 'b');
    await world.clock.settled(first.giveUp());
    start(spec);
    await until(() => world.batches.length === 2);
    expect(shown()).toEqual(['ab {}', ' {"n":2} final']);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(60_000);
  });

  test('the last call of a window is not made again by who goes on from the first checkpoint behind it', async () => {
    put('a', at(1));
    put('b', at(61));
    world.answer = counting;
    const first = start(spec);
    await until(() => mark() === 'a');
    first.abandon();
    start(spec);
    await until(() => mark() === 'b');
    expect(shown().filter((each) => each.endsWith('final'))).toEqual(['a {} final']);
  });

  test('an answer without a state has failed', async () => {
    put('a', at(0));
    let calls = 0;
    world.answer = (ids, event) => (calls++ === 0 ? ran({}) : counting(ids, event));
    start(spec);
    await until(() => mark() === 'a');
    expect(batches().slice(0, 2)).toEqual(['a', 'a']);
  });
});
