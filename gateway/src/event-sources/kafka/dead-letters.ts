import { compatibilityPartitioner, type MessageRecord, ProduceAcks, produceV8 } from '@platformatic/kafka';

import { Cluster } from './cluster.ts';
import type { Address, Connections } from './connections.ts';

const LIMIT_MS = 10_000;
/** Of connections: letters do not wait for what is read. */
const LANE = 'letters';

/** What is written into a topic of dead letters. */
export interface DeadLetter {
  /** Of the record that was given up: its letters keep their order. null = it had none. */
  readonly key: Buffer | null;
  /** JSON text. */
  readonly text: string;
}

/** Writes what was given up into topics of the mapping's own cluster. */
export class DeadLetters {
  readonly #connections: Connections;
  readonly #servers: readonly Address[];

  constructor(connections: Connections, servers: readonly Address[]) {
    this.#connections = connections;
    this.#servers = servers;
  }

  /** Resolves when all brokers that keep the topic have them. @throws SourceProblem; some may be there all the same */
  async write(topic: string, letters: readonly DeadLetter[]): Promise<void> {
    const cluster = new Cluster(this.#connections, this.#servers, topic);
    const { length: partitions } = await cluster.partitions();
    for (const [partition, ofPartition] of Map.groupBy(letters, ({ key }) => partitionOf(topic, key, partitions))) {
      const records = ofPartition.map(
        ({ key, text }): MessageRecord => ({
          topic,
          partition,
          ...(key !== null && { key }),
          value: Buffer.from(text),
        }),
      );
      await cluster.again(async () => {
        const connection = await this.#connections.get(await cluster.leaderOf(partition), LANE);
        return produceV8.api.async(connection, ProduceAcks.ALL, LIMIT_MS, records);
      });
    }
  }
}

/** As Java's: a key has the same partition in topics of the same size. */
function partitionOf(topic: string, key: Buffer | null, partitions: number): number {
  return compatibilityPartitioner({ topic }, key ?? undefined) % partitions;
}
