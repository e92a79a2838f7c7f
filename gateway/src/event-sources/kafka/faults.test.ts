import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Position, SourceRecord } from '../record.ts';
import type { OpenStream } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';
import { openDeps } from '../testing-open.ts';
import { freePort } from '../testing-servers.ts';
import { testUsers } from './testing-kafka.ts';
import {
  bodies,
  oldest,
  read,
  readOnce,
  readOver,
  type Secrets,
  shardOf,
  TestTopics,
  values,
} from './testing-topics.ts';

/*
 * What can be wrong with Kafka, on the real one.
 */

const installMs = 600_000;
const limitMs = 240_000;
let topics: TestTopics;

beforeAll(async () => {
  topics = await TestTopics.start();
}, installMs);
afterAll(async () => {
  await topics?.close();
}, limitMs);

test(
  'records that were removed before they were read: told, and it goes on at the oldest',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    await topics.put(topic, ...values('a', 'b', 'c', 'd'));
    const { next } = await readOnce(stream, oldest, 0, 1);
    await stream.close();
    await topics.admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 3n }] }] });
    const again = await topics.open(topic);
    await expect(readOnce(again, next)).rejects.toMatchObject({ reason: 'PositionLost' });
    expect(bodies((await read(again, oldest, 1)).records)).toEqual(['d']);
    await again.close();
  },
  limitMs,
);

test(
  'no such topic: told; a topic that is deleted while it is read: told, and it goes on when there is one again',
  async () => {
    await expect(topics.open('none')).rejects.toMatchObject({
      reason: 'SourceNotFound',
      message: expect.stringContaining('none'),
    });
    const topic = await topics.make();
    const stream = await topics.open(topic);
    await topics.put(topic, ...values('a'));
    const { next } = await read(stream, oldest, 1);
    await topics.admin.deleteTopics({ topics: [topic] });
    await expect(
      (async () => {
        for (;;) await readOnce(stream, next);
      })(),
    ).rejects.toMatchObject({ reason: 'SourceNotFound' });
    await topics.create(topic);
    await topics.put(topic, ...values('new'));
    expect(bodies(await readOver(stream, oldest, 1))).toEqual(['new']);
    await stream.close();
  },
  limitMs,
);

const secured = (...types: readonly string[]): Partial<MappingView['source']> => ({
  selfManaged: { bootstrapServers: [topics.broker.securedAddress] },
  sourceAccessConfigurations: [...types, 'SERVER_ROOT_CA_CERTIFICATE'].map((type) => ({
    type: type as 'BASIC_AUTH',
    uri: type === 'SERVER_ROOT_CA_CERTIFICATE' ? 'ca' : 'user',
  })),
});

test.each(['SASL_SCRAM_512_AUTH', 'SASL_SCRAM_256_AUTH', 'BASIC_AUTH'])(
  '%s with TLS',
  async (type) => {
    const topic = await topics.make();
    await topics.put(topic, ...values('a'));
    const stream = await topics.open(topic, secured(type), {
      user: testUsers.member,
      ca: { 'ca.crt': topics.broker.caCertificate },
    });
    expect(bodies((await read(stream, oldest, 1)).records)).toEqual(['a']);
    await stream.close();
  },
  limitMs,
);

test.each<[reason: string, problem: string, secrets: () => Secrets]>([
  [
    'a wrong password',
    'AccessDenied',
    () => ({ user: { username: 'member', password: 'wrong-secret' }, ca: { 'ca.crt': topics.broker.caCertificate } }),
  ],
  [
    'a user who may not read it',
    'AccessDenied',
    () => ({ user: testUsers.stranger, ca: { 'ca.crt': topics.broker.caCertificate } }),
  ],
  [
    'a Secret without a password',
    'CredentialsMissing',
    () => ({ user: { username: 'member' }, ca: { 'ca.crt': topics.broker.caCertificate } }),
  ],
  [
    'a certificate of somebody else',
    'Unreachable',
    () => ({ user: testUsers.member, ca: { certificate: rootCertificates[0] ?? '' } }),
  ],
])(
  '%s: told, without a secret',
  async (_reason, reason, secrets) => {
    const topic = await topics.make();
    const failed = await topics.open(topic, secured('SASL_SCRAM_512_AUTH'), secrets()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'SourceProblem', reason });
    expect(String(failed)).not.toMatch(/-secret/);
  },
  limitMs,
);

test(
  'TLS that the mapping does not know of, and nobody there: told with the address',
  async () => {
    const tls = await topics
      .open('any', { selfManaged: { bootstrapServers: [topics.broker.securedAddress] } })
      .catch((error: unknown) => error);
    expect(tls).toMatchObject({
      reason: 'Unreachable',
      message: expect.stringContaining(topics.broker.securedAddress),
    });
    const address = `127.0.0.1:${await freePort()}`;
    const nobody = await topics
      .open('any', { selfManaged: { bootstrapServers: [address] } })
      .catch((error: unknown) => error);
    expect(nobody).toMatchObject({ reason: 'Unreachable', message: expect.stringMatching(`${address}.*ECONNREFUSED`) });
  },
  limitMs,
);

test(
  'one of several servers is enough',
  async () => {
    const topic = await topics.make();
    const dead = `127.0.0.1:${await freePort()}`;
    const stream = await topics.open(topic, { selfManaged: { bootstrapServers: [dead, topics.broker.address] } });
    await topics.put(topic, ...values('a'));
    expect(bodies((await read(stream, oldest, 1)).records)).toEqual(['a']);
    await stream.close();
  },
  limitMs,
);

/** What was put, once; a producer that heard no answer puts it again, at another offset. @throws when an offset was read twice */
function eachOnce(records: readonly SourceRecord[]): readonly string[] {
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
  return [...new Set(bodies(records))];
}

test(
  'a broker that is killed, and one that stands still: told, and it goes on where it was',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    await topics.put(topic, ...values('a', 'b'));
    const first = await read(stream, oldest, 2);
    const waiting = readOnce(stream, first.next).then(() => readOnce(stream, first.next));
    await topics.broker.stop();
    await expect(waiting).rejects.toMatchObject({ reason: 'Unreachable' });
    await topics.broker.restart();
    await topics.put(topic, ...values('c'));
    const second = await readOver(stream, first.next, 1);
    expect(eachOnce(second)).toEqual(['c']);
    const next: Position = { kind: 'after', id: second.at(-1)?.id ?? '' };
    topics.broker.signal('SIGSTOP');
    const ending = new AbortController();
    const given = stream.read({ shard: shardOf(0), from: next, max: 1, waitMs: 500, signal: ending.signal });
    ending.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' }); // who gives it up does not wait
    const still = await readOnce(stream, next).catch((error: unknown) => error);
    topics.broker.signal('SIGCONT');
    expect(still).toMatchObject({ reason: 'Unreachable' });
    await topics.put(topic, ...values('d'));
    expect(eachOnce(await readOver(stream, next, 1))).toEqual(['d']);
    await stream.close();
  },
  limitMs,
);

test(
  'what is being read when it is closed fails, and nothing of it stays',
  async () => {
    const topic = await topics.make();
    const stream = await topics.open(topic);
    const reading = readOnce(stream, oldest).catch((error: unknown) => error);
    await stream.close();
    await reading;
    await expect(readOnce(stream, oldest)).rejects.toMatchObject({ reason: 'Unreachable' });
  },
  limitMs,
);

test.each<[reason: string, over: Partial<EventSourceMappingSpec>]>([
  ['share groups', { kafka: { consumptionMode: 'Queue' } }],
  ['a schema registry', { kafka: { schemaRegistry: { uri: 'http://registry' } } }],
  ['no topic', { topics: [] }],
  ['no port', { selfManaged: { bootstrapServers: ['kafka'] } }],
])('what is not read here is refused: %s', async (_reason, over) => {
  await expect(topics.open('any', over)).rejects.toMatchObject({ reason: 'InvalidSource' });
});

test(
  'servers of a mapping, and brokers that these name: nowhere that the guard refuses',
  async () => {
    const [topic, dead] = [await topics.make(), await topics.make()];
    await topics.put(topic, ...values('a'));
    const { guard } = openDeps('');
    const refused = new SourceProblem('InvalidSource', 'not for mappings');
    // The servers are localhost; the broker says of itself that it is 127.0.0.1.
    const bootstrapServers = [topics.broker.address.replace('127.0.0.1', 'localhost')];
    const asked: string[] = [];
    let bad: readonly string[] = ['localhost', '127.0.0.1'];
    const more = {
      guard: (host: string) => {
        asked.push(host);
        return bad.includes(host) ? Promise.reject(refused) : guard(host);
      },
    };
    const open = (): Promise<OpenStream> => topics.open(topic, { selfManaged: { bootstrapServers } }, {}, more);
    await expect(open()).rejects.toBe(refused);
    expect(asked).toEqual(['localhost']);
    bad = ['127.0.0.1'];
    const stream = await open();
    await expect(readOnce(stream, oldest)).rejects.toBe(refused);
    await expect(stream.committed?.(shardOf(0))).rejects.toBe(refused);
    bad = [];
    const { records } = await read(stream, oldest, 1);
    expect(bodies(records)).toEqual(['a']);
    bad = ['127.0.0.1'];
    asked.length = 0;
    await expect(stream.sendDeadLetters?.(dead, shardOf(0), records, () => '{}')).rejects.toBe(refused);
    expect(asked).toContain('127.0.0.1');
    await stream.close();
  },
  limitMs,
);
