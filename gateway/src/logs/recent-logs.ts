import type { LogLines } from '../link/link.ts';
import { isStreamName } from './lines.ts';

/** Whose log it is. */
export interface LogOwner {
  readonly accountId: string;
  /** Lambda's name. */
  readonly functionName: string;
}

/** Lines of one stream, as they came. */
export interface Chunk extends LogLines {
  /** When they came, epoch milliseconds. */
  readonly takenMs: number;
}

/** Sizes, for gauges. */
export interface RecentLogsStats {
  readonly bytes: number;
  readonly functions: number;
  /** Bytes that made room for newer ones, since the start. */
  readonly forgottenBytes: number;
}

interface FunctionLog {
  readonly key: string;
  readonly owner: LogOwner;
  /** The oldest first. */
  readonly chunks: Set<Chunk>;
  bytes: number;
}

/** What a chunk costs beside its lines, roughly. */
const CHUNK_COST_BYTES = 256;
/** One function has at most this part of all. */
const FUNCTION_SHARE = 1 / 8;

/**
 * The newest log lines of functions, in memory. Lines are kept as agents send them and read only when somebody asks, so that to keep them
 * costs one copy. Two bounds: all together have `maxBytes`, one function an eighth of it; what is oldest goes. Lost when the
 * process ends: stdout of the pods has everything (docs/adr/0011-recent-logs.md).
 */
export class RecentLogs {
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** By account and name. */
  readonly #logs = new Map<string, FunctionLog>();
  /** The oldest first. */
  readonly #chunks = new Map<Chunk, FunctionLog>();
  #bytes = 0;
  #forgottenBytes = 0;

  /** @param now epoch milliseconds */
  constructor({ maxBytes, now }: { readonly maxBytes: number; readonly now: () => number }) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Copies the lines. Those of a stream whose name could be none are not taken. */
  take(owner: LogOwner, { stream, first, entries }: LogLines): void {
    if (!isStreamName(stream) || entries.length === 0) return;
    const copy = Buffer.allocUnsafeSlow(entries.length); // its own memory: nothing else stays because of it
    entries.copy(copy);
    const chunk = { stream, first, entries: copy, takenMs: this.#now() };
    const log = this.#logOf(owner);
    log.chunks.add(chunk);
    log.bytes += costOf(chunk);
    this.#chunks.set(chunk, log);
    this.#bytes += costOf(chunk);
    while (log.bytes > this.#maxBytes * FUNCTION_SHARE) this.#forgetFirst(log.chunks.keys());
    while (this.#bytes > this.#maxBytes) this.#forgetFirst(this.#chunks.keys());
  }

  /** What there is of a function's log, in the order in which it came. */
  of({ accountId, functionName }: LogOwner): readonly Chunk[] {
    return [...(this.#logs.get(`${accountId}/${functionName}`)?.chunks ?? [])];
  }

  /** Names of the functions of an account that have a log. */
  functionsOf(accountId: string): readonly string[] {
    return [...this.#logs.values()].flatMap(({ owner }) => (owner.accountId === accountId ? owner.functionName : []));
  }

  stats(): RecentLogsStats {
    return { bytes: this.#bytes, functions: this.#logs.size, forgottenBytes: this.#forgottenBytes };
  }

  #logOf(owner: LogOwner): FunctionLog {
    const key = `${owner.accountId}/${owner.functionName}`;
    const known = this.#logs.get(key);
    if (known !== undefined) return known;
    const { accountId, functionName } = owner;
    const log = { key, owner: { accountId, functionName }, chunks: new Set<Chunk>(), bytes: 0 };
    this.#logs.set(key, log);
    return log;
  }

  #forgetFirst(chunks: Iterator<Chunk>): void {
    const { value: chunk } = chunks.next();
    const log = chunk === undefined ? undefined : this.#chunks.get(chunk);
    if (log === undefined) return;
    this.#chunks.delete(chunk);
    log.chunks.delete(chunk);
    log.bytes -= costOf(chunk);
    this.#bytes -= costOf(chunk);
    this.#forgottenBytes += chunk.entries.length;
    if (log.chunks.size === 0) this.#logs.delete(log.key);
  }
}

function costOf({ entries }: Chunk): number {
  return entries.length + CHUNK_COST_BYTES;
}
