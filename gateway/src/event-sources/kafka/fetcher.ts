import { ProtocolError } from '@platformatic/kafka';

import type { SourceProblem } from '../source-problem.ts';
import type { Cluster } from './cluster.ts';
import type { Address, Connections } from './connections.ts';
import { type FetchedPartition, fetchApi } from './fetch-answer.ts';

/** Of one partition, and of one fetch. A batch of records that is larger comes whole, up to what the broker takes (`message.max.bytes`). */
const PARTITION_BYTES = 512 * 1024;
const FETCH_BYTES = 4 * 1024 * 1024;
/** Connections to a broker: so many partitions of it wait for their records without waiting for each other. */
const LANES = 8;
/** Far below the time after which a broker counts as silent, milliseconds. */
const MAX_WAIT_MS = 1_000;
/** Partitions of one lane wait together; one that has records is not held up for longer, milliseconds. */
const SHARED_WAIT_MS = 250;
const READ_COMMITTED = 1;
const NO_SESSION = { id: 0, epoch: -1 };

/** One partition that somebody wants to read. */
interface Wanted {
  readonly partition: number;
  readonly offset: bigint;
  readonly waitMs: number;
  readonly done: (brought: FetchedPartition) => void;
  readonly failed: (error: SourceProblem) => void;
}

interface Lane {
  readonly address: Address;
  readonly name: string;
  wanted: Wanted[];
  isBusy: boolean;
}

/** Fetches records of one topic. Reads that come while a lane is busy go out together in its next fetch. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #connections: Connections;
  readonly #topic: string;
  readonly #lanes = new Map<string, Lane>();

  constructor(cluster: Cluster, connections: Connections, topic: string) {
    this.#cluster = cluster;
    this.#connections = connections;
    this.#topic = topic;
  }

  /**
   * What a partition has from an offset on; none came when its records are empty.
   *
   * @param waitMs for the first record; more than 1,000 is 1,000
   * @throws SourceProblem
   */
  async fetch(partition: number, offset: bigint, waitMs: number): Promise<FetchedPartition> {
    const lane = this.#laneOf(await this.#cluster.leaderOf(partition), partition);
    return new Promise((done, failed) => {
      lane.wanted.push({ partition, offset, waitMs, done, failed });
      if (!lane.isBusy) void this.#run(lane);
    });
  }

  #laneOf(address: Address, partition: number): Lane {
    const name = `fetch ${partition % LANES}`;
    const key = `${address.host}:${address.port} ${name}`;
    const lane = this.#lanes.get(key) ?? { address, name, wanted: [], isBusy: false };
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Never rejects: who waits is told. */
  async #run(lane: Lane): Promise<void> {
    lane.isBusy = true;
    while (lane.wanted.length > 0) {
      const wanted = lane.wanted;
      lane.wanted = [];
      try {
        this.#give(wanted, await this.#ask(lane, wanted));
      } catch (error) {
        const problem = this.#cluster.problemOf(error);
        for (const { failed } of wanted) failed(problem);
      }
    }
    lane.isBusy = false;
  }

  async #ask({ address, name }: Lane, wanted: readonly Wanted[]): Promise<readonly FetchedPartition[]> {
    const connection = await this.#connections.get(address, name);
    const waitMs = Math.min(
      MAX_WAIT_MS,
      ...wanted.map((one) => one.waitMs),
      wanted.length > 1 ? SHARED_WAIT_MS : Number.POSITIVE_INFINITY,
    );
    const partitions = wanted.map(({ partition, offset }) => ({
      partition,
      fetchOffset: offset,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: PARTITION_BYTES,
    }));
    const topics = [{ topicId: this.#topic, partitions }]; // this version has names where later ones have ids
    const { id, epoch } = NO_SESSION;
    const limits = [waitMs, 1, FETCH_BYTES] as const;
    const answer = await fetchApi.async(connection, ...limits, READ_COMMITTED, id, epoch, topics, [], '');
    if (answer.errorCode !== 0) throw new ProtocolError(answer.errorCode);
    return answer.partitions;
  }

  #give(wanted: readonly Wanted[], brought: readonly FetchedPartition[]): void {
    for (const { partition, done, failed } of wanted) {
      const own = brought.find((one) => one.partition === partition);
      if (own === undefined) failed(this.#cluster.problemOf(new Error(`no answer for partition ${partition}`)));
      else if (own.errorCode === 0) done(own);
      else failed(this.#cluster.problemOf(new ProtocolError(own.errorCode)));
    }
  }
}
