import { CHUNK_BYTES, Flag, Frame, HEADER_BYTES, MAX_FRAME_BYTES } from './generated/frames.ts';
import { LinkError } from './link-error.ts';

/** Bytes of the length field itself. */
const LENGTH_BYTES = 4;
/** Smallest value of the length field: type, flags, reserved, stream. */
const MIN_LENGTH = HEADER_BYTES - LENGTH_BYTES;
/** Up to this size a payload is copied behind its header into one buffer: one small copy is cheaper than a writev. */
const COALESCE_BYTES = 16_384;
const NO_BYTES = Buffer.alloc(0);

/**
 * Takes one frame. `body` is borrowed: it may lie in a buffer that the next read overwrites, so what outlives the
 * call must be copied.
 */
export type FrameHandler = (type: number, flags: number, stream: number, body: Buffer) => void;

/**
 * Cuts a byte stream into frames. A frame that lies wholly in one chunk is handed out as a view of that chunk; only a
 * frame that spans chunks is copied, once, into a buffer of its exact size.
 */
export class FrameDecoder {
  readonly #onFrame: FrameHandler;
  /** The beginning of a length field that the last chunk cut off; fewer than 4 bytes. */
  #stump: Buffer = NO_BYTES;
  /** The frame that spans chunks, length field included; null between frames. */
  #frame: Buffer | null = null;
  /** Bytes of `#frame` that are in. */
  #filled = 0;

  constructor(onFrame: FrameHandler) {
    this.#onFrame = onFrame;
  }

  /**
   * Takes the next bytes of the stream, in any cut.
   * @throws LinkError BadFrame when a length is out of range; the stream is then lost for good
   */
  push(bytes: Buffer): void {
    let chunk = bytes;
    if (this.#stump.length > 0) {
      chunk = Buffer.concat([this.#stump, bytes]);
      this.#stump = NO_BYTES;
    }
    let offset = this.#frame === null ? 0 : this.#fill(chunk);
    while (offset < chunk.length) offset = this.#take(chunk, offset);
  }

  /** Continues the frame that spans chunks. Returns how many bytes of `chunk` it took. */
  #fill(chunk: Buffer): number {
    const frame = this.#frame;
    if (frame === null) return 0;
    const taken = chunk.copy(frame, this.#filled);
    this.#filled += taken;
    if (this.#filled === frame.length) {
      this.#frame = null;
      this.#emit(frame, 0, frame.length);
    }
    return taken;
  }

  /** Takes one frame, or what there is of it, at `offset`. Returns the offset behind it. */
  #take(chunk: Buffer, offset: number): number {
    const rest = chunk.length - offset;
    if (rest < LENGTH_BYTES) {
      this.#stump = Buffer.from(chunk.subarray(offset));
      return chunk.length;
    }
    const length = chunk.readUInt32BE(offset);
    if (length < MIN_LENGTH || length > MAX_FRAME_BYTES) throw new LinkError('BadFrame', `frame length ${length}`);
    const end = offset + LENGTH_BYTES + length;
    if (end > chunk.length) {
      this.#frame = Buffer.allocUnsafeSlow(LENGTH_BYTES + length);
      this.#filled = chunk.copy(this.#frame, 0, offset);
      return chunk.length;
    }
    this.#emit(chunk, offset, end);
    return end;
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const body = bytes.subarray(start + HEADER_BYTES, end);
    this.#onFrame(bytes.readUInt8(start + 4), bytes.readUInt8(start + 5), bytes.readUInt32BE(start + 8), body);
  }
}

/** Where frames are written to: the part of a socket that the encoder needs. */
export interface FrameWriter {
  write(bytes: Buffer): unknown;
  cork(): void;
  uncork(): void;
}

/** One frame in one buffer. `body` is JSON text or raw bytes. */
export function encodeFrame(
  type: number,
  stream: number,
  body: string | Buffer = NO_BYTES,
  flags: number = Flag.END,
): Buffer {
  const bodyBytes = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bodyBytes);
  writeHeader(frame, type, flags, stream, bodyBytes);
  if (typeof body === 'string') frame.write(body, HEADER_BYTES, 'utf8');
  else body.copy(frame, HEADER_BYTES);
  return frame;
}

/**
 * Writes a `head+bytes` message: one frame of `type`, and DATA frames for what is above one chunk; the last one says
 * END. A small message is a single write; a large one goes out corked and its bytes are not copied, so the caller
 * must not change them.
 * @param head JSON text
 */
export function writeMessage(writer: FrameWriter, message: Message): void {
  const { head, bytes } = message;
  const headBytes = Buffer.byteLength(head);
  const isSmall = bytes.length <= COALESCE_BYTES;
  const firstPiece = Math.min(bytes.length, CHUNK_BYTES);
  const isWhole = firstPiece === bytes.length && message.more === undefined;
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 + headBytes + (isSmall ? bytes.length : 0));
  writeHeader(frame, message.type, isWhole ? Flag.END : 0, message.stream, 4 + headBytes + firstPiece);
  frame.writeUInt32BE(headBytes, HEADER_BYTES);
  frame.write(head, HEADER_BYTES + 4, 'utf8');
  if (isSmall) bytes.copy(frame, HEADER_BYTES + 4 + headBytes);
  if (isSmall && isWhole) {
    writer.write(frame);
    return;
  }
  writer.cork();
  writer.write(frame);
  if (!isSmall) writer.write(bytes.subarray(0, firstPiece));
  writeData(writer, message.stream, [bytes.subarray(firstPiece), ...(message.more ?? [])]);
  writer.uncork();
}

/** A `head+bytes` frame without bytes and without END: they follow in DATA frames. @param head JSON text */
export function encodeHead(type: number, stream: number, head: string): Buffer {
  const headBytes = Buffer.byteLength(head);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 + headBytes);
  writeHeader(frame, type, 0, stream, 4 + headBytes);
  frame.writeUInt32BE(headBytes, HEADER_BYTES);
  frame.write(head, HEADER_BYTES + 4, 'utf8');
  return frame;
}

/** A message with a JSON head and raw bytes: SPECIALIZE, INVOKE. */
export interface Message {
  readonly type: number;
  readonly stream: number;
  readonly head: string;
  readonly bytes: Buffer;
  /** Further bytes behind those; none of them empty. */
  readonly more?: readonly [Buffer, ...Buffer[]] | undefined;
}

/** A `head+bytes` body taken apart; `bytes` is a view, as borrowed as the body was. */
export function splitHead(body: Buffer): { readonly head: unknown; readonly bytes: Buffer } {
  const headBytes = body.length < 4 ? Number.POSITIVE_INFINITY : body.readUInt32BE(0);
  if (4 + headBytes > body.length) throw new LinkError('BadFrame', 'head is longer than its frame');
  return { head: parseJson(body.subarray(4, 4 + headBytes)), bytes: body.subarray(4 + headBytes) };
}

/** A `json` body. @throws LinkError BadFrame */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new LinkError('BadFrame', 'body is not JSON', { cause });
  }
}

function writeData(writer: FrameWriter, stream: number, parts: readonly Buffer[]): void {
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    for (let start = 0; start < part.length; start += CHUNK_BYTES) {
      const piece = part.subarray(start, start + CHUNK_BYTES);
      const header = Buffer.allocUnsafe(HEADER_BYTES);
      const isEnd = isLast && start + piece.length === part.length;
      writeHeader(header, Frame.DATA, isEnd ? Flag.END : 0, stream, piece.length);
      writer.write(header);
      writer.write(piece);
    }
  }
}

function writeHeader(into: Buffer, type: number, flags: number, stream: number, bodyBytes: number): void {
  into.writeUInt32BE(MIN_LENGTH + bodyBytes, 0);
  into.writeUInt8(type, 4);
  into.writeUInt8(flags, 5);
  into.writeUInt16BE(0, 6);
  into.writeUInt32BE(stream, 8);
}
