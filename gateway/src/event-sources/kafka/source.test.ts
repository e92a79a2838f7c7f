import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { Position } from '../record.ts';
import type { BatchInfo } from '../source.ts';
import { streamContract } from '../source-contract.ts';
import { kafka } from './source.ts';
import { bodies, bodyOf, oldest, read, readOnce, shardOf, TestTopics, values } from './testing-topics.ts';

/* Topics of Kafka 4.1, the real one. */

const installMs = 600_000;
const limitMs = 240_000;
let topics: TestTopics;

beforeAll(async () => {
  topics = await TestTopics.start();
}, installMs);
afterAll(async () => {
  await topics?.close();
}, limitMs);

streamContract('Kafka', {
  traits: kafka.traits,
  bodyOf,
  start: async () => {
    const topic = await topics.make();
    return {
      stream: await topics.open(topic),
      put: async (...texts) =>
        topics.put(topic, ...values(...texts).map((one) => ({ ...one, key: Buffer.from('key') }))),
      end: async () => topics.admin.deleteTopics({ topics: [topic] }),
    };
  },
});

test(
  'an event as on Lambda',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    const headers = new Map([
      [Buffer.from('trace'), Buffer.from('ë')],
      [Buffer.from('empty'), Buffer.alloc(0)],
    ]);
    await topics.put(
      topic,
      { key: Buffer.from('k'), value: Buffer.from('v'), headers, timestamp: 1_700_000_000_123n },
      { value: Buffer.from('w') },
    );
    const { records } = await read(stream, oldest, 2);
    const common = { topic, partition: 0, timestampType: 'CREATE_TIME' };
    expect(JSON.parse(stream.eventOf(shardOf(0), records, {}))).toEqual({
      eventSource: 'SelfManagedKafka',
      bootstrapServers: topics.broker.address,
      records: {
        [`${topic}-0`]: [
          {
            ...common,
            offset: 0,
            timestamp: 1_700_000_000_123,
            key: 'aw==',
            value: 'dg==',
            headers: [{ trace: [-61, -85] }, { empty: [] }],
          },
          { ...common, offset: 1, timestamp: expect.any(Number), value: 'dw==', headers: [] },
        ],
      },
    });
    expect(records.map(({ id }) => id)).toEqual([`${topic}-0:0`, `${topic}-0:1`]);
    const [name, info] = stream.infoOf(shardOf(0), records);
    expect([name, info]).toEqual([
      'KafkaBatchInfo',
      {
        batchSize: 2,
        bootstrapServers: topics.broker.address,
        payloadSize: Buffer.byteLength(stream.eventOf(shardOf(0), records, {})),
        recordsInfo: {
          [`${topic}-0`]: {
            firstRecordOffset: '0',
            lastRecordOffset: '1',
            firstRecordTimestamp: '2023-11-14T22:13:20.123Z',
            lastRecordTimestamp: expect.stringMatching(/Z$/),
          },
        },
      },
    ]);
    await stream.close();
  },
  limitMs,
);

test(
  'the time at which the broker wrote a record, where the topic wants it so',
  async () => {
    const topic = await topics.make(1, { 'message.timestamp.type': 'LogAppendTime' });
    const stream = await topics.open(topic);
    await topics.put(topic, { timestamp: 5n });
    const { records } = await read(stream, oldest, 1);
    const record = JSON.parse(records[0]?.text ?? '');
    expect(record).toMatchObject({ timestampType: 'LOG_APPEND_TIME' });
    expect(record.timestamp).toBeGreaterThan(5);
    await stream.close();
  },
  limitMs,
);

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'records that were compressed by %s',
  async (compression) => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    await topics.send({ compression }, topic, ...values('a', 'b'.repeat(5_000)));
    expect(bodies((await read(stream, oldest, 2)).records)).toEqual(['a', 'b'.repeat(5_000)]);
    await stream.close();
  },
  limitMs,
);

test(
  'a record of 2 MB',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    const large = 'x'.repeat(2_000_000);
    await topics.put(topic, ...values('before'));
    await topics.put(topic, ...values(large));
    await topics.put(topic, ...values('after'));
    expect(bodies((await read(stream, oldest, 3)).records)).toEqual(['before', large, 'after']);
    await stream.close();
  },
  limitMs,
);

test(
  'begins at a time, and at the end there is nothing before the next record',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    for (const ms of [1_000n, 2_000n, 3_000n])
      await topics.put(topic, { value: Buffer.from(String(ms)), timestamp: ms });
    expect(bodies((await read(stream, { kind: 'since', ms: 2_000 }, 2)).records)).toEqual(['2000', '3000']);
    const latest = await readOnce(stream, { kind: 'since', ms: 4_000 });
    expect(latest).toMatchObject({
      records: [],
      next: { kind: 'after', id: `${topic}-0:2` },
      behindRecords: 0,
      behindMs: 0,
    });
    await topics.put(topic, { value: Buffer.from('late'), timestamp: 1_500n }); // by a clock that is behind: it came after all the same
    expect(bodies((await read(stream, latest.next, 1)).records)).toEqual(['late']);
    await stream.close();
  },
  limitMs,
);

test(
  'says how many are unread',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    await topics.put(topic, ...values('a', 'b', 'c'));
    expect(await readOnce(stream, oldest, 0, 1)).toMatchObject({ behindRecords: 2, behindMs: null });
    await stream.close();
  },
  limitMs,
);

test(
  'what an aborted transaction wrote is never seen, and no marker is',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    const client = topics.broker.producer({ idempotent: true, transactionalId: 'orders' });
    for (const [body, ending] of [
      ['lost', 'abort'],
      ['kept', 'commit'],
      ['lost too', 'abort'],
    ] as const) {
      const transaction = await client.beginTransaction();
      await transaction.send({ messages: [{ topic, partition: 0, value: Buffer.from(body) }] });
      await transaction[ending]();
    }
    await client.close();
    await topics.put(topic, ...values('plain'));
    const { records, next } = await read(stream, oldest, 2);
    expect(bodies(records)).toEqual(['kept', 'plain']);
    expect(await readOnce(stream, next)).toMatchObject({ records: [], behindRecords: 0 });
    await stream.close();
  },
  limitMs,
);

test(
  'each partition in its order, also those that were added, and idle ones hold none up',
  async () => {
    const topic = await topics.make(2);
    const stream = await topics.open(topic);
    expect(await stream.shards()).toEqual([shardOf(0), shardOf(1)]);
    const assignments = Array.from({ length: 18 }, () => ({ brokerIds: [1] }));
    await topics.admin.createPartitions({ topics: [{ name: topic, count: 20, assignments }] });
    let shards = await stream.shards();
    while (shards.length < 20) shards = await stream.shards();
    const all = Promise.all(shards.map(({ id }) => readOnce(stream, oldest, Number(id)).catch(() => null)));
    await all; // idle, in few connections
    const numbers = Array.from({ length: 200 }, (_, at) => String(at));
    await topics.put(topic, ...numbers.map((text, at) => ({ value: Buffer.from(text), partition: at % 20 })));
    const results = await Promise.all(shards.map(({ id }) => read(stream, oldest, 10, Number(id))));
    for (const [at, { records }] of results.entries())
      expect(bodies(records)).toEqual(numbers.filter((text) => Number(text) % 20 === at));
    await stream.close();
  },
  limitMs,
);

test(
  'a group that has read before says where to begin, and its lag is shown by the tool of Kafka',
  async () => {
    const topic = await topics.make(2);
    const stream = await topics.open(topic, { kafka: { consumerGroupId: 'billing' } });
    await topics.put(topic, ...values('a', 'b', 'c', 'd', 'e'));
    expect(await stream.committed?.(shardOf(0))).toBeNull();
    const { records } = await read(stream, oldest, 5);
    stream.onCheckpoint?.(shardOf(0), { kind: 'after', id: records[0]?.id ?? '' });
    stream.onCheckpoint?.(shardOf(0), { kind: 'after', id: records[2]?.id ?? '' });
    await stream.close(); // what is under way is written
    expect(await topics.broker.describeGroup('billing')).toContainEqual([topic, '0', '3', '5', '2']);
    const again = await topics.open(topic, { kafka: { consumerGroupId: 'billing' } });
    const place = await again.committed?.(shardOf(0));
    expect(bodies((await read(again, place ?? oldest, 2)).records)).toEqual(['d', 'e']);
    await again.close();
    // A checkpoint that its writer could not show: whoever goes on from it does.
    const next = await topics.open(topic, { kafka: { consumerGroupId: 'billing' } });
    const checkpoint: Position = { kind: 'after', id: records[4]?.id ?? '' };
    await readOnce(next, checkpoint);
    await next.close();
    const last = await topics.open(topic, { kafka: { consumerGroupId: 'billing' } });
    expect(await last.committed?.(shardOf(0))).toEqual(checkpoint);
    await last.close();
  },
  limitMs,
);

test(
  'what is given up goes into another topic, under the key of its record',
  async () => {
    const [topic, dead] = [await topics.make(), await topics.make(4)];
    const stream = await topics.open(topic);
    await topics.put(topic, { key: Buffer.from('k'), value: Buffer.from('a') }, { key: Buffer.from('k') }, {});
    const { records } = await read(stream, oldest, 3);
    const failureOf = (info: BatchInfo): string => JSON.stringify({ version: '1.0', [info[0]]: info[1] });
    await stream.sendDeadLetters?.(dead, shardOf(0), records, failureOf);
    const letters = await topics.open(dead);
    const all = await Promise.all([0, 1, 2, 3].map((partition) => readOnce(letters, oldest, partition)));
    const found = all.flatMap((result) => result.records);
    expect(found.map(({ key }) => key).sort()).toEqual(['aw==', 'aw==', null].sort());
    expect(all.map((result) => result.records.filter(({ key }) => key !== null).length)).toContain(2); // one partition
    const first = found
      .map((record) => JSON.parse(bodies([record])[0] ?? ''))
      .find(({ KafkaBatchInfo }) => KafkaBatchInfo.recordInfo.offset === '0');
    const time = records[0]?.arrivedMs ?? 0;
    expect(first).toEqual({
      version: '1.0',
      KafkaBatchInfo: {
        batchSize: 1,
        bootstrapServers: topics.broker.address,
        payloadSize: Buffer.byteLength(stream.eventOf(shardOf(0), records.slice(0, 1), {})),
        recordInfo: { offset: '0', timestamp: new Date(time).toISOString() },
      },
      payload: JSON.parse(stream.eventOf(shardOf(0), records.slice(0, 1), {})),
    });
    await expect(stream.sendDeadLetters?.('none', shardOf(0), records, failureOf)).rejects.toMatchObject({
      reason: 'SourceNotFound',
    });
    await expect(topics.open(topic, { onFailure: `kafka://${topic}` })).rejects.toMatchObject({
      reason: 'InvalidSource',
    });
    await letters.close();
    await stream.close();
  },
  limitMs,
);

test(
  'a cluster of MSK is found where the install says',
  async () => {
    const topic = await topics.make();
    await topics.put(topic, ...values('a'));
    const eventSourceArn = 'arn:aws:kafka:us-east-1:000000000000:cluster/orders/0a0b0c0d-1';
    const stream = await topics.openMsk(topic, eventSourceArn);
    const { records } = await read(stream, oldest, 1);
    expect(JSON.parse(stream.eventOf(shardOf(0), records, {}))).toMatchObject({
      eventSource: 'aws:kafka',
      eventSourceArn,
    });
    expect(stream.infoOf(shardOf(0), records)[1]).toMatchObject({ eventSourceArn });
    await stream.close();
  },
  limitMs,
);
