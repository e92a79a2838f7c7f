import type { LogLines } from '../link/link.ts';
import { isStreamName, placesIn } from './lines.ts';

/** Where a stream's events go. */
export interface ShipStream {
  /** Of a server that speaks CloudWatch Logs. */
  readonly endpoint: string;
  readonly group: string;
  readonly stream: string;
}

/** One event as PutLogEvents takes it. */
export interface ShipEvent {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

/** What becomes of one batch: stored, all but `rejected` of them; to be tried again; or refused for good (why). */
export type ShipResult =
  | { readonly kind: 'stored'; readonly rejected: number }
  | { readonly kind: 'again' | 'refused'; readonly why: string };

/** What {@link Shipper} works with. */
export interface ShipperDeps {
  /** Never rejects. */
  readonly send: (to: ShipStream, events: readonly ShipEvent[]) => Promise<ShipResult>;
  /** Calls back once, later. */
  readonly after: (ms: number, then: () => void) => void;
  /** Hears why events were dropped. */
  readonly onDropped: (why: string, to: ShipStream) => void;
}

/** Numbers since the start, and of now. */
export interface ShipperStats {
  readonly shipped: number;
  readonly dropped: number;
  readonly pendingBytes: number;
}

/** What one endpoint has of what all share. */
interface Share {
  pendingBytes: number;
  sending: number;
}

interface Queue {
  readonly key: string;
  readonly to: ShipStream;
  readonly share: Share;
  readonly events: ShipEvent[];
  isSending: boolean;
  /** Of the batch at the head. */
  tries: number;
}

/** AWS's bounds of one PutLogEvents; each event counts 26 bytes more than its text. */
const BATCH_EVENTS = 10_000;
const BATCH_BYTES = 1_048_576;
const EVENT_COST_BYTES = 26;
const BATCH_SPAN_MS = 24 * 3_600_000;
/** What may wait, of all streams together; half of it for one endpoint. */
const PENDING_BYTES = 16 * 1024 * 1024;
/** Streams that have something that waits. */
const MAX_QUEUES = 10_000;
/** Events are collected for so long. */
const COLLECT_MS = 1_000;
/** Batches that are sent at one time; half of them to one endpoint. */
const CONCURRENCY = 8;
/** A batch is tried so often, a minute in all: pauses double from the first to the longest one. */
const TRIES = 12;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 8_000;

/**
 * Sends log lines to servers that speak CloudWatch Logs: in order, in batches within AWS's bounds, one at a time for each stream; streams
 * take turns, and no endpoint has more than half. Memory is bounded, and so are tries: what does not fit, or is not taken, is dropped,
 * counted and told.
 */
export class Shipper {
  readonly #deps: ShipperDeps;
  /** Whose turn it is first. */
  readonly #queues = new Map<string, Queue>();
  /** By endpoint; those of the queues. */
  readonly #shares = new Map<string, Share>();
  #sending = 0;
  #pendingBytes = 0;
  #shipped = 0;
  #dropped = 0;
  #isDue = false;
  /** There is more to send than may be under way. */
  #isBehind = false;

  constructor(deps: ShipperDeps) {
    this.#deps = deps;
  }

  /** Takes lines; they are copied. Those of a stream whose name could be none are not taken. */
  take(to: ShipStream, lines: LogLines): void {
    if (!isStreamName(to.stream)) return;
    let queue: Queue | null = null;
    for (const { atMs, start, end } of placesIn(lines)) {
      queue ??= this.#queueOf(to);
      if (queue === null) {
        this.#drop(to, 1, 'too many streams wait');
        continue;
      }
      const event = { timestamp: atMs, message: lines.entries.toString('utf8', start, end) };
      const bytes = costOf(event);
      if (this.#pendingBytes + bytes > PENDING_BYTES || queue.share.pendingBytes + bytes > PENDING_BYTES / 2)
        this.#drop(to, 1, 'too much waits');
      else {
        queue.events.push(event);
        this.#pend(queue, bytes);
      }
    }
    if (queue !== null) this.#schedule();
  }

  stats(): ShipperStats {
    return { shipped: this.#shipped, dropped: this.#dropped, pendingBytes: this.#pendingBytes };
  }

  /** null = there are too many. */
  #queueOf(to: ShipStream): Queue | null {
    const key = `${to.endpoint} ${to.group} ${to.stream}`;
    const known = this.#queues.get(key);
    if (known !== undefined) return known;
    if (this.#queues.size >= MAX_QUEUES) return null;
    const share = this.#shares.get(to.endpoint) ?? { pendingBytes: 0, sending: 0 };
    this.#shares.set(to.endpoint, share);
    const queue = { key, to, share, events: [], isSending: false, tries: 0 };
    this.#queues.set(key, queue);
    return queue;
  }

  #pend({ share }: Queue, bytes: number): void {
    this.#pendingBytes += bytes;
    share.pendingBytes += bytes;
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#deps.after(COLLECT_MS, () => {
      this.#isDue = false;
      this.#sendAll();
    });
  }

  #sendAll(): void {
    this.#isBehind = false;
    for (const queue of this.#queues.values()) {
      if (queue.isSending) continue;
      if (queue.events.length === 0) this.#forget(queue);
      else if (this.#sending < CONCURRENCY && queue.share.sending < CONCURRENCY / 2) void this.#send(queue);
      else this.#isBehind = true;
    }
  }

  #forget({ key, to, share }: Queue): void {
    this.#queues.delete(key);
    if (share.pendingBytes === 0) this.#shares.delete(to.endpoint); // its other queues are empty, too: they are forgotten with this one
  }

  async #send(queue: Queue): Promise<void> {
    const batch = batchOf(queue.events);
    queue.isSending = true;
    this.#sending += 1;
    queue.share.sending += 1;
    const result = await this.#deps.send(queue.to, batch);
    this.#sending -= 1;
    queue.share.sending -= 1;
    queue.tries += 1;
    if (result.kind === 'again' && queue.tries < TRIES) {
      this.#deps.after(Math.min(FIRST_PAUSE_MS * 2 ** (queue.tries - 1), MAX_PAUSE_MS), () => {
        queue.isSending = false;
        this.#sendAll();
      });
      if (this.#isBehind) this.#sendAll();
      return;
    }
    queue.events.splice(0, batch.length);
    this.#pend(queue, -batch.reduce((sum, event) => sum + costOf(event), 0));
    queue.tries = 0;
    queue.isSending = false;
    this.#queues.delete(queue.key);
    this.#queues.set(queue.key, queue); // the others' turn
    const rejected = result.kind === 'stored' ? result.rejected : batch.length;
    this.#shipped += batch.length - rejected;
    if (rejected > 0) this.#drop(queue.to, rejected, result.kind === 'stored' ? 'too old, or too new' : result.why);
    if (this.#isBehind || queue.events.length > 0) this.#sendAll();
    this.#schedule(); // at last to forget what is empty
  }

  #drop(to: ShipStream, count: number, why: string): void {
    this.#dropped += count;
    this.#deps.onDropped(why, to);
  }
}

/** The first events that one call may have; at least one. */
function batchOf(events: readonly ShipEvent[]): readonly ShipEvent[] {
  const startMs = events[0]?.timestamp ?? 0;
  let bytes = 0;
  let count = 0;
  for (const event of events) {
    bytes += costOf(event);
    if (count === BATCH_EVENTS || (count > 0 && (bytes > BATCH_BYTES || event.timestamp - startMs > BATCH_SPAN_MS)))
      break;
    count += 1;
  }
  return events.slice(0, count);
}

function costOf({ message }: ShipEvent): number {
  return Buffer.byteLength(message) + EVENT_COST_BYTES;
}
