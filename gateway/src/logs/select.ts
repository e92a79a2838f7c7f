import { hash } from 'node:crypto';

import { parseFilterPattern } from './filter-pattern.ts';
import { type LinePlace, placesIn } from './lines.ts';
import type { EventPage, EventQuery, LogEvent, StreamSummary } from './query.ts';
import type { Chunk, RecentLogs } from './recent-logs.ts';

/** Lets others go first. */
export type Pause = () => Promise<void>;

/** Which events of all a page has. */
type PageQuery = Pick<EventQuery, 'take' | 'limit'>;

/** After so many bytes of lines, or so many lines, a search lets calls of functions go first. */
const TURN_BYTES = 262_144;
const TURN_LINES = 2_000;
/** What AWS counts of an event beside its text. */
const EVENT_COST_BYTES = 26;
/** Of the events of one page. */
const PAGE_BYTES = 1024 * 1024;

/** The events of one function that a query means. @throws LambdaError InvalidParameterException for a bad pattern */
export async function selectEvents(logs: Pick<RecentLogs, 'of'>, query: EventQuery, pause: Pause): Promise<EventPage> {
  const matches = parseFilterPattern(query.pattern);
  const found = new FoundEvents(query);
  let bytes = 0;
  let lines = 0;
  for (const chunk of logs.of(query)) {
    if (!isMeant(chunk.stream, query)) continue;
    const digits = digitsOf(chunk.stream);
    for (const place of placesIn(chunk)) {
      const event = eventAt(place, chunk, digits, query);
      if (event !== null && matches(event.message)) found.add(event);
      bytes += place.end - place.start;
      lines += 1;
      if (bytes < TURN_BYTES && lines < TURN_LINES) continue;
      bytes = 0;
      lines = 0;
      await pause();
    }
  }
  return found.page();
}

/** Events in any order, of which one page is wanted: what no more can get into it is let go, so that there are never more than two pages. */
export class FoundEvents {
  readonly #query: PageQuery;
  #events: LogEvent[] = [];
  #bytes = 0;
  #isCut = false;

  constructor(query: PageQuery) {
    this.#query = query;
  }

  /** How many are kept. */
  get size(): number {
    return this.#events.length;
  }

  add(event: LogEvent): void {
    this.#events.push(event);
    this.#bytes += costOf(event);
    if (this.#events.length <= 2 * this.#query.limit && this.#bytes <= 2 * PAGE_BYTES) return;
    const { events, isCut } = this.page();
    this.#events = [...events];
    this.#bytes = events.reduce((sum, each) => sum + costOf(each), 0);
    this.#isCut = isCut;
  }

  page(): EventPage {
    const { events, isCut } = pageOf(this.#events, this.#query);
    return { events, isCut: isCut || this.#isCut };
  }
}

/**
 * The first or last events by their ids, as many as one page has.
 *
 * @param events in any order
 */
export function pageOf(events: readonly LogEvent[], { take, limit }: PageQuery): EventPage {
  const sorted = events.toSorted(take === 'first' ? rising : (one, other) => rising(other, one));
  const page: LogEvent[] = [];
  let bytes = 0;
  for (const event of sorted) {
    bytes += costOf(event);
    if (page.length === limit || (bytes > PAGE_BYTES && page.length > 0)) break;
    page.push(event);
  }
  return { events: take === 'first' ? page : page.reverse(), isCut: page.length < sorted.length };
}

/** The streams of one function, by name. */
export function streamsIn(chunks: readonly Chunk[]): readonly StreamSummary[] {
  const streams = new Map<string, StreamSummary>();
  for (const chunk of chunks) {
    let firstMs: number | undefined;
    let lastMs = chunk.takenMs;
    for (const { atMs } of placesIn(chunk)) {
      firstMs ??= atMs;
      lastMs = atMs;
    }
    const known = streams.get(chunk.stream);
    streams.set(chunk.stream, {
      name: chunk.stream,
      createdMs: known?.createdMs ?? chunk.takenMs,
      firstMs: known?.firstMs ?? firstMs ?? chunk.takenMs,
      lastMs,
      takenMs: chunk.takenMs,
      bytes: (known?.bytes ?? 0) + chunk.entries.length,
    });
  }
  return [...streams.values()];
}

function isMeant(stream: string, { streams, prefix }: EventQuery): boolean {
  return (streams === null || streams.includes(stream)) && stream.startsWith(prefix);
}

/** null = the query does not mean it. */
function eventAt(place: LinePlace, chunk: Chunk, digits: string, query: EventQuery): LogEvent | null {
  const { number, atMs, start, end } = place;
  const { startMs, endMs, after, before } = query;
  if (atMs < startMs || atMs >= endMs) return null;
  const id = `${padded(atMs)}${digits}${padded(number)}`;
  if (id <= after || (before !== '' && id >= before)) return null;
  const { stream, entries, takenMs } = chunk;
  // Lambda's events end with the line's end, and tools that print them rely on it.
  return { id, stream, atMs, takenMs, message: `${entries.toString('utf8', start, end)}\n` };
}

function costOf({ message }: LogEvent): number {
  return Buffer.byteLength(message) + EVENT_COST_BYTES;
}

const rising = (one: LogEvent, other: LogEvent): number => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);

function padded(value: number): string {
  return String(value).padStart(20, '0');
}

/** Tells streams apart in ids. */
function digitsOf(stream: string): string {
  return String(Buffer.from(hash('sha256', stream), 'hex').readUIntBE(0, 6)).padStart(16, '0');
}
