import { afterEach, describe, expect, test } from '@jest/globals';

import type { Position, QueueMessage, Shard, SourceRecord } from './record.ts';
import type { OpenQueue, OpenStream, ReadResult, SourceTraits } from './source.ts';

/** A queue of its own for one test. */
export interface QueueFixture {
  /** Opened; a message that is left comes back within seconds. */
  readonly queue: OpenQueue;
  /** Puts messages with these bodies into it. */
  readonly send: (...bodies: readonly string[]) => Promise<void>;
  /** Lets time pass until what is left may come back; a real server does that by itself. */
  readonly pass: () => Promise<void>;
  /** Removes it, after the test; the queue is closed by then. */
  readonly end: () => Promise<void>;
}

/** A stream of its own for one test, with one shard. */
export interface StreamFixture {
  readonly stream: OpenStream;
  /** Appends records with these bodies, of one key, to the shard. */
  readonly put: (...bodies: readonly string[]) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What a source is tested with. */
export interface ContractOptions<Fixture> {
  readonly traits: SourceTraits;
  readonly start: () => Promise<Fixture>;
  /** The body that was sent, from a record of the function's event. */
  readonly bodyOf: (record: Readonly<Record<string, unknown>>) => string;
  /** Of one test, milliseconds. */
  readonly limitMs?: number;
}

const LIMIT_MS = 60_000;
const ASK_MS = 1_000;

/** What every queue has to keep, the one in memory too. */
export function queueContract(name: string, options: ContractOptions<QueueFixture>): void {
  const { start, limitMs = LIMIT_MS } = options;
  let fixture: QueueFixture | null = null;
  afterEach(async () => {
    await fixture?.queue.close();
    await fixture?.end();
    fixture = null;
  }, limitMs);
  const check = async (_promise: string, holds: QueueCheck): Promise<void> => {
    const own = await start();
    fixture = own;
    await holds(own, {
      ...options,
      bodies: (messages) => recordsOf(own.queue.eventOf(messages)).map(options.bodyOf).sort(),
    });
  };
  describe(`${name} as a queue`, () => {
    test.each(queuePromises)('%s', check, limitMs);
  });
}

/** What every stream has to keep, the one in memory too. */
export function streamContract(name: string, options: ContractOptions<StreamFixture>): void {
  const { start, limitMs = LIMIT_MS } = options;
  let fixture: StreamFixture | null = null;
  afterEach(async () => {
    await fixture?.stream.close();
    await fixture?.end();
    fixture = null;
  }, limitMs);
  const check = async (_promise: string, holds: StreamCheck): Promise<void> => {
    const own = await start();
    fixture = own;
    const [shard] = await own.stream.shards();
    if (shard === undefined) throw new Error('a stream without shards');
    await holds(own, {
      ...options,
      shard,
      bodies: (records) => recordsOf(own.stream.eventOf(shard, records, {})).map(options.bodyOf),
    });
  };
  describe(`${name} as a stream`, () => {
    test.each(streamPromises)('%s', check, limitMs);
  });
}

interface Known<Given extends SourceRecord> {
  readonly traits: SourceTraits;
  /** Bodies of these, as the function gets them; of a queue sorted, since it promises no order. */
  readonly bodies: (records: readonly Given[]) => readonly string[];
}

type QueueCheck = (fixture: QueueFixture, known: Known<QueueMessage>) => Promise<void>;
type StreamCheck = (fixture: StreamFixture, known: Known<SourceRecord> & { readonly shard: Shard }) => Promise<void>;

const queuePromises: [promise: string, check: QueueCheck][] = [
  [
    'what was sent is received, with what a function needs',
    async ({ queue, send }, { traits, bodies }) => {
      const sent = ['plain', '{"json":[1,"ü"]}', 'x'.repeat(1_000)];
      await send(...sent);
      const messages = await receive(queue, 3);
      expect(bodies(messages)).toEqual([...sent].sort());
      expect(new Set(messages.map(({ id }) => id)).size).toBe(3);
      for (const message of messages) expectRecord(message, traits);
      for (const { receives } of messages) expect(receives).toBe(1);
      expect(await queue.settle(messages, 'delete')).toEqual([]);
    },
  ],
  [
    'no more than were asked for',
    async ({ queue, send }) => {
      await send('a', 'b', 'c');
      const messages = await receive(queue, 1, 2);
      expect(messages.length).toBeLessThanOrEqual(2);
      await queue.settle(messages, 'delete');
    },
  ],
  [
    'nothing there: nothing is received',
    async ({ queue }) => {
      expect(await queue.receive({ max: 10, waitMs: 10, signal: neverAborted() })).toEqual([]);
    },
  ],
  [
    'what is deleted never comes back, what is left does',
    async ({ queue, send, pass }, { bodies }) => {
      await send('bad', 'good');
      const messages = await receive(queue, 2);
      const bad = messages.filter((message) => bodies([message])[0] === 'bad');
      const good = messages.filter((message) => !bad.includes(message));
      expect(await queue.settle(good, 'delete')).toEqual([]);
      expect(await queue.settle(bad, 'leave')).toEqual([]);
      const again = await receive(queue, 1, 10, pass);
      expect(bodies(again)).toEqual(['bad']);
      await queue.settle(again, 'delete');
    },
  ],
  [
    'what is released comes back',
    async ({ queue, send, pass }) => {
      await send('a');
      const messages = await receive(queue, 1);
      expect(await queue.settle(messages, 'release')).toEqual([]);
      const again = await receive(queue, 1, 10, pass);
      expect(again.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
      await queue.settle(again, 'delete');
    },
  ],
  [
    'what is held can be settled afterwards',
    async ({ queue, send }) => {
      await send('a');
      const messages = await receive(queue, 1);
      expect(await queue.settle(messages, 'hold')).toEqual([]);
      expect(await queue.settle(messages, 'delete')).toEqual([]);
      expect(await queue.receive({ max: 10, waitMs: 10, signal: neverAborted() })).toEqual([]);
    },
  ],
  [
    'many at once',
    async ({ queue, send }, { bodies }) => {
      const sent = Array.from({ length: 25 }, (_, at) => `body ${String(at).padStart(2, '0')}`);
      await send(...sent);
      const messages = await receive(queue, 25);
      expect(bodies(messages)).toEqual(sent);
      expect(await queue.settle(messages, 'delete')).toEqual([]);
    },
  ],
];

const streamPromises: [promise: string, check: StreamCheck][] = [
  [
    'what was put is read in order, with what a function needs',
    async ({ stream, put }, { shard, traits, bodies }) => {
      const sent = ['plain', '{"json":[1,"ü"]}', 'x'.repeat(1_000)];
      await put(...sent);
      const { records, next } = await read(stream, shard, { kind: 'start' }, 3);
      expect(bodies(records)).toEqual(sent);
      expect(new Set(records.map(({ id }) => id)).size).toBe(3);
      for (const record of records) expectRecord(record, traits);
      for (const { key } of records) expect(key).toBe(records[0]?.key);
      expect(next).toEqual({ kind: 'after', id: records.at(-1)?.id });
    },
  ],
  [
    'reading goes on behind any record, as often as asked',
    async ({ stream, put }, { shard, bodies }) => {
      const sent = ['a', 'b', 'c', 'd'];
      await put(...sent);
      const { records } = await read(stream, shard, { kind: 'start' }, 4);
      for (const [at, record] of records.slice(0, -1).entries()) {
        const rest = await read(stream, shard, { kind: 'after', id: record.id }, 3 - at);
        expect(bodies(rest.records)).toEqual(sent.slice(at + 1));
      }
    },
  ],
  [
    'no more than were asked for, and the rest with the next read',
    async ({ stream, put }, { shard, bodies }) => {
      await put('a', 'b', 'c');
      const first = await read(stream, shard, { kind: 'start' }, 1, 2);
      expect(first.records.length).toBeLessThanOrEqual(2);
      const second = await read(stream, shard, first.next, 3 - first.records.length);
      expect(bodies([...first.records, ...second.records])).toEqual(['a', 'b', 'c']);
    },
  ],
  [
    'at the end there is nothing, and it is no end for ever',
    async ({ stream, put }, { shard, bodies }) => {
      await put('a');
      const { next } = await read(stream, shard, { kind: 'start' }, 1);
      const empty = await stream.read({ shard, from: next, max: 10, waitMs: 10, signal: neverAborted() });
      expect(empty).toMatchObject({ records: [], isEnd: false });
      await put('b');
      expect(bodies((await read(stream, shard, empty.next, 1)).records)).toEqual(['b']);
    },
  ],
  [
    'since a time before them: all',
    async ({ stream, put }, { shard, bodies }) => {
      await put('a', 'b');
      expect(bodies((await read(stream, shard, { kind: 'since', ms: 0 }, 2)).records)).toEqual(['a', 'b']);
    },
  ],
  [
    'members of windows stand beside the records, and a batch can be told of',
    async ({ stream, put }, { shard }) => {
      await put('a');
      const { records } = await read(stream, shard, { kind: 'start' }, 1);
      const window = { isFinalInvokeForWindow: true, state: { n: 1 } };
      expect(JSON.parse(stream.eventOf(shard, records, window))).toMatchObject(window);
      const [batchName, members] = stream.infoOf(shard, records);
      expect(batchName).toMatch(/^[A-Z]\w+BatchInfo$/);
      expect(members['batchSize']).toBe(1);
    },
  ],
];

/** At least so many, over several receives. */
async function receive(
  queue: OpenQueue,
  count: number,
  max = 10,
  pass: () => Promise<void> = async () => undefined,
): Promise<readonly QueueMessage[]> {
  const messages: QueueMessage[] = [];
  while (messages.length < count) {
    messages.push(...(await queue.receive({ max, waitMs: ASK_MS, signal: neverAborted() })));
    if (messages.length < count) await pass();
  }
  return messages;
}

/** At least so many, over several reads. */
async function read(stream: OpenStream, shard: Shard, from: Position, count: number, max = 100): Promise<ReadResult> {
  const records: SourceRecord[] = [];
  let position = from;
  for (;;) {
    const result = await stream.read({ shard, from: position, max, waitMs: ASK_MS, signal: neverAborted() });
    records.push(...result.records);
    position = result.next;
    if (records.length >= count) return { ...result, records };
  }
}

function expectRecord(record: SourceRecord, { dataKeys }: SourceTraits): void {
  expect(record.bytes).toBe(Buffer.byteLength(record.text));
  expect(typeof JSON.parse(record.text)).toBe('object');
  expect(Number.isFinite(record.arrivedMs)).toBe(true);
  const { data, metadata } = record.filterable();
  for (const key of Object.keys(data)) expect(dataKeys).toContain(key);
  for (const key of Object.keys(metadata)) expect(dataKeys).not.toContain(key);
}

/** All records of an event, of sources that have them in a list, and of those that have them by topic or queue. */
function recordsOf(event: string): readonly Readonly<Record<string, unknown>>[] {
  const value = JSON.parse(event);
  return value.Records ?? Object.values(value.records ?? value.rmqMessagesByQueue).flat();
}

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}
