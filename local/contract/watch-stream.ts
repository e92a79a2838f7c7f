import type { IncomingMessage } from 'node:http';
import type { Json } from './api.ts';

/** One line of a watch. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Json;
}

/** A running watch. Events are kept until somebody takes them. */
export interface Watch {
  readonly status: number;
  /** Everything seen so far, in order. */
  readonly events: readonly WatchEvent[];
  /** Takes events until one fits and gives it. @throws Error after `timeoutMs` or when the stream ends before */
  next(fits?: (event: WatchEvent) => boolean, timeoutMs?: number): Promise<WatchEvent>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Reads newline-delimited events from an open answer. */
export function startWatch(message: IncomingMessage): Watch {
  const events: WatchEvent[] = [];
  let taken = 0;
  let wake: () => void = () => {};
  let isOver = false;
  const ended = readLines(message, (line) => {
    events.push(JSON.parse(line));
    wake();
  }).then(() => {
    isOver = true;
    wake();
  });
  const moved = (timeoutMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  const arrival = async (leftMs: number): Promise<void> => {
    if (!isOver && leftMs > 0 && (await moved(leftMs))) return;
    throw new Error(`no such event ${isOver ? 'before the end' : 'in time'}; seen ${describe(events)}`);
  };
  return {
    status: message.statusCode ?? 0,
    events,
    ended,
    close: () => message.destroy(),
    next: async (fits = () => true, timeoutMs = 20_000) => {
      const deadlineMs = performance.now() + timeoutMs;
      for (;;) {
        const event = events[taken];
        if (event === undefined) {
          await arrival(deadlineMs - performance.now());
          continue;
        }
        taken += 1;
        if (fits(event)) return event;
      }
    },
  };
}

function describe(events: readonly WatchEvent[]): string {
  return events.map((event) => `${event.type} ${event.object?.metadata?.name ?? ''}`).join(', ');
}

async function readLines(message: IncomingMessage, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  message.setEncoding('utf8');
  try {
    for await (const chunk of message) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') onLine(line);
    }
  } catch {
    // The test closed the watch, or the server went away: both end it.
  }
}
