import type { Position, QueueMessage, Shard, SourceRecord } from './record.ts';
import type { OpenQueue, OpenStream, QueueAction, ReadResult, ReadWish, ReceiveWish } from './source.ts';

/**
 * A queue in memory: at least once, a visibility time-out, a dead-letter list, order within a key. It passes the same table of tests as the real ones. Its clock is
 * handed in, so nothing in it waits: an empty receive answers at once.
 */
export class FakeQueue implements OpenQueue {
  readonly kind = 'queue';
  readonly holdMs: number;
  /** The next calls of these fail, once each. */
  readonly nextErrors: Partial<Record<'receive' | QueueAction, Error>> = {};
  /** Ids that are gone for good, in that order. */
  readonly deleted: string[] = [];
  readonly dead: string[] = [];
  readonly #nowMs: () => number;
  readonly #maxReceives: number;
  readonly #messages = new Map<string, { message: QueueMessage; visibleMs: number; receives: number }>();

  constructor({ nowMs, holdMs = 30_000, maxReceives = Number.POSITIVE_INFINITY }: FakeQueueOptions) {
    this.#nowMs = nowMs;
    this.holdMs = holdMs;
    this.#maxReceives = maxReceives;
  }

  /** Messages that are not gone. */
  get size(): number {
    return this.#messages.size;
  }

  send(...records: readonly SourceRecord[]): void {
    for (const record of records) {
      const message = { ...record, handle: '', receives: 0 };
      this.#messages.set(record.id, { message, visibleMs: Number.NEGATIVE_INFINITY, receives: 0 });
    }
  }

  async receive({ max }: ReceiveWish): Promise<readonly QueueMessage[]> {
    this.#fail('receive');
    const given: QueueMessage[] = [];
    const out = this.#keysOut();
    for (const [id, entry] of this.#messages) {
      if (given.length === Math.min(max, 10)) break;
      if (entry.visibleMs > this.#nowMs() || out.has(entry.message.key)) continue;
      if (entry.receives >= this.#maxReceives) {
        this.#messages.delete(id);
        this.dead.push(id);
        continue;
      }
      entry.receives += 1;
      entry.visibleMs = this.#nowMs() + this.holdMs;
      given.push({ ...entry.message, handle: `${id} ${entry.receives}`, receives: entry.receives });
    }
    return given;
  }

  async settle(messages: readonly QueueMessage[], action: QueueAction): Promise<readonly QueueMessage[]> {
    this.#fail(action);
    return messages.filter((message) => !this.#settleOne(message, action));
  }

  eventOf(records: readonly SourceRecord[]): string {
    return `{"Records":[${records.map(({ text }) => text).join(',')}]}`;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Of messages that somebody has: those behind them wait, as in a FIFO queue. */
  #keysOut(): ReadonlySet<string | null> {
    const out = [...this.#messages.values()].filter(({ visibleMs }) => visibleMs > this.#nowMs());
    return new Set(out.flatMap(({ message }) => message.key ?? []));
  }

  /** false = the handle is an old one: somebody else has it. */
  #settleOne({ id, handle }: QueueMessage, action: QueueAction): boolean {
    const entry = this.#messages.get(id);
    if (entry === undefined || handle !== `${id} ${entry.receives}`) return false;
    if (action === 'delete' || action === 'reject') this.#messages.delete(id);
    if (action === 'delete') this.deleted.push(id);
    if (action === 'reject') this.dead.push(id);
    if (action === 'release') entry.visibleMs = this.#nowMs();
    if (action === 'hold') entry.visibleMs = this.#nowMs() + this.holdMs;
    return true;
  }

  #fail(call: 'receive' | QueueAction): void {
    const error = this.nextErrors[call];
    delete this.nextErrors[call];
    if (error !== undefined) throw error;
  }
}

export interface FakeQueueOptions {
  readonly nowMs: () => number;
  readonly holdMs?: number;
  /** After so many a message is dead. */
  readonly maxReceives?: number;
}

/** A stream in memory, of shards that can end and have children. */
export class FakeStream implements OpenStream {
  readonly kind = 'stream';
  /** The next read fails with it. */
  nextError: Error | null = null;
  readonly #shards = new Map<string, { shard: Shard; records: SourceRecord[]; isClosed: boolean }>();

  /** Opens a shard. */
  add(id: string, ...parents: string[]): void {
    this.#shards.set(id, { shard: { id, parents }, records: [], isClosed: false });
  }

  put(shard: string, ...records: readonly SourceRecord[]): void {
    this.#of(shard).records.push(...records);
  }

  /** Nothing more comes into it. */
  end(shard: string): void {
    this.#of(shard).isClosed = true;
  }

  shards(): Promise<readonly Shard[]> {
    return Promise.resolve([...this.#shards.values()].map(({ shard }) => shard));
  }

  async read({ shard, from, max }: ReadWish): Promise<ReadResult> {
    const error = this.nextError;
    this.nextError = null;
    if (error !== null) throw error;
    const { records: all, isClosed } = this.#of(shard.id);
    const first = firstOf(all, from);
    const records = all.slice(first, first + max);
    const last = records.at(-1);
    const behindRecords = all.length - first - records.length;
    return {
      records,
      next: last === undefined ? from : { kind: 'after', id: last.id },
      isEnd: isClosed && behindRecords === 0,
      behindMs: null,
      behindRecords,
      restMs: 0,
    };
  }

  eventOf(_shard: Shard, records: readonly SourceRecord[], extra: Readonly<Record<string, unknown>>): string {
    const members = JSON.stringify(extra).slice(1, -1);
    return `{"Records":[${records.map(({ text }) => text).join(',')}]${members === '' ? '' : `,${members}`}}`;
  }

  infoOf(shard: Shard, records: readonly SourceRecord[]): readonly [string, Readonly<Record<string, unknown>>] {
    return ['FakeBatchInfo', { shardId: shard.id, batchSize: records.length }];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #of(id: string): { records: SourceRecord[]; isClosed: boolean } {
    const found = this.#shards.get(id);
    if (found === undefined) throw new Error(`there is no shard ${id}`);
    return found;
  }
}

function firstOf(records: readonly SourceRecord[], from: Position): number {
  if (from.kind === 'start') return 0;
  if (from.kind === 'after') return records.findIndex(({ id }) => id === from.id) + 1;
  const first = records.findIndex(({ arrivedMs }) => arrivedMs >= from.ms);
  return first === -1 ? records.length : first;
}
