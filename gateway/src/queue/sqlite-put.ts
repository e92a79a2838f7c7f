import type { AsyncEvent } from './event.ts';
import { QueueFull } from './event-queue.ts';
import { byteLimits, lineShare, overheadBytes, type QueueLimits } from './queue-limits.ts';
import { headerText, noProgress, progressText } from './records.ts';
import type { SqliteFile } from './sqlite-file.ts';

/**
 * Accepts an event, within a transaction; false = it was here.
 *
 * @throws QueueFull
 */
export function putRow(file: SqliteFile, limits: QueueLimits, event: AsyncEvent): boolean {
  const { line, id, acceptedMs, payload } = event;
  if (file.get('SELECT 1 FROM events WHERE line = ? AND id = ?', line, id) !== undefined) return false;
  const header = headerText(event);
  const weight = overheadBytes + header.length + payload.length;
  checkRoom(file, limits, line, weight);
  file.run(
    `INSERT INTO events (line, id, state, at_ms, accepted_ms, header, progress, weight) VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?)`,
    ...[line, id, acceptedMs, acceptedMs, header, progressText(noProgress), weight],
  );
  file.run(`INSERT INTO bodies VALUES (last_insert_rowid(), 'payload', ?)`, payload);
  return true;
}

/** @throws QueueFull when there is no room for so many more bytes and one more event in the line */
export function checkRoom(file: SqliteFile, limits: QueueLimits, line: string, weight: number): void {
  const { live } = byteLimits(limits, 0);
  const { events, bytes } = file.get('SELECT events, bytes FROM totals WHERE dead = 0 AND line = ?', line) ?? {};
  const isTooLarge = Number(bytes ?? 0) + weight > live * lineShare;
  if (Number(events ?? 0) >= limits.eventsPerLine || (events !== undefined && isTooLarge))
    throw new QueueFull(`the line of ${line} is full`);
  if (bytesOf(file, 0) + weight > live) throw new QueueFull('the queue is full');
}

/** Bytes of all live events, or of all dead ones. */
export function bytesOf(file: SqliteFile, dead: 0 | 1): number {
  return Number(file.get('SELECT coalesce(sum(bytes), 0) AS value FROM totals WHERE dead = ?', dead)?.['value']);
}
