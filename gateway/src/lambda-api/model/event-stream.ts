import { crc32 } from 'node:zlib';

/** The last event of a streamed answer. */
export interface InvokeComplete {
  /** Set when the function failed after the stream had begun. */
  readonly ErrorCode?: string;
  readonly ErrorDetails?: string;
  /** Base64 of the log's last 4 KiB, when it was asked for. */
  readonly LogResult?: string;
}

/** Content type of the frames that this module makes. */
export const eventStreamContentType = 'application/vnd.amazon.eventstream';

/** Largest piece of payload in one frame: clients refuse frames above 16 MiB. */
export const chunkMaxBytes = 8 * 1024 * 1024;

/**
 * One `PayloadChunk` event of InvokeWithResponseStream.
 *
 * @param payload up to `chunkMaxBytes` as the function wrote them
 */
export function payloadChunk(payload: Uint8Array): Buffer {
  return encodeEvent('PayloadChunk', 'application/octet-stream', payload);
}

/** The `InvokeComplete` event, which ends the stream. */
export function invokeComplete(event: InvokeComplete): Buffer {
  return encodeEvent('InvokeComplete', 'application/json', Buffer.from(JSON.stringify(event)));
}

/**
 * A frame: total length, length of the headers, CRC32 of these two, headers, payload, CRC32 of all before; numbers have 32
 * bits, big-endian.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
function encodeEvent(type: string, contentType: string, payload: Uint8Array): Buffer {
  if (payload.byteLength > chunkMaxBytes) throw new RangeError(`a frame of ${payload.byteLength} bytes is too large`);
  const headers = Buffer.concat([
    encodeHeader(':event-type', type),
    encodeHeader(':content-type', contentType),
    encodeHeader(':message-type', 'event'),
  ]);
  const frame = Buffer.allocUnsafe(preludeBytes + headers.length + payload.byteLength + checksumBytes);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  frame.set(headers, preludeBytes);
  frame.set(payload, preludeBytes + headers.length);
  const end = frame.length - checksumBytes;
  frame.writeUInt32BE(crc32(frame.subarray(0, end)), end);
  return frame;
}

const preludeBytes = 12;
const checksumBytes = 4;
/** Type of a header's value: a text with its length in 16 bits. */
const textType = 7;

function encodeHeader(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(1 + name.length + 3 + value.length);
  bytes.writeUInt8(name.length, 0);
  bytes.write(name, 1, 'latin1');
  bytes.writeUInt8(textType, 1 + name.length);
  bytes.writeUInt16BE(value.length, 2 + name.length);
  bytes.write(value, 4 + name.length, 'latin1');
  return bytes;
}
