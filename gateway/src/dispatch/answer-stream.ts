import type { LambdaError } from '../errors.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import type { Credit } from '../link/link.ts';

/** How an answer that was streamed has ended. */
export type StreamEnd =
  | { readonly kind: 'complete' }
  /** The function failed, or was ended, after it had begun to answer; `payload` is the error object. */
  | { readonly kind: 'failed'; readonly errorType: string | undefined; readonly payload: Buffer }
  /** The platform has lost it. */
  | { readonly kind: 'lost'; readonly error: LambdaError };

/** An answer while it is written. It has one reader. */
export interface StreamedBody {
  /** The next piece, not empty; null = it has ended, see `end`. One call at a time. What was given before counts as taken. */
  next(): Promise<Buffer | null>;
  /** Nobody reads on: what still comes is thrown away. As on Lambda, the function is not stopped. */
  discard(): void;
  /** Null while it goes on. */
  readonly end: StreamEnd | null;
}

/**
 * Between the link and the caller: holds what has come and was not read, and allows as much again once it was. So it never holds more than
 * the window, and a caller that does not read stops the function's writes.
 *
 *   state      | piece               | end                     | next                     | discard
 *   flowing    | kept, or handed out | what is kept comes first| what is kept, or waits   | -> discarding
 *   discarding | allowed again       | kept as `end`           | waits for the end        | -
 *   ended      | ignored             | ignored: the first counts| what is kept, then null | drops what is kept
 */
export class AnswerStream implements StreamedBody {
  readonly #credit: Credit;
  readonly #pieces: Buffer[] = [];
  /** Taken since the last credit. */
  #takenBytes = 0;
  /** Size of the piece that was handed out last and is not known to be taken. */
  #handedBytes = 0;
  #isDiscarding = false;
  #waiter: ((piece: Buffer | null) => void) | null = null;
  #end: StreamEnd | null = null;

  constructor(credit: Credit) {
    this.#credit = credit;
  }

  get end(): StreamEnd | null {
    return this.#pieces.length > 0 ? null : this.#end;
  }

  /** Whether its last word has come, read or not. */
  get hasEnded(): boolean {
    return this.#end !== null;
  }

  next(): Promise<Buffer | null> {
    this.#took(this.#handedBytes);
    this.#handedBytes = 0;
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#handedBytes = piece.length;
      return Promise.resolve(piece);
    }
    if (this.#end !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  discard(): void {
    if (this.#isDiscarding) return;
    this.#isDiscarding = true;
    let bytes = this.#handedBytes;
    for (const piece of this.#pieces.splice(0)) bytes += piece.length;
    this.#handedBytes = 0;
    this.#took(bytes);
  }

  /** One more piece has come. */
  push(piece: Buffer): void {
    if (this.#end !== null) return;
    if (this.#isDiscarding) {
      this.#took(piece.length);
      return;
    }
    const waiter = this.#waiter;
    if (waiter === null) {
      this.#pieces.push(piece);
      return;
    }
    this.#waiter = null;
    this.#handedBytes = piece.length;
    waiter(piece);
  }

  /** Its last word; only the first one counts. */
  finish(end: StreamEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#waiter?.(null);
    this.#waiter = null;
  }

  /** Half a window at a time: one CREDIT per piece would cost more than the piece. */
  #took(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes < STREAM_WINDOW_BYTES / 2 || this.#end !== null) return;
    this.#credit(this.#takenBytes);
    this.#takenBytes = 0;
  }
}
