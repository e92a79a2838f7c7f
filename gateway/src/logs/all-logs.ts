import { placeOf } from '@kappa/crds/accounts';

import {
  type EventPage,
  type EventQuery,
  type LogAnswer,
  type LogEvent,
  type LogQuery,
  nothing,
  packQuery,
  parseAnswer,
  parseQuery,
  type StreamSummary,
} from './query.ts';
import type { LogOwner, RecentLogs } from './recent-logs.ts';
import { type Pause, pageOf, selectEvents, streamsIn } from './select.ts';

/** What {@link AllLogs} works with. */
export interface AllLogsDeps {
  readonly own: Pick<RecentLogs, 'of' | 'functionsOf'>;
  /** Asks every other gateway; one answer of each that gives one in time. */
  readonly askOthers: (question: Buffer) => Promise<readonly Buffer[]>;
  readonly pause: Pause;
}

/** What is asked of logs, for one region. */
export type LogReader = Pick<AllLogs, 'events' | 'streams' | 'functions'>;

/**
 * The recent logs of the whole install: a pod tells its lines to one gateway, so whoever is asked asks all the others. One that does not
 * answer is left out: what it has is missing, as if it had ended.
 */
export class AllLogs {
  readonly #deps: AllLogsDeps;

  constructor(deps: AllLogsDeps) {
    this.#deps = deps;
  }

  /** @throws LambdaError InvalidParameterException for a bad pattern */
  async events(query: Omit<EventQuery, 'kind'>): Promise<EventPage> {
    const pages = (await this.#ask({ ...query, kind: 'events' })).map(({ page }) => page);
    return mergePages(pages, query);
  }

  /** By name. */
  async streams(owner: LogOwner): Promise<readonly StreamSummary[]> {
    const { accountId, functionName } = owner;
    const merged = new Map<string, StreamSummary>();
    for (const { streams } of await this.#ask({ kind: 'streams', accountId, functionName }))
      for (const stream of streams) merged.set(stream.name, mergeStreams(merged.get(stream.name), stream));
    return [...merged.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Lambda's names of functions of an account that have a log. */
  async functions(accountId: string): Promise<ReadonlySet<string>> {
    return new Set((await this.#ask({ kind: 'groups', accountId })).flatMap(({ functions }) => functions));
  }

  /** The logs of another region than the install's own: another account by the same number. */
  inRegion(region: string): LogReader {
    return {
      events: (query) => this.events({ ...query, accountId: placeOf(query.accountId, region) }),
      streams: ({ accountId, functionName }) => this.streams({ accountId: placeOf(accountId, region), functionName }),
      functions: (accountId) => this.functions(placeOf(accountId, region)),
    };
  }

  /** Answers another gateway out of the own memory. @throws Error for a question that is none */
  async answer(question: Buffer): Promise<Buffer> {
    return Buffer.from(JSON.stringify(await this.#own(parseQuery(question))));
  }

  /** The own answer and those of the others. */
  async #ask(query: LogQuery): Promise<readonly LogAnswer[]> {
    const others = this.#deps.askOthers(packQuery(query));
    const own = await this.#own(query);
    return [own, ...(await others).map(parseAnswer)];
  }

  async #own(query: LogQuery): Promise<LogAnswer> {
    const { own, pause } = this.#deps;
    if (query.kind === 'groups') return { ...nothing, functions: own.functionsOf(query.accountId) };
    if (query.kind === 'streams') return { ...nothing, streams: streamsIn(own.of(query)) };
    return { ...nothing, page: await selectEvents(own, query, pause) };
  }
}

/** Where one gateway's page ends, nothing is known of what it has behind: so far, and no farther, the merged one goes. */
function mergePages(pages: readonly EventPage[], query: Pick<EventQuery, 'take' | 'limit'>): EventPage {
  const isFirst = query.take === 'first';
  const ends = pages.flatMap(({ events, isCut }) => (isCut ? ((isFirst ? events.at(-1) : events[0])?.id ?? []) : []));
  const [end] = ends.toSorted((one, other) => (one < other === isFirst ? -1 : 1));
  const events = new Map<string, LogEvent>();
  for (const event of pages.flatMap((page) => page.events))
    if (end === undefined || (isFirst ? event.id <= end : event.id >= end)) events.set(event.id, event);
  const merged = pageOf([...events.values()], query);
  return { events: merged.events, isCut: merged.isCut || end !== undefined };
}

function mergeStreams(one: StreamSummary | undefined, other: StreamSummary): StreamSummary {
  if (one === undefined) return other;
  return {
    name: one.name,
    createdMs: Math.min(one.createdMs, other.createdMs),
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    takenMs: Math.max(one.takenMs, other.takenMs),
    bytes: one.bytes + other.bytes,
  };
}
