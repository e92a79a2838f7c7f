import { setTimeout as pause } from 'node:timers/promises';
import type { EventSourceMappingSpec } from '@kappa/crds/event-source-mapping';
import { type Admin, type MessageToProduce, ProduceAcks, type Producer } from '@platformatic/kafka';

import { mappingView } from '../mapping/testing-view.ts';
import type { Position, Shard, SourceRecord } from '../record.ts';
import type { OpenDeps, OpenSource, OpenStream, ReadResult } from '../source.ts';
import { openDeps } from '../testing-open.ts';
import { kafka } from './source.ts';
import { TestKafka } from './testing-kafka.ts';

/** Secrets by their names. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A broker, and what tests of its topics do. */
export class TestTopics {
  readonly broker: TestKafka;
  readonly admin: Admin;
  readonly #producer: Producer;
  #count = 0;

  private constructor(broker: TestKafka) {
    this.broker = broker;
    this.admin = broker.admin();
    this.#producer = broker.producer();
  }

  static async start(): Promise<TestTopics> {
    return new TestTopics(await TestKafka.start());
  }

  async close(): Promise<void> {
    await this.admin.close();
    await this.#producer.close();
    await this.broker.close();
  }

  /** A new topic. @param configs Kafka's settings of topics */
  async make(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    this.#count += 1;
    const topic = `topic-${this.#count}`;
    await this.create(topic, partitions, configs);
    return topic;
  }

  /** A topic of that name; it can be written when this resolves. */
  async create(topic: string, partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await this.admin.createTopics({ topics: [topic], partitions, replicas: 1, configs: settings });
    // The controller answers before the broker knows, and leads.
    const wanted = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }));
    const isThere = (): Promise<boolean> =>
      this.admin.listOffsets({ topics: [{ name: topic, partitions: wanted }] }).then(
        () => true,
        () => false,
      );
    while (!(await isThere())) await pause(50);
  }

  /** Opens a topic as a mapping does; of the open listener, when `over` says none. */
  async open(
    topic: string,
    over: Partial<EventSourceMappingSpec> = {},
    secrets: Secrets = {},
    more: Partial<OpenDeps> = {},
  ): Promise<OpenStream> {
    const servers = { selfManaged: { bootstrapServers: [this.broker.address] } };
    const deps = { ...openDeps('', secrets), ...more };
    return opened(await kafka.open(mappingView({ ...servers, topics: [topic], ...over }), deps));
  }

  /** Opens a topic of an MSK cluster. */
  async openMsk(topic: string, eventSourceArn: string): Promise<OpenStream> {
    const deps = openDeps(`http://${this.broker.address}`);
    return opened(await kafka.open(mappingView({ eventSourceArn, topics: [topic] }), deps));
  }

  /** Into partition 0, where the message names none. */
  async put(topic: string, ...messages: readonly Partial<MessageToProduce>[]): Promise<void> {
    await this.send({}, topic, ...messages);
  }

  /** As `put`, with options of the producer. */
  async send(
    options: Omit<Parameters<Producer['send']>[0], 'messages'>,
    topic: string,
    ...messages: readonly Partial<MessageToProduce>[]
  ): Promise<void> {
    const all = messages.map((message) => ({ partition: 0, value: Buffer.from('x'), ...message, topic }));
    await this.#producer.send({ ...options, messages: all, acks: ProduceAcks.ALL });
  }
}

function opened(source: OpenSource): OpenStream {
  if (source.kind !== 'stream') throw new Error('no stream');
  return source;
}

export const oldest: Position = { kind: 'start' };

export const shardOf = (partition: number): Shard => ({ id: String(partition), parents: [] });

/** The text that was sent, of a record in the function's event. */
export const bodyOf = ({ value }: Readonly<Record<string, unknown>>): string =>
  Buffer.from(String(value), 'base64').toString();

export const bodies = (records: readonly SourceRecord[]): readonly string[] =>
  records.map(({ text }) => bodyOf(JSON.parse(text)));

/** Messages with these texts. */
export const values = (...texts: readonly string[]): readonly { readonly value: Buffer }[] =>
  texts.map((text) => ({ value: Buffer.from(text) }));

export function readOnce(stream: OpenStream, from: Position, partition = 0, max = 100): Promise<ReadResult> {
  return stream.read({ shard: shardOf(partition), from, max, waitMs: 500, signal: new AbortController().signal });
}

/** Reads on until so many came. */
export async function read(stream: OpenStream, from: Position, count: number, partition = 0): Promise<ReadResult> {
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
export async function readOver(stream: OpenStream, from: Position, count: number): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  let next = from;
  while (records.length < count) {
    const result = await readOnce(stream, next).catch(() => null);
    records.push(...(result?.records ?? []));
    next = result?.next ?? next;
  }
  return records;
}
