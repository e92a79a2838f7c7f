import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Admin, type MessageToProduce, ProduceAcks, type Producer } from '@platformatic/kafka';
import type { MappingView } from '../mapping/mapping-view.ts';
import { mappingView } from '../mapping/testing-view.ts';
import type { Position, Shard, SourceRecord } from '../record.ts';
import type { OpenStream, ReadResult } from '../source.ts';
import { streamContract } from '../source-contract.ts';
import { openDeps } from '../testing-open.ts';
import { freePort } from '../testing-servers.ts';
import { kafka as source } from './source.ts';
import { TestKafka, testUsers } from './testing-kafka.ts';

/*
 * Kafka 4.1, the real one.
 */

const installMs = 600_000;
const limitMs = 120_000;
const oldest: Position = { kind: 'start' };
let broker: TestKafka;
let admin: Admin;
let producer: Producer;
let topics = 0;

beforeAll(async () => {
  broker = await TestKafka.start();
  admin = broker.admin();
  producer = broker.producer();
}, installMs);
afterAll(async () => {
  await admin?.close();
  await producer?.close();
  await broker?.close();
}, limitMs);

type Over = Partial<MappingView['source']>;
type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function open(topic: string, over: Over = {}, secrets: Secrets = {}): Promise<OpenStream> {
  const servers = { bootstrapServers: [broker.address] };
  const mapping = mappingView({ selfManaged: servers, topics: [topic], ...over });
  const opened = await source.open(mapping, openDeps('', secrets));
  if (opened.kind !== 'stream') throw new Error('no stream');
  return opened;
}

async function makeTopic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  topics += 1;
  const topic = `topic-${topics}`;
  await admin.createTopics({
    topics: [topic],
    partitions,
    replicas: 1,
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  });
  return topic;
}

async function put(topic: string, ...messages: readonly Partial<MessageToProduce>[]): Promise<void> {
  const all = messages.map((message) => ({ partition: 0, value: Buffer.from('x'), ...message, topic }));
  await producer.send({ messages: all, acks: ProduceAcks.ALL });
}

const bodyOf = ({ value }: Readonly<Record<string, unknown>>): string =>
  Buffer.from(String(value), 'base64').toString();
const bodies = (records: readonly SourceRecord[]): readonly string[] =>
  records.map(({ text }) => bodyOf(JSON.parse(text)));
const values = (...texts: readonly string[]): readonly { value: Buffer }[] =>
  texts.map((text) => ({ value: Buffer.from(text) }));
const shardOf = (partition: number): Shard => ({ id: String(partition), parents: [] });

function readOnce(stream: OpenStream, from: Position, partition = 0, max = 100): Promise<ReadResult> {
  return stream.read({ shard: shardOf(partition), from, max, waitMs: 500, signal: new AbortController().signal });
}

/** Reads on until so many came. */
async function read(stream: OpenStream, from: Position, count: number, partition = 0): Promise<ReadResult> {
  const records: SourceRecord[] = [];
  let next = from;
  for (;;) {
    const result = await readOnce(stream, next, partition);
    records.push(...result.records);
    next = result.next;
    if (records.length >= count) return { ...result, records };
  }
}

/** Reads on over problems, as the poller does, until so many came. */
async function readOver(stream: OpenStream, from: Position, count: number): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  let next = from;
  while (records.length < count) {
    const result = await readOnce(stream, next).catch(() => null);
    records.push(...(result?.records ?? []));
    next = result?.next ?? next;
  }
  return records;
}

streamContract('Kafka', {
  traits: source.traits,
  bodyOf,
  start: async () => {
    const topic = await makeTopic();
    return {
      stream: await open(topic),
      put: async (...texts) => put(topic, ...values(...texts).map((one) => ({ ...one, key: Buffer.from('key') }))),
      end: async () => admin.deleteTopics({ topics: [topic] }),
    };
  },
});

test(
  'an event as on Lambda',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    const headers = new Map([
      [Buffer.from('trace'), Buffer.from('ë')],
      [Buffer.from('empty'), Buffer.alloc(0)],
    ]);
    await put(
      topic,
      { key: Buffer.from('k'), value: Buffer.from('v'), headers, timestamp: 1_700_000_000_123n },
      { value: Buffer.from('w') },
    );
    const { records } = await read(stream, oldest, 2);
    const common = { topic, partition: 0, timestampType: 'CREATE_TIME' };
    expect(JSON.parse(stream.eventOf(shardOf(0), records, {}))).toEqual({
      eventSource: 'SelfManagedKafka',
      bootstrapServers: broker.address,
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
        bootstrapServers: broker.address,
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
    const topic = await makeTopic(1, { 'message.timestamp.type': 'LogAppendTime' });
    const stream = await open(topic);
    await put(topic, { timestamp: 5n });
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
    const topic = await makeTopic();
    const stream = await open(topic);
    const messages = values('a', 'b'.repeat(5_000)).map((message) => ({ ...message, topic, partition: 0 }));
    await producer.send({ messages, compression });
    expect(bodies((await read(stream, oldest, 2)).records)).toEqual(['a', 'b'.repeat(5_000)]);
    await stream.close();
  },
  limitMs,
);

test(
  'a record of 2 MB',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    const large = 'x'.repeat(2_000_000);
    await put(topic, ...values('before'));
    await put(topic, ...values(large));
    await put(topic, ...values('after'));
    expect(bodies((await read(stream, oldest, 3)).records)).toEqual(['before', large, 'after']);
    await stream.close();
  },
  limitMs,
);

test(
  'begins at a time, and at the end there is nothing before the next record',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    for (const ms of [1_000n, 2_000n, 3_000n]) await put(topic, { value: Buffer.from(String(ms)), timestamp: ms });
    expect(bodies((await read(stream, { kind: 'since', ms: 2_000 }, 2)).records)).toEqual(['2000', '3000']);
    const latest = await readOnce(stream, { kind: 'since', ms: 4_000 });
    expect(latest).toMatchObject({
      records: [],
      next: { kind: 'after', id: `${topic}-0:2` },
      behindRecords: 0,
      behindMs: 0,
    });
    await put(topic, { value: Buffer.from('late'), timestamp: 1_500n }); // by a clock that is behind: it came after all the same
    expect(bodies((await read(stream, latest.next, 1)).records)).toEqual(['late']);
    await stream.close();
  },
  limitMs,
);

test(
  'says how many are unread',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    await put(topic, ...values('a', 'b', 'c'));
    expect(await readOnce(stream, oldest, 0, 1)).toMatchObject({ behindRecords: 2, behindMs: null });
    await stream.close();
  },
  limitMs,
);

test(
  'what an aborted transaction wrote is never seen, and no marker is',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    const client = broker.producer({ idempotent: true, transactionalId: 'orders' });
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
    await put(topic, ...values('plain'));
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
    const topic = await makeTopic(2);
    const stream = await open(topic);
    expect(await stream.shards()).toEqual([shardOf(0), shardOf(1)]);
    const assignments = Array.from({ length: 18 }, () => ({ brokerIds: [1] }));
    await admin.createPartitions({ topics: [{ name: topic, count: 20, assignments }] });
    let shards = await stream.shards();
    while (shards.length < 20) shards = await stream.shards();
    const all = Promise.all(shards.map(({ id }) => readOnce(stream, oldest, Number(id)).catch(() => null)));
    await all; // idle, in few connections
    const numbers = Array.from({ length: 200 }, (_, at) => String(at));
    await put(topic, ...numbers.map((text, at) => ({ value: Buffer.from(text), partition: at % 20 })));
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
    const topic = await makeTopic(2);
    const stream = await open(topic, { kafka: { consumerGroupId: 'billing' } });
    await put(topic, ...values('a', 'b', 'c', 'd', 'e'));
    expect(await stream.committed?.(shardOf(0))).toBeNull();
    const { records } = await read(stream, oldest, 5);
    stream.onCheckpoint?.(shardOf(0), { kind: 'after', id: records[0]?.id ?? '' });
    stream.onCheckpoint?.(shardOf(0), { kind: 'after', id: records[2]?.id ?? '' });
    await stream.close(); // what is under way is written
    expect(await broker.describeGroup('billing')).toContainEqual([topic, '0', '3', '5', '2']);
    const again = await open(topic, { kafka: { consumerGroupId: 'billing' } });
    const place = await again.committed?.(shardOf(0));
    expect(bodies((await read(again, place ?? oldest, 2)).records)).toEqual(['d', 'e']);
    await again.close();
  },
  limitMs,
);

test(
  'records that were removed before they were read: told, and it goes on at the oldest',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    await put(topic, ...values('a', 'b', 'c', 'd'));
    const { next } = await readOnce(stream, oldest, 0, 1);
    await stream.close();
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 3n }] }] });
    const again = await open(topic);
    await expect(readOnce(again, next)).rejects.toMatchObject({ reason: 'PositionLost' });
    expect(bodies((await read(again, oldest, 1)).records)).toEqual(['d']);
    await again.close();
  },
  limitMs,
);

test(
  'no such topic: told; a topic that is deleted while it is read: told, and it goes on when there is one again',
  async () => {
    await expect(open('none')).rejects.toMatchObject({
      reason: 'SourceNotFound',
      message: expect.stringContaining('none'),
    });
    const topic = await makeTopic();
    const stream = await open(topic);
    await put(topic, ...values('a'));
    const { next } = await read(stream, oldest, 1);
    await admin.deleteTopics({ topics: [topic] });
    await expect(
      (async () => {
        for (;;) await readOnce(stream, next);
      })(),
    ).rejects.toMatchObject({ reason: 'SourceNotFound' });
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    await put(topic, ...values('new'));
    expect(bodies(await readOver(stream, oldest, 1))).toEqual(['new']);
    await stream.close();
  },
  limitMs,
);

const secured = (...types: readonly string[]): Over => ({
  selfManaged: { bootstrapServers: [broker.securedAddress] },
  sourceAccessConfigurations: [...types, 'SERVER_ROOT_CA_CERTIFICATE'].map((type) => ({
    type: type as 'BASIC_AUTH',
    uri: type === 'SERVER_ROOT_CA_CERTIFICATE' ? 'ca' : 'user',
  })),
});

test.each(['SASL_SCRAM_512_AUTH', 'SASL_SCRAM_256_AUTH', 'BASIC_AUTH'])(
  '%s with TLS',
  async (type) => {
    const topic = await makeTopic();
    await put(topic, ...values('a'));
    const stream = await open(topic, secured(type), { user: testUsers.member, ca: { 'ca.crt': broker.caCertificate } });
    expect(bodies((await read(stream, oldest, 1)).records)).toEqual(['a']);
    await stream.close();
  },
  limitMs,
);

test.each<[reason: string, problem: string, secrets: () => Secrets]>([
  [
    'a wrong password',
    'AccessDenied',
    () => ({ user: { username: 'member', password: 'wrong-secret' }, ca: { 'ca.crt': broker.caCertificate } }),
  ],
  [
    'a user who may not read it',
    'AccessDenied',
    () => ({ user: testUsers.stranger, ca: { 'ca.crt': broker.caCertificate } }),
  ],
  [
    'a Secret without a password',
    'CredentialsMissing',
    () => ({ user: { username: 'member' }, ca: { 'ca.crt': broker.caCertificate } }),
  ],
  [
    'a certificate of somebody else',
    'Unreachable',
    () => ({ user: testUsers.member, ca: { certificate: rootCertificates[0] ?? '' } }),
  ],
])(
  '%s: told, without a secret',
  async (_reason, reason, secrets) => {
    const topic = await makeTopic();
    const failed = await open(topic, secured('SASL_SCRAM_512_AUTH'), secrets()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'SourceProblem', reason });
    expect(String(failed)).not.toMatch(/-secret/);
  },
  limitMs,
);

test(
  'TLS that the mapping does not know of, and nobody there: told with the address',
  async () => {
    const tls = await open('any', { selfManaged: { bootstrapServers: [broker.securedAddress] } }).catch(
      (error: unknown) => error,
    );
    expect(tls).toMatchObject({ reason: 'Unreachable', message: expect.stringContaining(broker.securedAddress) });
    const address = `127.0.0.1:${await freePort()}`;
    const nobody = await open('any', { selfManaged: { bootstrapServers: [address] } }).catch((error: unknown) => error);
    expect(nobody).toMatchObject({ reason: 'Unreachable', message: expect.stringMatching(`${address}.*ECONNREFUSED`) });
  },
  limitMs,
);

test(
  'one of several servers is enough',
  async () => {
    const topic = await makeTopic();
    const dead = `127.0.0.1:${await freePort()}`;
    const stream = await open(topic, { selfManaged: { bootstrapServers: [dead, broker.address] } });
    await put(topic, ...values('a'));
    expect(bodies((await read(stream, oldest, 1)).records)).toEqual(['a']);
    await stream.close();
  },
  limitMs,
);

test(
  'a broker that is killed, and one that stands still: told, and it goes on where it was',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    await put(topic, ...values('a', 'b'));
    const first = await read(stream, oldest, 2);
    const waiting = readOnce(stream, first.next).then(() => readOnce(stream, first.next));
    await broker.stop();
    await expect(waiting).rejects.toMatchObject({ reason: 'Unreachable' });
    await broker.restart();
    await put(topic, ...values('c'));
    const second = await readOver(stream, first.next, 1);
    expect(bodies(second)).toEqual(['c']);
    const next: Position = { kind: 'after', id: second.at(-1)?.id ?? '' };
    broker.signal('SIGSTOP');
    const still = await readOnce(stream, next).catch((error: unknown) => error);
    broker.signal('SIGCONT');
    expect(still).toMatchObject({ reason: 'Unreachable' });
    await put(topic, ...values('d'));
    expect(bodies(await readOver(stream, next, 1))).toEqual(['d']);
    await stream.close();
  },
  limitMs,
);

test(
  'what is being read when it is closed fails, and nothing of it stays',
  async () => {
    const topic = await makeTopic();
    const stream = await open(topic);
    const reading = readOnce(stream, oldest).catch((error: unknown) => error);
    await stream.close();
    await reading;
    await expect(readOnce(stream, oldest)).rejects.toMatchObject({ reason: 'Unreachable' });
  },
  limitMs,
);
