import { AnswerStream, type StreamEnd } from '../dispatch/answer-stream.ts';
import type { Invocation, Outcome, Report, Start } from '../dispatch/types.ts';
import { LambdaError, ServiceException } from '../errors.ts';
import { type Credit, LinkError, type StreamSink } from '../link/link.ts';
import type { Elsewhere, ForwardedHead } from './forward-messages.ts';
import type { ForwardSink } from './peer-connection.ts';

/** How a forwarded request ended, for counters. `lost` = it may have run. */
export type ForwardResult = 'answered' | 'refused' | 'elsewhere' | 'lost';

const NO_BYTES = Buffer.alloc(0);

/** One forwarded request: receiver of its stream's frames and outcome of its caller in one, as Call is for a local one. */
export class Forward implements Outcome, ForwardSink {
  readonly deadlineMs: number;
  kind: 'response' | 'error' = 'response';
  payload: Buffer = NO_BYTES;
  contentType: string | undefined = undefined;
  errorType: string | undefined = undefined;
  start: Start = 'warm';
  waitMs = 0;
  body: AnswerStream | null = null;
  readonly report: Promise<Report | null>;
  /** Settles when the owner has answered. Rejects with Elsewhere or LambdaError. */
  readonly outcome: Promise<Outcome>;
  #invocation: Invocation;
  readonly #onResult: (result: ForwardResult) => void;
  readonly #settle: PromiseWithResolvers<Outcome>;
  readonly #reported: PromiseWithResolvers<Report | null>;
  #isAnswered = false;

  constructor(invocation: Invocation, deadlineMs: number, onResult: (result: ForwardResult) => void) {
    this.#invocation = invocation;
    this.deadlineMs = deadlineMs;
    this.#onResult = onResult;
    this.#settle = Promise.withResolvers();
    this.#reported = Promise.withResolvers();
    this.outcome = this.#settle.promise;
    this.report = this.#reported.promise;
  }

  isAbandoned(): boolean {
    return this.#invocation.isAbandoned?.() === true;
  }

  onResponse(head: ForwardedHead, payload: Buffer): void {
    this.payload = payload;
    this.#answer(head);
  }

  onStream(head: ForwardedHead, credit: Credit): StreamSink {
    if (this.#invocation.stream === undefined) throw new LinkError('BadFrame', 'a stream that nobody has asked for');
    const body = new AnswerStream(credit);
    this.body = body;
    this.#invocation = { ...this.#invocation, event: NO_BYTES }; // it is not tried elsewhere, and an answer may take long
    this.#answer(head);
    return { onPiece: (piece) => body.push(piece), onEnd: () => body.finish({ kind: 'complete' }) };
  }

  onAborted(end: StreamEnd): void {
    this.body?.finish(end);
  }

  #answer(head: ForwardedHead): void {
    this.kind = head.kind;
    this.contentType = head.contentType;
    this.errorType = head.errorType;
    this.start = head.start;
    this.waitMs = head.waitMs;
    this.#isAnswered = true;
    this.#onResult('answered');
    this.#settle.resolve(this);
  }

  onReport(report: Report | null): void {
    this.#reported.resolve(report);
    if (this.#isAnswered && this.body?.hasEnded !== false) return;
    this.#fail('lost', new ServiceException('The owner of the function sent a report but no whole answer.'));
  }

  onRefused(error: Elsewhere | LambdaError): void {
    this.#reported.resolve(null);
    this.#fail(error.name === 'Elsewhere' ? 'elsewhere' : 'refused', error);
  }

  onLost(cause: LinkError): void {
    this.#reported.resolve(null);
    const message = `The link to the gateway that owns the function was lost (${cause.message}). The function may have run; Kappa does not run it again by itself.`;
    this.#fail('lost', new ServiceException(message, { cause }));
  }

  #fail(result: ForwardResult, error: Elsewhere | LambdaError): void {
    this.body?.finish({
      kind: 'lost',
      error: error instanceof LambdaError ? error : new ServiceException(error.message),
    });
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#onResult(result);
    this.#settle.reject(error);
  }
}
