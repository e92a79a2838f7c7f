import { AllLogs } from './all-logs.ts';
import { RecentLogs } from './recent-logs.ts';
import type { Pause } from './select.ts';

/** The function of the tests. */
export const hello = { accountId: '000000000000', functionName: 'hello' };
/** Two of its streams. */
export const streamA = '2026/11/22/[$LATEST]aaaa';
export const streamB = '2026/11/22/[7]bbbb';

/** When the lines of the tests came. */
export const takenMs = 9_000;

/** An empty store. */
export function emptyLogs(maxBytes = 8 * 1024 * 1024): RecentLogs {
  return new RecentLogs({ maxBytes, now: () => takenMs });
}

/** Adds lines `MS text`, the first of which has the number `first`. */
export function put(logs: RecentLogs, stream: string, first: number, ...lines: readonly string[]): void {
  const entries = packLines(
    lines.map((line) => ({ atMs: Number.parseInt(line, 10), text: line.slice(line.indexOf(' ') + 1) })),
  );
  logs.take(hello, { stream, first, entries });
}

/** Gateways that ask each other without a network. */
export function gatewaysOf(...stores: readonly RecentLogs[]): readonly AllLogs[] {
  return pausingGatewaysOf(() => Promise.resolve(), ...stores);
}

/** The same, with a `pause` of searches. */
export function pausingGatewaysOf(pause: Pause, ...stores: readonly RecentLogs[]): readonly AllLogs[] {
  const all: AllLogs[] = stores.map(
    (own, at) =>
      new AllLogs({
        own,
        askOthers: (question) =>
          Promise.all(all.filter((_, other) => other !== at).map((each) => each.answer(question))),
        pause,
      }),
  );
  return all;
}

/** What stands before each line. */
const headBytes = 12;

/** The entries of a LOG frame, as an agent makes them. */
export function packLines(lines: readonly { readonly atMs: number; readonly text: string }[]): Buffer {
  return Buffer.concat(
    lines.flatMap(({ atMs, text }) => {
      const head = Buffer.alloc(headBytes);
      head.writeBigUInt64BE(BigInt(atMs));
      head.writeUInt32BE(Buffer.byteLength(text), 8);
      return [head, Buffer.from(text)];
    }),
  );
}
