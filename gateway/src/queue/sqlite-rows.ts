import type { StoredEvent } from './event-queue.ts';
import { parseCondition, parseEvent, parseProgress } from './records.ts';
import type { Row, SqliteFile } from './sqlite-file.ts';

/** An event as it stands in the file, for `parseRow`; undefined = it is not there. */
export function readRow(file: SqliteFile, line: string, id: string): Row | undefined {
  return file.get(
    `SELECT state, at_ms, accepted_ms, header, progress, condition, payload.bytes AS payload, last.bytes AS last FROM events
     JOIN bodies AS payload ON payload.event = number AND payload.kind = 'payload'
     LEFT JOIN bodies AS last ON last.event = number AND last.kind = 'last'
     WHERE line = ? AND id = ?`,
    ...[line, id],
  );
}

/** @throws Error when another program wrote it */
export function parseRow(line: string, id: string, row: Row): StoredEvent {
  const { state, condition } = row;
  if (state !== 'waiting' && state !== 'leased' && state !== 'dead') throw new Error(`no state of an event: ${state}`);
  const payload = bytesOf(row['payload']) ?? Buffer.alloc(0);
  return {
    event: parseEvent(line, id, { header: String(row['header']), payload, acceptedMs: Number(row['accepted_ms']) }),
    progress: parseProgress({ progress: String(row['progress']), last: bytesOf(row['last']) }),
    state,
    atMs: Number(row['at_ms']),
    ...(typeof condition === 'string' ? { condition: parseCondition(condition) } : {}),
  };
}

function bytesOf(value: Row[string] | undefined): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null;
}
