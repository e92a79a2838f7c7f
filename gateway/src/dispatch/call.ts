import { InvalidZipFile, type LambdaError, RequestTooLarge, ServiceException, TooManyRequests } from '../errors.ts';
import {
  type Credit,
  type InvokeSink,
  LinkError,
  type ReportBody,
  type ResponseHead,
  type StreamSink,
} from '../link/link.ts';
import { AnswerStream, type StreamEnd } from './answer-stream.ts';
import type { DispatchCore } from './core.ts';
import type { Loss } from './effects.ts';
import type { InitError } from './failures.ts';
import type { OfferedRequest } from './offers.ts';
import { NotOwner, type Ownership } from './ownership.ts';
import type { PodLink } from './pod-link.ts';
import { newToken } from './role-tokens.ts';
import { hasLostMates, type Slot } from './slot.ts';
import type { DispatchObserver, Invocation, Outcome, Report, Start, Target } from './types.ts';

/** What a call needs of its dispatcher. */
export interface CallContext {
  readonly core: DispatchCore<PodLink, Call>;
  readonly observer: DispatchObserver;
  /** Gives a slot up. */
  lose(slot: Slot<PodLink, Call>, loss: Loss): void;
  /** The slot's invocation has ended; another gateway holds the pod by now. */
  handOver(slot: Slot<PodLink, Call>): void;
}

/** Longer ones are not kept for others: they would have to be copied for each. */
const MAX_INIT_ERROR_BYTES = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

/**
 * One invocation from its arrival to its report: the core's request, the receiver of its stream's frames and the
 * outcome that its caller gets are one object, because there is one per request.
 *
 * Every attempt (INVOKE on one pod) ends once, by `report`, `refused` or `lost`, before the next one starts. What still
 * comes for an attempt that the core has given up (overdue) finds its slot Gone and is ignored.
 *
 * A streamed answer is given to the caller when it begins; for the core the request runs on until the answer has ended, and is never
 * tried elsewhere. What would have failed the call then fails the answer.
 */
export class Call implements OfferedRequest, Outcome, InvokeSink {
  readonly target: Target;
  invocation: Invocation;
  arrivedMs: number;
  attempts = 0;
  startedMs = 0;
  kind: 'response' | 'error' = 'response';
  payload: Buffer = NO_BYTES;
  contentType: string | undefined = undefined;
  errorType: string | undefined = undefined;
  body: AnswerStream | null = null;
  start: Start = 'warm';
  /** The pod it was given to, the last time. */
  slot: Slot<PodLink, Call> | null = null;
  readonly #context: CallContext;
  /** When it really came in. */
  readonly #cameMs: number;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;
  /** The caller has its outcome; no further attempt will be made. */
  #isAnswered = false;
  /** undefined = not known yet; null = there will be none. */
  #report: Report | null | undefined = undefined;
  /** Made when somebody asks before the report is in. */
  #reportWaiter: PromiseWithResolvers<Report | null> | null = null;

  constructor(
    context: CallContext,
    call: {
      readonly target: Target;
      readonly invocation: Invocation;
      readonly arrivedMs: number;
    },
    resolve: (outcome: Outcome) => void,
    reject: (error: unknown) => void,
  ) {
    this.#context = context;
    this.target = call.target;
    this.invocation = call.invocation;
    this.arrivedMs = call.arrivedMs;
    this.#cameMs = call.arrivedMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get bytes(): number {
    return this.invocation.event.length;
  }

  isAbandoned(): boolean {
    return this.invocation.isAbandoned?.() === true;
  }

  get isAsync(): boolean {
    return this.invocation.isAsync === true;
  }

  get waitMs(): number {
    return this.startedMs - this.#cameMs;
  }

  get report(): Promise<Report | null> {
    if (this.#report !== undefined) return Promise.resolve(this.#report);
    this.#reportWaiter ??= Promise.withResolvers();
    return this.#reportWaiter.promise;
  }

  /** JSON text of the INVOKE head, for the pod that it is sent to. */
  head(): string {
    const { requestId, invokedFunctionArn, traceId, clientContext, tail, stream } = this.invocation;
    const roleToken = this.slot === null ? undefined : newToken(this.target, this.slot.pod);
    const isTail = tail || undefined;
    return JSON.stringify({ requestId, invokedFunctionArn, traceId, clientContext, tail: isTail, stream, roleToken });
  }

  /** The frames of this attempt are about to be written. */
  sentTo(slot: Slot<PodLink, Call>, start: Start): void {
    this.slot = slot;
    this.start = start;
    this.#context.observer.started(this.target, start, this.waitMs);
  }

  /** Ends the call with an error of the platform; NotOwner is none, the router tries elsewhere. */
  fail(error: LambdaError | NotOwner): void {
    const { observer } = this.#context;
    if (error instanceof TooManyRequests) observer.throttled(this.target, error.throttle);
    else if (!(error instanceof NotOwner)) observer.failed(this.target, error.code);
    if (this.body === null) this.#reject(error);
    else if (!(error instanceof NotOwner)) this.body.finish({ kind: 'lost', error });
  }

  shutDown(): void {
    this.fail(shuttingDown());
  }

  /** Offers it, while it waits, to other owners: true = it has its answer or its error there, false = it did not run. Never rejects. */
  async offer(askIdle: NonNullable<Ownership['askIdle']>): Promise<boolean> {
    try {
      const outcome = await askIdle(this.target, this.invocation);
      if (outcome !== null) this.#resolve(outcome);
      return outcome !== null;
    } catch (error) {
      this.#reject(error); // the owner that was given it has counted it
      return true;
    }
  }

  onResponse(head: ResponseHead, payload: Buffer): void {
    const { slot } = this;
    if (slot === null || slot.request !== this) return;
    this.kind = head.kind;
    this.contentType = head.contentType;
    this.errorType = head.errorType;
    this.payload = payload;
    this.#isAnswered = true;
    this.#context.core.answered(slot);
    this.#resolve(this);
  }

  onStream(head: ResponseHead, credit: Credit): StreamSink {
    if (this.invocation.stream === undefined) throw new LinkError('BadFrame', 'a stream that nobody has asked for');
    const body = new AnswerStream(credit);
    const { slot } = this;
    if (slot === null || slot.request !== this || this.body !== null) body.discard();
    else {
      this.contentType = head.contentType;
      this.body = body;
      this.invocation = { ...this.invocation, event: NO_BYTES }; // it is not tried elsewhere, and an answer may take long
      this.#resolve(this);
    }
    return { onPiece: (piece) => body.push(piece), onEnd: () => this.#endBody({ kind: 'complete' }) };
  }

  onAborted(errorType: string | undefined, payload: Buffer): void {
    this.#endBody({ kind: 'failed', errorType, payload });
  }

  #endBody(end: StreamEnd): void {
    const { slot, body } = this;
    if (slot === null || slot.request !== this || body === null) return;
    this.#isAnswered = true;
    this.#context.core.answered(slot);
    body.finish(end);
  }

  onReport(report: ReportBody): void {
    const { slot } = this;
    if (slot === null || slot.state === 'Gone') return;
    this.#settleReport(report);
    if (slot.request === this) {
      const error = new ServiceException('The pod reported the end of the invocation but sent no answer.');
      this.#lose({ mayRetry: false, error, isSuspicious: true });
      return;
    }
    const isReusable = report.reusable === true;
    if (isReusable && !slot.pod.isLeaving) {
      if (slot.pod.isTaken || hasLostMates(slot)) this.#context.handOver(slot);
      else this.#context.core.reported(slot, true, null, report.status === 'success' || report.status === 'error');
      return;
    }
    slot.pod.condemn('the pod is going away');
    if (isReusable) this.#lose({ mayRetry: false, error: wentAway, isSuspicious: false });
    else this.#context.core.reported(slot, false, this.#initError(report));
  }

  /** Ends the call with the init error of another one: it never ran, so it has no report. */
  answer({ payload, contentType, errorType, requestId }: InitError): void {
    this.kind = 'error';
    this.contentType = contentType;
    this.errorType = errorType;
    this.payload = Buffer.from(payload.toString('utf8').replaceAll(requestId, this.invocation.requestId));
    this.start = 'cold';
    this.startedMs = this.arrivedMs;
    this.#isAnswered = true;
    this.#settleReport(null);
    this.#resolve(this);
  }

  /** What the function's init has answered; null when it was not the init that failed, or when that is too long to be kept. */
  #initError({ status, initDurationMs }: ReportBody): InitError | null {
    const { payload, contentType, errorType, kind } = this;
    // The agent tells how long an init took that went well; one that runs out of time is a matter of the machine, too.
    const isInit = initDurationMs === undefined && (status === 'error' || status === 'failure');
    if (!isInit || kind !== 'error' || payload.length > MAX_INIT_ERROR_BYTES) return null;
    return { payload, contentType, errorType, requestId: this.invocation.requestId };
  }

  onRefused(error: LinkError): void {
    // Another pod may have the call when #end returns.
    const { slot } = this;
    this.#end(lossOf(error));
    if (slot?.state !== 'Foreign') slot?.pod.refused(error);
  }

  onLost(error: LinkError): void {
    const message = `The link to the pod was lost (${error.message}). The function may have run; Kappa does not run it again by itself.`;
    this.#end({
      mayRetry: false,
      error: new ServiceException(message, { cause: error }),
      isSuspicious: true,
      isOutOfReach: true,
    });
  }

  #end(loss: Loss): void {
    const { slot } = this;
    const isBegun = this.body !== null;
    if ((this.#isAnswered || isBegun) && this.#report === undefined) this.#settleReport(null);
    if (slot !== null && slot.state !== 'Gone') this.#lose(isBegun ? { ...loss, mayRetry: false } : loss);
  }

  #lose(loss: Loss): void {
    if (this.slot !== null) this.#context.lose(this.slot, loss);
  }

  #settleReport(report: Report | null): void {
    this.#report = report;
    this.#reportWaiter?.resolve(report);
    this.#context.observer.reported(this.target, this.start, report);
  }
}

const wentAway = new ServiceException('The pod went away.');

/** What an ERROR frame for SPECIALIZE or INVOKE means. The agent did not run the invocation in any of these cases. */
export function lossOf(error: LinkError): Loss {
  switch (error.code) {
    case 'BadCode':
      return { mayRetry: false, error: new InvalidZipFile(error.message), isSuspicious: true };
    case 'PayloadTooLarge':
      return { mayRetry: false, error: new RequestTooLarge(error.message), isSuspicious: false };
    case 'Busy':
      return { mayRetry: true, error: refusedBy(error), isSuspicious: false, isBusy: true };
    case 'Internal':
      return { mayRetry: true, error: refusedBy(error), isSuspicious: true };
    default:
      return { mayRetry: true, error: refusedBy(error), isSuspicious: false };
  }
}

function refusedBy(error: LinkError): ServiceException {
  const message = `The pod refused the request (${error.code}: ${error.message}); it did not run.`;
  return new ServiceException(message, { cause: error, retryAfterSeconds: 1 });
}

/** The request did not run. */
export function shuttingDown(): ServiceException {
  return new ServiceException('This gateway is shutting down. The request did not run.', { retryAfterSeconds: 1 });
}
