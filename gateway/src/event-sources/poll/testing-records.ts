import type { QueueMessage, SourceRecord } from '../record.ts';

/** A record named `id`. */
export function sourceRecord(id: string, over: Partial<SourceRecord> = {}): SourceRecord {
  const text = over.text ?? JSON.stringify({ id });
  return {
    id,
    key: null,
    arrivedMs: 0,
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => ({ metadata: { id }, data: {} }),
    ...over,
  };
}

/** A message named `id`, received once. */
export function queueMessage(id: string, over: Partial<QueueMessage> = {}): QueueMessage {
  return { ...sourceRecord(id, over), handle: `handle of ${id}`, receives: 1, ...over };
}
