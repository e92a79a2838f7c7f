import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';

/** A pod's log is cut when it is longer; half of it stays. */
export const maxLogBytes = 32 * 1024 * 1024;

/**
 * Keeps the newest half of a log that grew above `maxBytes`, from the start of a line. The writer appends to the same file
 * all the while, so the file is changed in place; what it writes in the instant between the last look and the cut
 * (microseconds) is lost.
 *
 * @returns true when it was cut. A file that does not exist is fine.
 */
export function trimLog(file: string, maxBytes = maxLogBytes): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= maxBytes) return false;
  const reader = openSync(file, 'r');
  const appender = openSync(file, 'a');
  try {
    const start = size - Math.floor(maxBytes / 2);
    const kept = [readFrom(reader, start)];
    // What came while the long part was read.
    kept.push(readFrom(reader, start + (kept[0]?.length ?? 0)));
    ftruncateSync(appender, 0);
    const text = Buffer.concat(kept);
    writeSync(appender, text.subarray(text.indexOf(0x0a) + 1));
    return true;
  } finally {
    closeSync(reader);
    closeSync(appender);
  }
}

function readFrom(file: number, start: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - start));
  let length = 0;
  while (length < buffer.length) {
    const got = readSync(file, buffer, length, buffer.length - length, start + length);
    if (got === 0) break;
    length += got;
  }
  return buffer.subarray(0, length);
}
