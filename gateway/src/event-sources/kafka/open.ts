import { setTimeout as sleep } from 'node:timers/promises';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Position, Shard, SourceRecord } from '../record.ts';
import type { BatchInfo, OpenDeps, OpenStream, ReadResult, ReadWish } from '../source.ts';
import { SourceProblem, toSourceProblem } from '../source-problem.ts';
import { accessOf } from './access.ts';
import { Cluster } from './cluster.ts';
import { type Brought, committedRecords } from './committed.ts';
import { type Address, Connections } from './connections.ts';
import { DeadLetters } from './dead-letters.ts';
import type { FetchedPartition } from './fetch-answer.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMirror } from './mirror.ts';
import { before, offsetAfter, partitionName, toSourceRecord } from './record.ts';

/** Fetched records that nobody has asked for yet, of all partitions; beyond it those that wait longest are fetched again. */
const AHEAD_BYTES = 32 * 1024 * 1024;

/** Where a mapping's cluster is. */
export interface Place {
  /** host:port each, as the mapping says. */
  readonly servers: readonly string[];
  /** Of MSK; null = a cluster of one's own. */
  readonly arn: string | null;
  /** TLS without a login. */
  readonly isTls: boolean;
}

/**
 * Connects to a mapping's topic. @throws SourceProblem
 */
export async function openKafka(mapping: MappingView, place: Place, deps: OpenDeps): Promise<OpenStream> {
  const { topics = [], kafka } = mapping.source;
  const [topic] = topics;
  if (topic === undefined)
    throw new SourceProblem('InvalidSource', 'a mapping of Kafka names one topic: topics: [NAME]');
  if (mapping.onFailure === `kafka://${topic}`) throw circle(topic);
  const clientId = `kappa-${mapping.uid}`;
  const access = { ...(place.isTls && { tls: {} }), ...(await accessOf(mapping, deps)) };
  const connections = new Connections(access, clientId, deps.guard);
  const servers = place.servers.map(addressOf);
  const cluster = new Cluster(connections, servers, topic);
  const deadLetters = new DeadLetters(connections, servers);
  const stop = (): void => void connections.close();
  deps.signal.addEventListener('abort', stop, { once: true });
  try {
    await cluster.partitions();
    const group = kafka?.consumerGroupId ?? mapping.uid;
    return new KafkaStream({ topic, group, place, deps, connections, cluster, deadLetters });
  } catch (error) {
    await connections.close();
    throw error;
  } finally {
    deps.signal.removeEventListener('abort', stop);
  }
}

interface StreamParts {
  readonly topic: string;
  readonly group: string;
  readonly place: Place;
  readonly deps: OpenDeps;
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly deadLetters: DeadLetters;
}

/** What was fetched of a partition and is not read yet. */
interface Ahead extends Brought {
  /** Of the first of `records`, or of what comes next. */
  readonly offset: bigint;
  /** Behind the newest record that may be read. */
  readonly stableOffset: bigint;
}

class KafkaStream implements OpenStream {
  readonly kind = 'stream';
  readonly #parts: StreamParts;
  readonly #fetcher: Fetcher;
  readonly #mirror: GroupMirror;
  /** Partitions that were read. */
  readonly #begun = new Set<number>();
  /** By partition; the one that was filled last is the last one. */
  readonly #ahead = new Map<number, Ahead>();

  constructor(parts: StreamParts) {
    const { cluster, connections, deps, group, topic } = parts;
    this.#parts = parts;
    this.#fetcher = new Fetcher(cluster, connections, topic);
    this.#mirror = new GroupMirror({
      commit: (offsets) => cluster.commit(group, offsets),
      onProblem: deps.onProblem,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
      random: Math.random,
    });
  }

  async shards(): Promise<readonly Shard[]> {
    const partitions = await this.#parts.cluster.partitions();
    return partitions.map((partition) => ({ id: String(partition), parents: [] }));
  }

  /** Rejects at once when nobody waits for it any more: a broker that stands still does not hold up who hands a partition over. */
  async read(wish: ReadWish): Promise<ReadResult> {
    wish.signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(wish.signal.reason);
    wish.signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#read(wish), aborted.promise]);
    } finally {
      wish.signal.removeEventListener('abort', abort);
    }
  }

  eventOf(shard: Shard, records: readonly SourceRecord[], extra: Readonly<Record<string, unknown>>): string {
    const { arn, servers } = this.#parts.place;
    const source =
      arn === null ? { eventSource: 'SelfManagedKafka' } : { eventSource: 'aws:kafka', eventSourceArn: arn };
    const head = JSON.stringify({ ...source, bootstrapServers: servers.join(','), ...extra }).slice(0, -1);
    const name = JSON.stringify(this.#nameOf(shard));
    return `${head},"records":{${name}:[${records.map(({ text }) => text).join(',')}]}}`;
  }

  infoOf(shard: Shard, records: readonly SourceRecord[]): BatchInfo {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return this.#info(shard, records, { recordsInfo: {} });
    const range = {
      firstRecordOffset: offsetText(first),
      lastRecordOffset: offsetText(last),
      firstRecordTimestamp: timeText(first),
      lastRecordTimestamp: timeText(last),
    };
    return this.#info(shard, records, { recordsInfo: { [this.#nameOf(shard)]: range } });
  }

  async sendDeadLetters(
    topic: string,
    shard: Shard,
    records: readonly SourceRecord[],
    failureOf: (info: BatchInfo) => string,
  ): Promise<void> {
    if (topic === this.#parts.topic) throw circle(topic);
    const letters = records.map((record) => {
      const recordInfo = { offset: offsetText(record), timestamp: timeText(record) };
      const failure = failureOf(this.#info(shard, [record], { recordInfo }));
      return {
        key: record.key === null ? null : Buffer.from(record.key, 'base64'),
        text: `${failure.slice(0, -1)},"payload":${this.eventOf(shard, [record], {})}}`,
      };
    });
    await this.#parts.deadLetters.write(topic, letters);
  }

  async committed(shard: Shard): Promise<Position | null> {
    const { cluster, group, topic } = this.#parts;
    const offset = await cluster.committed(group, Number(shard.id));
    return offset === null ? null : before(topic, Number(shard.id), offset);
  }

  onCheckpoint(shard: Shard, position: Position): void {
    if (position.kind === 'after') this.#mirror.show(Number(shard.id), offsetAfter(position.id));
  }

  async close(): Promise<void> {
    await this.#mirror.close();
    await this.#parts.connections.close();
    this.#ahead.clear();
  }

  async #read({ shard, from, max, waitMs }: ReadWish): Promise<ReadResult> {
    const partition = Number(shard.id);
    const offset = await this.#offsetOf(partition, from);
    this.#showFirst(partition, from, offset);
    const ahead = this.#takeAhead(partition, offset) ?? (await this.#fetch(partition, offset, waitMs));
    const taken = ahead.records.slice(0, max);
    const rest = ahead.records.slice(max);
    const nextOffset = rest[0]?.offset ?? ahead.nextOffset;
    if (rest.length > 0) this.#keepAhead(partition, { ...ahead, records: rest, offset: nextOffset });
    const behind = ahead.stableOffset - nextOffset;
    const { topic, deps } = this.#parts;
    return {
      records: taken.map((record) => toSourceRecord(topic, partition, record, deps.now())),
      next: before(topic, partition, nextOffset),
      isEnd: false,
      behindMs: behind > 0n ? null : 0,
      behindRecords: behind > 0n ? Number(behind) : 0,
      restMs: 0,
    };
  }

  #nameOf({ id }: Shard): string {
    return partitionName(this.#parts.topic, Number(id));
  }

  #info(shard: Shard, records: readonly SourceRecord[], about: Readonly<Record<string, unknown>>): BatchInfo {
    const { arn, servers } = this.#parts.place;
    const members = {
      batchSize: records.length,
      ...(arn !== null && { eventSourceArn: arn }),
      bootstrapServers: servers.join(','),
      payloadSize: Buffer.byteLength(this.eventOf(shard, records, {})),
      ...about,
    };
    return ['KafkaBatchInfo', members];
  }

  async #offsetOf(partition: number, from: Position): Promise<bigint> {
    if (from.kind === 'after') return offsetAfter(from.id);
    const { cluster } = this.#parts;
    return from.kind === 'start' ? cluster.oldest(partition) : cluster.since(partition, from.ms);
  }

  async #fetch(partition: number, offset: bigint, waitMs: number): Promise<Ahead> {
    const brought = await this.#parts.cluster.again(() => this.#fetcher.fetch(partition, offset, waitMs));
    return { ...this.#committed(partition, brought, offset), offset, stableOffset: brought.stableOffset };
  }

  #committed(partition: number, brought: FetchedPartition, offset: bigint): Brought {
    try {
      return committedRecords(brought, offset);
    } catch (cause) {
      const { reason, message } = toSourceProblem(cause);
      throw new SourceProblem(reason, `${partitionName(this.#parts.topic, partition)}: ${message}`, { cause });
    }
  }

  /** All before the place where reading begins has ended: whoever read it before may not have come to writing that into the group. */
  #showFirst(partition: number, from: Position, offset: bigint): void {
    if (from.kind === 'after' && !this.#begun.has(partition)) this.#mirror.show(partition, offset);
    this.#begun.add(partition);
  }

  #takeAhead(partition: number, offset: bigint): Ahead | null {
    const ahead = this.#ahead.get(partition);
    this.#ahead.delete(partition);
    return ahead?.offset === offset ? ahead : null;
  }

  #keepAhead(partition: number, ahead: Ahead): void {
    this.#ahead.set(partition, ahead);
    let bytes = this.#ahead.values().reduce((sum, kept) => sum + kept.bytes, 0);
    for (const [oldest, kept] of this.#ahead) {
      if (bytes <= AHEAD_BYTES) break;
      this.#ahead.delete(oldest);
      bytes -= kept.bytes;
    }
  }
}

const circle = (topic: string): SourceProblem =>
  new SourceProblem('InvalidSource', `onFailure is the topic ${topic} itself: what was given up would come again`);

const offsetText = ({ id }: SourceRecord): string => String(offsetAfter(id) - 1n);
const timeText = ({ arrivedMs }: SourceRecord): string => new Date(arrivedMs).toISOString();

/** @throws SourceProblem `InvalidSource` */
function addressOf(server: string): Address {
  const at = server.lastIndexOf(':');
  const [host, port] = [server.slice(0, at).replace(/^\[(.+)\]$/, '$1'), Number(server.slice(at + 1))];
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new SourceProblem('InvalidSource', `${server} is no address of a Kafka broker: HOST:PORT is`);
  return { host, port };
}
