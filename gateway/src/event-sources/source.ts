import type { ClientConfig } from '../async/destinations/neighbours.ts';
import type { AddressGuard } from './address-guard.ts';
import type { MappingView } from './mapping/mapping-view.ts';
import type { Position, QueueMessage, Shard, SourceRecord } from './record.ts';
import type { SourceProblem } from './source-problem.ts';

/**
 * What the folder of one source gives: all that is different about it. Receiving, filtering, batching, invoking, retrying and ownership are
 * the same for all and know no source by name. A new source is a folder with one of these, and a line in `sources.ts`.
 */
export interface EventSource {
  /** In conditions, metrics and logs, e.g. `sqs`. */
  readonly name: string;
  /** Whether it is this source that the mapping names. Of all sources at most one says so. */
  readonly serves: (mapping: Pick<MappingView, 'source'>) => boolean;
  readonly traits: SourceTraits;
  /**
   * Connects. May take as long as it likes while `signal` is not aborted: the poller has its own deadline (15 s).
   *
   * @throws SourceProblem, which becomes the mapping's condition
   */
  readonly open: (mapping: MappingView, deps: OpenDeps) => Promise<OpenSource>;
}

/** What is always so for a source. */
export interface SourceTraits {
  /** Records of one batch where the mapping does not say. */
  readonly batchSize: number;
  /** Where the mapping does not say, milliseconds. */
  readonly batchWindowMs: number;
  /** Members of a record that are text of the user, in the order in which filters name them. */
  readonly dataKeys: readonly string[];
  /** What becomes of a record whose data is text where the pattern is for JSON, or the other way round. */
  readonly onMismatch: 'drop' | 'metadataOnly';
  /** `StateTransitionReason` after a change by the user. */
  readonly userAction: 'User action' | 'USER_INITIATED';
}

/** What a source works with. */
export interface OpenDeps {
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A value of the mapping's `sourceAccessConfigurations`, e.g. user and password. @throws SourceProblem `CredentialsMissing` */
  readonly secret: (uri: string) => Promise<Readonly<Record<string, string>>>;
  /**
   * How a client of one of AWS's services is made for the mapping's namespace: one try for each call, 10 s for an answer.
   *
   * @param variable e.g. `AWS_ENDPOINT_URL_SQS`
   * @param arn of what is read
   * @throws SourceProblem `InvalidSource` when neither the install nor the namespace says where the service is
   */
  readonly aws: (variable: string, arn: string) => ClientConfig;
  /** Where the mapping's servers, and those that they name, may be connected to. Asked for every connection. */
  readonly guard: AddressGuard;
  /** Tells of what went wrong and is being tried again; the same one again costs nothing. */
  readonly onProblem: (problem: SourceProblem) => void;
}

export type OpenSource = OpenQueue | OpenStream;

/**
 * A queue: it remembers which message was given to whom, so nothing of it has to be kept here. All of it may reject with SourceProblem.
 *
 * Every message that was received is settled once by `delete`, `leave`, `release` or `reject`, and held any number of times before. One that
 * is not settled (the gateway died) comes back by the source's own rules.
 */
export interface OpenQueue {
  readonly kind: 'queue';
  /** So long a message is kept from others after `receive` or `hold`, milliseconds; null = until it is settled or the connection ends. */
  readonly holdMs: number | null;
  /** Up to `max` messages; waits for the first up to `waitMs`. Empty = none came. More than one call may be under way. */
  receive(wish: ReceiveWish): Promise<readonly QueueMessage[]>;
  /** Answers those for which it did not happen: the source said no, or nobody knows. */
  settle(messages: readonly QueueMessage[], action: QueueAction): Promise<readonly QueueMessage[]>;
  /** The function's event. */
  eventOf(records: readonly SourceRecord[]): string;
  close(): Promise<void>;
}

export interface ReceiveWish {
  readonly max: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * | action | SQS | RabbitMQ | Redis Streams |
 * | --- | --- | --- | --- |
 * | delete: done with it | DeleteMessageBatch | ack | XACK |
 * | leave: it failed, and comes back by the queue's rules | nothing: its visibility time-out | nack, requeue | nothing: claimed again when idle |
 * | release: it was not tried; at once for others | visibility 0 | nack, requeue | XCLAIM JUSTID to nobody, idle at its most |
 * | hold: kept for another `holdMs` | visibility `holdMs` | nothing | XCLAIM JUSTID to oneself |
 * | reject: it can never be run | nothing | nack without requeue (dead-letter exchange) | XACK after a copy to `KEY:dead` |
 */
export type QueueAction = 'delete' | 'leave' | 'release' | 'hold' | 'reject';

/** Ordered shards that are read from a position; who reads says where to go on. All of it may reject with SourceProblem. */
export interface OpenStream {
  readonly kind: 'stream';
  /** All shards that the source still has, parents included. */
  shards(): Promise<readonly Shard[]>;
  /** Records from `from` on, in order. Waits for the first up to `waitMs` where the source can, else answers at once. */
  read(wish: ReadWish): Promise<ReadResult>;
  /** The function's event. @param extra members of tumbling windows, put beside the records */
  eventOf(shard: Shard, records: readonly SourceRecord[], extra: Readonly<Record<string, unknown>>): string;
  /** What a record of failure says of a batch: its name, e.g. `KinesisBatchInfo`, and its members. */
  infoOf(
    shard: Shard,
    records: readonly SourceRecord[],
  ): readonly [name: string, members: Readonly<Record<string, unknown>>];
  /**
   * Where readers that came before have stopped, by the source's own book (Kafka's group): goes before the mapping's starting position, and is asked
   * only for a shard without a checkpoint. null = nobody has. Absent = the source keeps no such book.
   */
  committed?(shard: Shard): Promise<Position | null>;
  /** A position was written down. For sources whose own tools show how far a reader is (Kafka's groups). Never rejects. Absent = none do. */
  onCheckpoint?(shard: Shard, position: Position): void;
  /**
   * Writes what was given up into a topic of the same cluster, for a destination `kafka://TOPIC`: one letter for each record, under its key, with the
   * record as it was in the event. Absent = the source has no topics.
   *
   * @param failureOf the record of failure, a JSON object, by what it says of a record
   */
  sendDeadLetters?(
    topic: string,
    shard: Shard,
    records: readonly SourceRecord[],
    failureOf: (info: BatchInfo) => string,
  ): Promise<void>;
  close(): Promise<void>;
}

/** What a record of failure says of a batch, e.g. `KinesisBatchInfo`. */
export type BatchInfo = readonly [name: string, members: Readonly<Record<string, unknown>>];

export interface ReadWish {
  readonly shard: Shard;
  readonly from: Position;
  readonly max: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export interface ReadResult {
  readonly records: readonly SourceRecord[];
  /** After the last of `records`, or `from` when there are none. */
  readonly next: Position;
  /** The shard is closed and `records` are its last ones. */
  readonly isEnd: boolean;
  /** How long the newest record of the shard has been there unread, milliseconds; 0 = all was read; null = the source does not say. */
  readonly behindMs: number | null;
  /** Records that are still unread; null = the source does not say. */
  readonly behindRecords: number | null;
  /** Do not ask again before so long, milliseconds: the source's own limit of reads. */
  readonly restMs: number;
}
