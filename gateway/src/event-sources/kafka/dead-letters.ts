import { compatibilityPartitioner, ProduceAcks, Producer } from '@platformatic/kafka';

import type { Access } from './access.ts';
import type { Address } from './connections.ts';
import { toKafkaProblem } from './errors.ts';

const LIMIT_MS = 10_000;
/** While leaders move. */
const RETRIES = 5;
const RETRY_PAUSE_MS = 300;

/** What is written into a topic of dead letters. */
export interface DeadLetter {
  /** Of the record that was given up: its letters keep their order. null = it had none. */
  readonly key: Buffer | null;
  /** JSON text. */
  readonly text: string;
}

/** Writes what was given up into topics of the mapping's own cluster. Connects with the first letter. */
export class DeadLetters {
  readonly #access: Access;
  readonly #servers: readonly Address[];
  readonly #clientId: string;
  #producer: Producer | null = null;

  constructor(access: Access, servers: readonly Address[], clientId: string) {
    this.#access = access;
    this.#servers = servers;
    this.#clientId = clientId;
  }

  /** Resolves when all brokers that keep the topic have them. @throws SourceProblem; some may be there all the same */
  async write(topic: string, letters: readonly DeadLetter[]): Promise<void> {
    const messages = letters.map(({ key, text }) => ({
      topic,
      ...(key !== null && { key }),
      value: Buffer.from(text),
    }));
    try {
      await this.#open().send({ messages, acks: ProduceAcks.ALL });
    } catch (error) {
      await this.close(); // what it knows of the cluster may be what is wrong
      throw toKafkaProblem(error, `Kafka, destination topic ${topic},`);
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }

  #open(): Producer {
    this.#producer ??= new Producer({
      ...this.#access,
      clientId: this.#clientId,
      bootstrapBrokers: [...this.#servers],
      connectTimeout: LIMIT_MS,
      requestTimeout: LIMIT_MS,
      retries: RETRIES,
      retryDelay: RETRY_PAUSE_MS,
      partitioner: compatibilityPartitioner, // as Java's: a key has the same partition in topics of the same size
    });
    return this.#producer;
  }
}
