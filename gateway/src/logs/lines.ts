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

/** Finds the lines of a LOG frame; stops where they are not well-formed. */
export function* placesIn({ first, entries }: LogLines): Generator<LinePlace> {
  let number = first;
  for (let at = 0; at + HEAD_BYTES <= entries.length; number += 1) {
    const start = at + HEAD_BYTES;
    const end = start + entries.readUInt32BE(at + 8);
    if (end > entries.length) return;
    yield { number, atMs: Number(entries.readBigUInt64BE(at)), start, end };
    at = end;
  }
}
