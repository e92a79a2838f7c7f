import { InvalidArgumentError } from 'commander';
import { type AccessKey, signedHeaders } from './sign-request.ts';

/** Where a gateway is, and who asks it. */
export interface EventsClient {
  readonly endpoint: string;
  /** null = requests go unsigned. */
  readonly key: AccessKey | null;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** `namespace/name` of the Function object; undefined = the one that has the name now. */
  readonly object?: string | undefined;
}

/** An event as lists have it. */
export interface ListedEvent {
  readonly requestId: string;
  readonly condition?: string;
  readonly at: string;
  readonly attempts: number;
  readonly errorMessage?: string;
}

interface Page {
  readonly events: readonly ListedEvent[];
  readonly next?: string;
}

/** How many events are asked for. @throws InvalidArgumentError when it is no whole number from 1 on */
export function readLimit(text: string): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1) throw new InvalidArgumentError('It is a whole number, 1 or more.');
  return limit;
}

/** Dead events of a function, newest first; all of them, or as many as are wanted. */
export async function listEvents(client: EventsClient, name: string, limit: number): Promise<readonly ListedEvent[]> {
  const events: ListedEvent[] = [];
  let after: string | undefined = '';
  while (after !== undefined && events.length < limit) {
    const query = new URLSearchParams({ limit: String(Math.min(100, limit - events.length)) });
    if (after !== '') query.set('after', after);
    const page = JSON.parse(await ask(client, 'GET', `${encodeURIComponent(name)}?${query}`)) as Page; // the gateway's own
    events.push(...page.events);
    after = page.next;
  }
  return events;
}

/** One event, JSON text, as the gateway tells it. */
export function showEvent(client: EventsClient, name: string, id: string): Promise<string> {
  return ask(client, 'GET', pathOf(name, id));
}

/** Lets a dead event run again. */
export async function replayEvent(client: EventsClient, name: string, id: string): Promise<void> {
  await ask(client, 'POST', `${pathOf(name, id)}/replay`);
}

/** Removes a dead or waiting event for good. */
export async function dropEvent(client: EventsClient, name: string, id: string): Promise<void> {
  await ask(client, 'DELETE', pathOf(name, id));
}

/** A list as columns; `none` where there is nothing. */
export function eventsTable(events: readonly ListedEvent[], none: string): string {
  if (events.length === 0) return none;
  const rows = [
    ['ID', 'GIVEN UP', 'WHY', 'ATTEMPTS', 'ERROR'],
    ...events.map(({ requestId, at, condition = '', attempts, errorMessage = '' }) => [
      requestId,
      at,
      condition,
      String(attempts),
      oneLine(errorMessage),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Control characters of an error would reach the terminal. */
function oneLine(text: string): string {
  const plain = text.replaceAll(/\p{Cc}+/gu, ' ');
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain;
}

function pathOf(name: string, id: string): string {
  return `${encodeURIComponent(name)}/${encodeURIComponent(id)}`;
}

/** @throws Error with the gateway's own words when it refuses, or saying where nothing listens */
async function ask({ endpoint, key, nowMs, object }: EventsClient, method: string, path: string): Promise<string> {
  const url = new URL(`${endpoint.replace(/\/$/, '')}/kappa/v1/events/${path}`);
  if (object !== undefined) url.searchParams.set('object', object);
  const headers = key === null ? {} : signedHeaders(method, url, key, nowMs);
  const answer = await fetch(url, { method, headers }).catch((cause: unknown) => {
    throw new Error(
      `no gateway answers at ${endpoint} (is \`make dev\` running? --endpoint or KAPPA_ENDPOINT names another)`,
      { cause },
    );
  });
  const text = await answer.text();
  if (answer.ok) return text;
  throw new Error(`${answer.headers.get('x-amzn-errortype') ?? answer.status}: ${messageIn(text)}`);
}

function messageIn(text: string): string {
  try {
    const { message, Message } = Object(JSON.parse(text));
    return String(message ?? Message ?? text);
  } catch {
    return text;
  }
}
