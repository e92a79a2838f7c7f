import { hash } from 'node:crypto';

import { parseFilterPattern } from './filter-pattern.ts';
import { placesIn } from './lines.ts';
import type { EventPage, EventQuery, LogEvent, StreamSummary } from './query.ts';
import type { Chunk, RecentLogs } from './recent-logs.ts';

/** Lets others go first. */
export type Pause = () => Promise<void>;

/** After so many bytes of lines a search lets calls of functions go first. */
const TURN_BYTES = 262_144;
/** What AWS counts of an event beside its text. */
const EVENT_COST_BYTES = 26;
/** Of the events of one page. */
const PAGE_BYTES = 1024 * 1024;

/** The events of one function that a query means. @throws LambdaError InvalidParameterException for a bad pattern */
export async function selectEvents(logs: Pick<RecentLogs, 'of'>, query: EventQuery, pause: Pause): Promise<EventPage> {
  const matches = parseFilterPattern(query.pattern);
  const found: LogEvent[] = [];
  let seenBytes = 0;
  for (const chunk of logs.of(query)) {
    if (!isMeant(chunk.stream, query)) continue;
    for (const event of eventsIn(chunk, query)) if (matches(event.message)) found.push(event);
    seenBytes += chunk.entries.length;
    if (seenBytes < TURN_BYTES) continue;
    seenBytes = 0;
    await pause();
  }
  return pageOf(found, query);
}

/**
 * The first or last events by their ids, as many as one page has.
 *
 * @param events in any order
 */
export function pageOf(events: readonly LogEvent[], { take, limit }: Pick<EventQuery, 'take' | 'limit'>): EventPage {
  const sorted = events.toSorted(take === 'first' ? rising : (one, other) => rising(other, one));
  const page: LogEvent[] = [];
  let bytes = 0;
  for (const event of sorted) {
    bytes += Buffer.byteLength(event.message) + EVENT_COST_BYTES;
    if (page.length === limit || (bytes > PAGE_BYTES && page.length > 0)) break;
    page.push(event);
  }
  return { events: take === 'first' ? page : page.reverse(), isCut: page.length < sorted.length };
}

/** The streams of one function, by name. */
export function streamsIn(chunks: readonly Chunk[]): readonly StreamSummary[] {
  const streams = new Map<string, StreamSummary>();
  for (const chunk of chunks) {
    const times = [...placesIn(chunk)].map(({ atMs }) => atMs);
    const known = streams.get(chunk.stream);
    streams.set(chunk.stream, {
      name: chunk.stream,
      createdMs: known?.createdMs ?? chunk.takenMs,
      firstMs: known?.firstMs ?? times[0] ?? chunk.takenMs,
      lastMs: times.at(-1) ?? chunk.takenMs,
      takenMs: chunk.takenMs,
      bytes: (known?.bytes ?? 0) + chunk.entries.length,
    });
  }
  return [...streams.values()];
}

function isMeant(stream: string, { streams, prefix }: EventQuery): boolean {
  return (streams === null || streams.includes(stream)) && stream.startsWith(prefix);
}

function* eventsIn(chunk: Chunk, { startMs, endMs, after, before }: EventQuery): Generator<LogEvent> {
  const { stream, entries, takenMs } = chunk;
  const digits = digitsOf(stream);
  for (const { number, atMs, start, end } of placesIn(chunk)) {
    if (atMs < startMs || atMs >= endMs) continue;
    const id = `${padded(atMs)}${digits}${padded(number)}`;
    if (id <= after || (before !== '' && id >= before)) continue;
    // Lambda's events end with the line's end, and tools that print them rely on it.
    yield { id, stream, atMs, takenMs, message: `${entries.toString('utf8', start, end)}\n` };
  }
}

const rising = (one: LogEvent, other: LogEvent): number => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);

function padded(value: number): string {
  return String(value).padStart(20, '0');
}

/** Tells streams apart in ids. */
function digitsOf(stream: string): string {
  return String(Buffer.from(hash('sha256', stream), 'hex').readUIntBE(0, 6)).padStart(16, '0');
}
