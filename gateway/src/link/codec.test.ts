import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder, splitHead, writeMessage } from './codec.ts';
import { CHUNK_BYTES, Flag, Frame, MAX_FRAME_BYTES } from './generated/frames.ts';

interface Decoded {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly body: Buffer;
}

/** Decodes `bytes`, handed over in pieces of the given sizes, each in a buffer that is destroyed afterwards. */
function decode(bytes: Buffer, sizes: readonly number[]): Decoded[] {
  const frames: Decoded[] = [];
  const decoder = new FrameDecoder((type, flags, stream, body) =>
    frames.push({ type, flags, stream, body: Buffer.from(body) }),
  );
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const piece = Buffer.from(bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1)));
    at += piece.length;
    decoder.push(piece);
    piece.fill(0xee);
  }
  return frames;
}

/** Takes what is written. */
function collect(write: (writer: { write(bytes: Buffer): void; cork(): void; uncork(): void }) => void): {
  bytes: Buffer;
  writes: number;
} {
  const written: Buffer[] = [];
  let corks = 0;
  write({ write: (bytes) => written.push(bytes), cork: () => (corks += 1), uncork: () => (corks -= 1) });
  expect(corks).toBe(0);
  return { bytes: Buffer.concat(written), writes: written.length };
}

describe('frames', () => {
  test('survive any cut of the stream', () => {
    const frame = fc.record({
      type: fc.integer({ min: 1, max: 255 }),
      flags: fc.nat(255),
      stream: fc.nat(0xffffffff),
      body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (frames, sizes) => {
          const bytes = Buffer.concat(
            frames.map(({ type, stream, body, flags }) => encodeFrame(type, stream, body, flags)),
          );
          expect(decode(bytes, sizes)).toEqual(frames);
        },
      ),
    );
  });

  test('are not copied when they lie in one chunk', () => {
    const chunk = encodeFrame(Frame.REPORT, 7, 'body');
    let body: Buffer = Buffer.alloc(0);
    new FrameDecoder((_type, _flags, _stream, bytes) => {
      body = bytes;
    }).push(chunk);
    chunk.write('BODY', chunk.length - 4);
    expect(body.toString()).toBe('BODY');
  });

  test.each([0, 7, MAX_FRAME_BYTES + 1, 0xffffffff])('of length %i end the stream', (length) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt32BE(length);
    expect(() => decode(bytes, [12])).toThrow(expect.objectContaining({ code: 'BadFrame' }));
  });
});

describe('messages', () => {
  test.each([0, 1, 16_384, 16_385, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])(
    'of %i bytes come back whole',
    (size) => {
      const payload = Buffer.alloc(size, 'abc');
      const head = '{"name":"größer"}';
      const { bytes } = collect((writer) =>
        writeMessage(writer, { type: Frame.INVOKE, stream: 9, head, bytes: payload }),
      );
      const frames = decode(bytes, [65_536]);
      const first = splitHead(frames[0]?.body ?? Buffer.alloc(0));
      expect(first.head).toEqual({ name: 'größer' });
      expect(Buffer.concat([first.bytes, ...frames.slice(1).map((frame) => frame.body)]).equals(payload)).toBe(true);
      expect(frames.map((frame) => frame.stream)).toEqual(frames.map(() => 9));
      expect(frames.map((frame) => frame.flags)).toEqual(
        frames.map((_, at) => (at === frames.length - 1 ? Flag.END : 0)),
      );
      for (const frame of frames) expect(frame.body.length).toBeLessThanOrEqual(MAX_FRAME_BYTES - 8);
    },
  );

  test.each([1, 16_385, CHUNK_BYTES + 1])('of several parts come back as one, the first of %i bytes', (size) => {
    const parts = [Buffer.alloc(size, 'a'), Buffer.alloc(CHUNK_BYTES + 5, 'b'), Buffer.alloc(3, 'c')] as const;
    const [first, second, third] = parts;
    const message = { type: Frame.SPECIALIZE, stream: 9, head: '{}', bytes: first, more: [second, third] as const };
    const frames = decode(collect((writer) => writeMessage(writer, message)).bytes, [65_536]);
    const { bytes } = splitHead(frames[0]?.body ?? Buffer.alloc(0));
    expect(Buffer.concat([bytes, ...frames.slice(1).map(({ body }) => body)]).equals(Buffer.concat(parts))).toBe(true);
    expect(frames.map(({ flags }) => flags)).toEqual(frames.map((_, at) => (at === frames.length - 1 ? Flag.END : 0)));
  });

  test('that are small are one write', () => {
    const message = { type: Frame.INVOKE, stream: 1, head: '{}', bytes: Buffer.alloc(512) };
    expect(collect((writer) => writeMessage(writer, message)).writes).toBe(1);
  });

  test('with a head longer than their frame are refused', () => {
    expect(() => splitHead(Buffer.from([0, 0, 0, 9, 1]))).toThrow(expect.objectContaining({ code: 'BadFrame' }));
    expect(() => splitHead(Buffer.from([0, 0]))).toThrow(expect.objectContaining({ code: 'BadFrame' }));
    expect(() => splitHead(Buffer.from('\0\0\0\x01{'))).toThrow(expect.objectContaining({ code: 'BadFrame' }));
  });
});
