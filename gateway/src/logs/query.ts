import type { LogOwner } from './recent-logs.ts';

/** A line as an event of a log. */
export interface LogEvent {
  /** 56 digits: time, stream, number; they order the events of a function, and are the same whoever is asked. */
  readonly id: string;
  readonly stream: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** When the platform got it. */
  readonly takenMs: number;
  /** Ends with a line feed. */
  readonly message: string;
}

/** Which events of a function are wanted. */
export interface EventQuery extends LogOwner {
  readonly kind: 'events';
  /** null = all. */
  readonly streams: readonly string[] | null;
  /** Of the streams' names. */
  readonly prefix: string;
  /** Epoch milliseconds; `endMs` is not in it. */
  readonly startMs: number;
  readonly endMs: number;
  /** @see parseFilterPattern */
  readonly pattern: string;
  /** Ids, neither in it; empty = no bound. */
  readonly after: string;
  readonly before: string;
  /** Which of them, when there are more than `limit`. */
  readonly take: 'first' | 'last';
  readonly limit: number;
}

/** Which streams a function has. */
export interface StreamsQuery extends LogOwner {
  readonly kind: 'streams';
}

/** Which functions of an account have a log. */
export interface GroupsQuery {
  readonly kind: 'groups';
  readonly accountId: string;
}

/** What one gateway asks another. */
export type LogQuery = EventQuery | StreamsQuery | GroupsQuery;

/** Events by rising ids. */
export interface EventPage {
  readonly events: readonly LogEvent[];
  /** There are more, on the side where the page ends. */
  readonly isCut: boolean;
}

/** What is known of one stream. */
export interface StreamSummary {
  readonly name: string;
  /** Epoch milliseconds, all of them. */
  readonly createdMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** When the platform got its newest line. */
  readonly takenMs: number;
  readonly bytes: number;
}

/** What a gateway answers; what was not asked for is empty. */
export interface LogAnswer {
  readonly page: EventPage;
  readonly streams: readonly StreamSummary[];
  readonly functions: readonly string[];
}

/** An answer without anything. */
export const nothing: LogAnswer = { page: { events: [], isCut: false }, streams: [], functions: [] };

/** Reads what {@link packQuery} has made of a query; both ends are gateways of this install. @throws Error */
export function parseQuery(bytes: Buffer): LogQuery {
  const query: Partial<LogQuery> = JSON.parse(String(bytes));
  if (query.kind === 'events' || query.kind === 'streams' || query.kind === 'groups') return query as LogQuery;
  throw new Error('a query of logs of an unknown kind');
}

/** The bytes of a query. A number without a bound is none in JSON: `endMs` is finite. */
export function packQuery(query: LogQuery): Buffer {
  return Buffer.from(JSON.stringify(query));
}

/** Reads an answer; what a gateway of another version leaves out is empty. @throws Error */
export function parseAnswer(bytes: Buffer): LogAnswer {
  const answer: Partial<LogAnswer> = JSON.parse(String(bytes));
  return { ...nothing, ...answer };
}
