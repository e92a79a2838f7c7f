import { parseJson, splitHead } from './codec.ts';
import { Flag, Frame } from './generated/frames.ts';
import { Inflow } from './inflow.ts';
import { LinkError } from './link-error.ts';
import {
  parseAborted,
  parseBusy,
  parseError,
  parseReport,
  parseResponseHead,
  parseSpecialized,
  parseState,
} from './messages.ts';
import type { PartialAnswer, Stream } from './streams.ts';

type InvokeStream = Extract<Stream, { readonly kind: 'invoke' }>;

/** An agent never sends more (6 MiB plus its JSON error bodies); memory stays bounded if one does. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** The streams of one connection that still expect something, and what the agent's frames mean to them. */
export class OpenStreams {
  readonly #write: (frame: Buffer) => void;
  readonly #streams = new Map<number, Stream>();
  /** Number of the newest stream; rises, never reused on a connection. */
  #last = 0;

  /** @param write takes the frames that streams have to send by themselves */
  constructor(write: (frame: Buffer) => void) {
    this.#write = write;
  }

  /** @returns its number */
  open(stream: Stream): number {
    this.#last += 1;
    this.#streams.set(this.#last, stream);
    return this.#last;
  }

  /**
   * Takes one frame; those of streams that are over, or never were, are skipped. A stream is only forgotten once its last frame is
   * understood: one that is not ends the link, and so the stream.
   * @throws LinkError BadFrame, PayloadTooLarge
   */
  onFrame(type: number, flags: number, number: number, body: Buffer): void {
    const stream = this.#streams.get(number);
    if (stream === undefined) return;
    if (type === Frame.ERROR) {
      const error = parseError(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onRefused(error);
    } else if (stream.kind === 'invoke') this.#onInvokeFrame(stream, number, type, flags, body);
    else this.#onOneAnswer(stream, number, type, body);
  }

  /** Nothing comes any more. @param isRefused the agent has said that what is open did not run */
  end(error: LinkError, isRefused = false): void {
    for (const { sink } of this.#streams.values()) {
      if (isRefused) sink.onRefused(error);
      else sink.onLost(error);
    }
    this.#streams.clear();
  }

  /** What is answered by exactly one frame. */
  #onOneAnswer(stream: Exclude<Stream, InvokeStream>, number: number, type: number, body: Buffer): void {
    if (stream.kind === 'claim' && type === Frame.SPECIALIZED) {
      const { alreadyClaimed, initError } = parseSpecialized(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onSpecialized(alreadyClaimed, initError);
    } else if (stream.kind === 'adopt' && type === Frame.ADOPTED) {
      const busy = parseBusy(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onAdopted(busy);
    } else if (stream.kind === 'fence' && type === Frame.FENCED) {
      const state = parseState(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onFenced(state);
    }
  }

  #onInvokeFrame(stream: InvokeStream, number: number, type: number, flags: number, body: Buffer): void {
    const isLast = (flags & Flag.END) !== 0;
    if (type === Frame.RESPONSE) {
      const { head, bytes } = splitHead(body);
      const responseHead = parseResponseHead(head);
      if (responseHead.streamed === true) {
        stream.answer = new Inflow(number, this.#write, (credit) => stream.sink.onStream(responseHead, credit));
        return;
      }
      const payload = Buffer.from(bytes);
      if (isLast) stream.sink.onResponse(responseHead, payload);
      else stream.answer = { head: responseHead, pieces: [payload], bytes: payload.length };
    } else if (type === Frame.DATA) {
      if (stream.answer instanceof Inflow) stream.answer.take(body, isLast);
      else addPiece(stream.answer, stream, body, isLast);
    } else if (type === Frame.ABORTED) {
      const { head, bytes } = splitHead(body);
      stream.sink.onAborted(parseAborted(head), Buffer.from(bytes));
    } else if (type === Frame.REPORT) {
      const report = parseReport(parseJson(body));
      this.#streams.delete(number);
      stream.sink.onReport(report);
    }
  }
}

/** One more piece of an answer, which is handed on whole. */
function addPiece(answer: PartialAnswer | null, stream: InvokeStream, body: Buffer, isLast: boolean): void {
  if (answer === null) throw new LinkError('BadFrame', 'DATA before RESPONSE');
  answer.pieces.push(Buffer.from(body));
  answer.bytes += body.length;
  if (answer.bytes > MAX_ANSWER_BYTES) throw new LinkError('PayloadTooLarge', `answer above ${MAX_ANSWER_BYTES} bytes`);
  if (!isLast) return;
  stream.answer = null;
  stream.sink.onResponse(answer.head, Buffer.concat(answer.pieces, answer.bytes));
}
