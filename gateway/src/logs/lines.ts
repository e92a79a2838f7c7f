import type { LogLines } from '../link/link.ts';

/** Time and length stand before each line. */
const HEAD_BYTES = 12;

/** One line; its text lies in the entries from `start` to `end`. */
export interface LinePlace {
  /** Number in the stream. */
  readonly number: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly start: number;
  readonly end: number;
}

/** The latest time that a Date can have; no clock shows it. */
const MAX_MS = 8.64e15;
const streamName = /^[\w/$[\].-]{1,128}$/;

/** Whether agents name streams so. */
export function isStreamName(name: string): boolean {
  return streamName.test(name);
}

/** Finds the lines of a LOG frame; stops where they are not well-formed. */
export function* placesIn({ first, entries }: LogLines): Generator<LinePlace> {
  let number = first;
  for (let at = 0; at + HEAD_BYTES <= entries.length; number += 1) {
    const start = at + HEAD_BYTES;
    const end = start + entries.readUInt32BE(at + 8);
    const atMs = Number(entries.readBigUInt64BE(at));
    if (end > entries.length || atMs > MAX_MS) return;
    yield { number, atMs, start, end };
    at = end;
  }
}
