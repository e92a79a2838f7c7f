import type { StreamedBody } from '../dispatch/answer-stream.ts';
import { encodeFrame, encodeHead, writeMessage } from '../link/codec.ts';
import { CHUNK_BYTES, Frame } from '../link/generated/frames.ts';
import { makeAbortedHead, makeRefusal } from './forward-messages.ts';

/**
 * The sending end of one streamed answer between gateways: passes on what the pod writes as fast as the other gateway takes it. The table
 * of an answer stands in runtime-images/link/frames.yaml.
 */
export class Outflow {
  readonly #write: (frame: Buffer) => void;
  readonly #stream: number;
  readonly #body: StreamedBody;
  #creditBytes: number;
  /** CANCEL, or the connection is gone. */
  #isSilent = false;
  #onCredit: (() => void) | null = null;

  /** @param write takes whole frames, harmlessly when the connection is gone */
  constructor(stream: number, windowBytes: number, body: StreamedBody, write: (frame: Buffer) => void) {
    this.#stream = stream;
    this.#creditBytes = windowBytes;
    this.#body = body;
    this.#write = write;
  }

  /** CREDIT. */
  grant(bytes: number): void {
    this.#creditBytes += bytes;
    this.#onCredit?.();
  }

  /** Nobody takes it any more: nothing is sent, the function is not stopped. */
  silence(): void {
    this.#isSilent = true;
    this.#body.discard();
    this.#onCredit?.();
  }

  /** Sends RESPONSE with `head` and the whole answer. Resolves when it has ended, read or not. Never rejects. */
  async run(head: string): Promise<void> {
    this.#send(encodeHead(Frame.RESPONSE, this.#stream, head));
    for (let piece = await this.#body.next(); piece !== null; piece = await this.#body.next()) {
      await this.#pass(piece);
    }
    const end = this.#body.end ?? { kind: 'complete' };
    if (end.kind === 'complete') this.#send(encodeFrame(Frame.DATA, this.#stream));
    else if (end.kind === 'failed') this.#abort(makeAbortedHead(end.errorType), end.payload);
    else this.#abort(makeRefusal(end.error), NO_BYTES);
  }

  async #pass(piece: Buffer): Promise<void> {
    for (let start = 0; start < piece.length && !this.#isSilent; ) {
      if (this.#creditBytes <= 0) {
        await this.#credit();
        continue;
      }
      const size = Math.min(piece.length - start, this.#creditBytes, CHUNK_BYTES);
      this.#creditBytes -= size;
      this.#send(encodeFrame(Frame.DATA, this.#stream, piece.subarray(start, start + size), 0));
      start += size;
    }
  }

  #credit(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCredit = () => {
        this.#onCredit = null;
        resolve();
      };
    });
  }

  /** @param head JSON text */
  #abort(head: string, payload: Buffer): void {
    if (this.#isSilent) return;
    const writer = { write: (bytes: Buffer) => this.#write(bytes), cork() {}, uncork() {} };
    writeMessage(writer, { type: Frame.ABORTED, stream: this.#stream, head, bytes: payload.subarray(0, CHUNK_BYTES) });
  }

  #send(frame: Buffer): void {
    if (!this.#isSilent) this.#write(frame);
  }
}

const NO_BYTES = Buffer.alloc(0);
