import { encodeFrame } from './codec.ts';
import { Frame, STREAM_WINDOW_BYTES } from './generated/frames.ts';
import { LinkError } from './link-error.ts';
import type { StreamSink } from './streams.ts';

/** Allows the sender so many more bytes. Harmless when the answer is over. */
export type Credit = (bytes: number) => void;

/**
 * The receiving end of one streamed answer, of an agent or of another gateway: keeps the sender to what it was allowed, so that memory is
 * bounded by the window. The table of an answer stands in runtime-images/link/frames.yaml.
 */
export class Inflow {
  readonly #sink: StreamSink;
  /** What may still come before the next CREDIT. */
  #allowedBytes = STREAM_WINDOW_BYTES;

  /** @param begin takes what allows more, and gives who takes the pieces */
  constructor(stream: number, write: (frame: Buffer) => void, begin: (credit: Credit) => StreamSink) {
    this.#sink = begin((bytes) => {
      this.#allowedBytes += bytes;
      write(encodeFrame(Frame.CREDIT, stream, JSON.stringify({ bytes })));
    });
  }

  /** One DATA frame; `piece` is borrowed. @throws LinkError BadFrame when it is more than was allowed */
  take(piece: Buffer, isLast: boolean): void {
    this.#allowedBytes -= piece.length;
    if (this.#allowedBytes < 0) throw new LinkError('BadFrame', 'more of a streamed answer than was allowed');
    if (piece.length > 0) this.#sink.onPiece(Buffer.from(piece));
    if (isLast) this.#sink.onEnd();
  }
}
