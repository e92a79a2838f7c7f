import { isUtf8 } from 'node:buffer';

import type { QueueMessage } from '../record.ts';

/** An entry of a stream as Redis gives it: names and values in turn, as bytes. */
export type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/**
 * An entry as a function gets it. Of a name that comes twice the last value counts. Values that are no text make all of them base64.
 *
 * @param receives how often it was given out, this time included
 */
export function messageOf([entryId, entry]: Entry, stream: string, receives: number): QueueMessage {
  const id = entryId.toString();
  const isBase64Encoded = !entry.every((part) => isUtf8(part));
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < entry.length; at += 2) {
    const [name, value] = [entry[at]?.toString() ?? '', entry[at + 1]?.toString(isBase64Encoded ? 'base64' : 'utf8')];
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
  }
  const metadata = { id, stream, deliveryCount: receives, isBase64Encoded, eventSource: 'kappa:redis-streams' };
  const text = JSON.stringify({ ...metadata, fields });
  const { 'X-Amzn-Trace-Id': traceId } = fields;
  return {
    id,
    key: null,
    arrivedMs: Number(id.split('-', 1)[0]),
    text,
    bytes: Buffer.byteLength(text),
    filterable: () => ({ metadata, data: { fields: JSON.stringify(fields) } }),
    handle: id,
    receives,
    ...(traceId !== undefined && { traceId }),
  };
}
