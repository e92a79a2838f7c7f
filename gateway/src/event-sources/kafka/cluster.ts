import { setTimeout as pause } from 'node:timers/promises';
import {
  type Connection,
  findCoordinatorV3,
  listOffsetsV6,
  metadataV9,
  offsetCommitV8,
  offsetFetchV7,
} from '@platformatic/kafka';

import { SourceProblem } from '../source-problem.ts';
import type { Address, Connections } from './connections.ts';
import { kafkaNameOf, toKafkaProblem } from './errors.ts';
import { type Leaders, layoutWithin, leadersOf } from './layout.ts';

const OLDEST = -2n;
const NEWEST = -1n;
/** What other members of the group have not committed is not to be seen. */
const READ_COMMITTED = 1;
const ANY_EPOCH = -1;
const ANY_REPLICA = -1;
const GROUP = 0;
const NO_GENERATION = -1;
const CONTROL = 'control';
const MOVE_TRIES = 10;
const MOVE_PAUSE_MS = 300;
/** Told by a broker that is not the leader or coordinator any more, or not yet. */
const moved: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
]);

/**
 * A topic of a cluster, and a group's book about it: all but the records. Speaks versions of the protocol that every broker since 2.7 has, 4.x
 * too, so none has to be asked what it speaks. No member of the group: offsets are committed as Kafka's own tools do it (empty member, no
 * generation), which a group without members takes.
 *
 * @see https://kafka.apache.org/protocol
 */
export class Cluster {
  readonly #connections: Connections;
  readonly #servers: readonly Address[];
  readonly #topic: string;
  #leaders: Leaders | null = null;
  #coordinator: Address | null = null;

  constructor(connections: Connections, servers: readonly Address[], topic: string) {
    this.#connections = connections;
    this.#servers = servers;
    this.#topic = topic;
  }

  /** For messages. */
  get where(): string {
    return `Kafka at ${this.#servers.map(({ host, port }) => `${host}:${port}`).join(',')}`;
  }

  /** Asks for the partitions there are now. @throws SourceProblem */
  async partitions(): Promise<readonly number[]> {
    return [...(await this.#layout()).keys()].sort((a, b) => a - b);
  }

  /** The broker that has a partition, as far as is known. @throws SourceProblem when there is no such partition, or nobody has it now */
  async leaderOf(partition: number): Promise<Address> {
    const leader = this.#leaders?.get(partition) ?? (await this.#layout()).get(partition);
    if (leader === undefined)
      throw new SourceProblem('SourceNotFound', `${this.where}: topic ${this.#topic} has no partition ${partition}`);
    if (leader === null)
      throw new SourceProblem('Unreachable', `${this.where}: no broker leads partition ${partition} of ${this.#topic}`);
    return leader;
  }

  /** What went wrong at a broker, as a problem. What was known of leaders is asked for again. */
  problemOf(error: unknown): SourceProblem {
    const name = kafkaNameOf(error);
    const problem = toKafkaProblem(error, `${this.where}, topic ${this.#topic},`);
    if (problem.reason === 'Unreachable' || (name !== null && moved.has(name))) {
      this.#leaders = null;
      this.#coordinator = null;
    }
    return problem;
  }

  /**
   * Asks, and asks again for a moment while a leader or a coordinator moves: brokers are restarted every day, and a new topic or the first group
   * takes its time.
   *
   * @throws SourceProblem
   */
  async again<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let triesLeft = MOVE_TRIES; ; triesLeft -= 1) {
      try {
        return await ask();
      } catch (error) {
        const problem = this.problemOf(error);
        if (triesLeft <= 1 || !moved.has(kafkaNameOf(error) ?? '')) throw problem;
        await pause(MOVE_PAUSE_MS);
      }
    }
  }

  /** Of the oldest record. */
  oldest(partition: number): Promise<bigint> {
    return this.#offsetAt(partition, OLDEST);
  }

  /** Behind the newest record. */
  newest(partition: number): Promise<bigint> {
    return this.#offsetAt(partition, NEWEST);
  }

  /** Of the first record that is as young or younger; behind the newest when there is none. */
  async since(partition: number, ms: number): Promise<bigint> {
    const newest = await this.newest(partition); // first: what comes after this call is read in any case
    const found = await this.#offsetAt(partition, BigInt(Math.max(0, Math.ceil(ms))));
    return found < 0n ? newest : found;
  }

  /** The next offset by the group's book; null = it has none. @throws SourceProblem */
  async committed(group: string, partition: number): Promise<bigint | null> {
    const wanted = [{ groupId: group, topics: [{ name: this.#topic, partitionIndexes: [partition] }] }];
    const answer = await this.#atCoordinator(group, (connection) => offsetFetchV7.api.async(connection, wanted, true));
    const offset = answer.topics[0]?.partitions[0]?.committedOffset ?? -1n;
    return offset < 0n ? null : offset;
  }

  /** Writes next offsets into the group's book. @throws SourceProblem */
  async commit(group: string, offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const partitions = [...offsets].map(([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedLeaderEpoch: ANY_EPOCH,
      committedMetadata: '',
    }));
    await this.#atCoordinator(group, (connection) =>
      offsetCommitV8.api.async(connection, group, NO_GENERATION, '', null, [{ name: this.#topic, partitions }]),
    );
  }

  #offsetAt(partition: number, timestamp: bigint): Promise<bigint> {
    const wanted = [{ partitionIndex: partition, currentLeaderEpoch: ANY_EPOCH, timestamp }];
    return this.again(async () => {
      const connection = await this.#connections.get(await this.leaderOf(partition), CONTROL);
      const topics = [{ name: this.#topic, partitions: wanted }];
      const answer = await listOffsetsV6.api.async(connection, ANY_REPLICA, READ_COMMITTED, topics);
      return answer.topics[0]?.partitions[0]?.offset ?? -1n;
    });
  }

  async #layout(): Promise<Leaders> {
    try {
      const connection = await this.#any();
      const answer = await metadataV9.api.async(connection, [this.#topic], false, false, false).catch(layoutWithin);
      this.#leaders = leadersOf(answer);
      return this.#leaders;
    } catch (error) {
      throw this.problemOf(error);
    }
  }

  #atCoordinator<Answer>(group: string, ask: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    return this.again(async () => {
      this.#coordinator ??= await this.#findCoordinator(group);
      return ask(await this.#connections.get(this.#coordinator, CONTROL));
    });
  }

  async #findCoordinator(group: string): Promise<Address> {
    const { coordinators } = await findCoordinatorV3.api.async(await this.#any(), GROUP, [group]);
    const [found] = coordinators;
    if (found === undefined) throw new Error(`no coordinator of group ${group}`);
    return { host: found.host, port: found.port };
  }

  /** A connection to a broker that has been good before, else to whichever of the mapping's servers answers first. */
  async #any(): Promise<Connection> {
    const known = this.#leaders?.values().find((leader) => leader !== null) ?? null;
    const good = known === null ? null : await this.#connections.get(known, CONTROL).catch(() => null);
    return good ?? Promise.any(this.#servers.map((address) => this.#connections.get(address, CONTROL)));
  }
}
