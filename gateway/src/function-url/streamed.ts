import type { StreamEnd, StreamedBody } from '../dispatch/answer-stream.ts';
import type { AnswerSource, StreamedAnswer } from '../http/answer.ts';
import { httpIntegrationType, noSeparator, parsePrelude, plainType, preludeMaxBytes, splitPrelude } from './prelude.ts';

/** What becomes of a streamed answer: it begins, it is no HTTP answer, or it ended before it could begin. */
export type StreamedUrlAnswer =
  | { readonly kind: 'answer'; readonly answer: StreamedAnswer }
  | { readonly kind: 'malformed'; readonly problem: string }
  | { readonly kind: 'ended'; readonly end: Exclude<StreamEnd, { kind: 'complete' }> };

/**
 * Makes the HTTP answer of a function that streams: with a prelude that says status, headers and cookies, or without one, then it is 200.
 * Resolves as soon as the head is known.
 *
 * @param onLost told when the platform loses an answer that has begun
 */
export async function streamUrlAnswer(
  body: StreamedBody,
  contentType: string | undefined,
  onLost: (err: unknown) => void,
): Promise<StreamedUrlAnswer> {
  const source = new UrlBody(body, onLost);
  if (contentType !== httpIntegrationType) {
    return { kind: 'answer', answer: { status: 200, headers: plainType(contentType), source } };
  }
  let bytes = Buffer.alloc(0);
  for (let piece = await body.next(); piece !== null; piece = await body.next()) {
    bytes = Buffer.concat([bytes, piece]);
    const split = splitPrelude(bytes);
    if (split !== null) return answerOf(split.prelude, source.startingWith(split.body), body);
    if (bytes.length > preludeMaxBytes) return malformed(`the prelude is longer than ${preludeMaxBytes} bytes`, body);
  }
  const { end } = body;
  return end === null || end.kind === 'complete' ? malformed(noSeparator, body) : { kind: 'ended', end };
}

function answerOf(prelude: Buffer, source: AnswerSource, body: StreamedBody): StreamedUrlAnswer {
  const parsed = parsePrelude(prelude);
  if (parsed.kind === 'malformed') return malformed(parsed.problem, body);
  const { status, headers } = parsed.answer;
  return { kind: 'answer', answer: { status, headers, source } };
}

/** The function is not stopped, as for a caller that goes away. */
function malformed(problem: string, body: StreamedBody): StreamedUrlAnswer {
  body.discard();
  return { kind: 'malformed', problem };
}

/** The body as HTTP sends it: one that the function or the platform did not end breaks off. */
class UrlBody implements AnswerSource {
  readonly #body: StreamedBody;
  readonly #onLost: (err: unknown) => void;
  /** Came together with the prelude. */
  #first: Buffer | null = null;

  constructor(body: StreamedBody, onLost: (err: unknown) => void) {
    this.#body = body;
    this.#onLost = onLost;
  }

  startingWith(first: Buffer): this {
    if (first.length > 0) this.#first = first;
    return this;
  }

  async next(): Promise<Buffer | null> {
    const first = this.#first;
    this.#first = null;
    const piece = first ?? (await this.#body.next());
    if (piece !== null) return piece;
    const { end } = this.#body;
    if (end?.kind === 'failed') throw new Error('the function failed after it had begun to answer');
    if (end?.kind === 'lost') {
      this.#onLost(end.error);
      throw end.error;
    }
    return null;
  }

  discard(): void {
    this.#body.discard();
  }
}
