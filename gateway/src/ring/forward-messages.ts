import type { StreamEnd } from '../dispatch/answer-stream.ts';
import { NoIdleSlot, NotOwner } from '../dispatch/ownership.ts';
import type { Invocation, Report, Start, StreamWish } from '../dispatch/types.ts';
import { type Fault, LambdaError, ServiceException, TooManyRequests, throttleReasons } from '../errors.ts';
import type { Fields } from '../link/fields.ts';
import { bad, object, optionalText, text, whole } from './messages.ts';

/** Head of FORWARD, read. */
export interface ForwardHead {
  readonly versionUid: string;
  /** Refuse rather than claim or queue. */
  readonly onlyIdle: boolean;
  readonly requestId: string;
  readonly invokedFunctionArn: string;
  readonly traceId: string | undefined;
  readonly clientContext: string | undefined;
  readonly tail: boolean;
  /** The answer may be streamed. */
  readonly stream: StreamWish | undefined;
  /** An event of the queue. Older gateways do not say so, and take it for a synchronous call. */
  readonly isAsync: boolean;
}

/**
 * In place of a version's uid: the event is a question to the gateway itself. One that knows no such questions knows no such version either,
 * and refuses it.
 */
export const questionUid = 'question';

/** JSON text of the head of FORWARD. */
export function makeForwardHead(versionUid: string, invocation: Invocation, onlyIdle: boolean): string {
  const { requestId, invokedFunctionArn, traceId, clientContext, tail, stream, isAsync } = invocation;
  return JSON.stringify({
    versionUid,
    onlyIdle: onlyIdle || undefined,
    requestId,
    invokedFunctionArn,
    traceId,
    clientContext,
    tail: tail || undefined,
    stream,
    isAsync,
  });
}

/** @throws LinkError BadFrame */
export function parseForwardHead(body: unknown): ForwardHead {
  const fields = object(body);
  return {
    versionUid: text(fields, 'versionUid'),
    onlyIdle: fields['onlyIdle'] === true,
    requestId: text(fields, 'requestId'),
    invokedFunctionArn: text(fields, 'invokedFunctionArn'),
    traceId: optionalText(fields, 'traceId'),
    clientContext: optionalText(fields, 'clientContext'),
    tail: fields['tail'] === true,
    stream: fields['stream'] === undefined ? undefined : parseWish(object(fields['stream'])),
    isAsync: fields['isAsync'] === true,
  };
}

function parseWish(fields: Fields): StreamWish {
  const windowBytes = whole(fields, 'windowBytes');
  const maxBytes = whole(fields, 'maxBytes');
  if (windowBytes < 1 || maxBytes < 1) throw bad('stream');
  return { windowBytes, maxBytes };
}

/** Body of CREDIT: bytes. @throws LinkError BadFrame */
export function parseCredit(body: unknown): number {
  const bytes = whole(object(body), 'bytes');
  if (bytes < 1) throw bad('bytes');
  return bytes;
}

/** JSON text of the head of an ABORTED by the function. */
export function makeAbortedHead(errorType: string | undefined): string {
  return JSON.stringify({ kind: 'error', errorType });
}

/** Why a forwarded answer has ended before its end; `payload` belongs to the receiver. @throws LinkError BadFrame */
export function parseForwardedAbort(body: unknown, payload: Buffer): StreamEnd {
  const fields = object(body);
  if (fields['kind'] === 'error') return { kind: 'failed', errorType: optionalText(fields, 'errorType'), payload };
  const error = parseRefusal(body);
  return { kind: 'lost', error: error instanceof LambdaError ? error : new ServiceException(error.message) };
}

/** Head of a RESPONSE between gateways: an agent's, and what only the owner knows. */
export interface ForwardedHead {
  readonly kind: 'response' | 'error';
  readonly contentType: string | undefined;
  readonly errorType: string | undefined;
  readonly start: Start;
  readonly waitMs: number;
  /** The answer follows in DATA. */
  readonly streamed: boolean;
}

/** @throws LinkError BadFrame */
export function parseForwardedHead(body: unknown): ForwardedHead {
  const fields = object(body);
  const { kind, waitMs } = fields;
  if (kind !== 'response' && kind !== 'error') throw bad('kind');
  if (typeof waitMs !== 'number') throw bad('waitMs');
  return {
    kind,
    contentType: optionalText(fields, 'contentType'),
    errorType: optionalText(fields, 'errorType'),
    start: fields['start'] === 'cold' ? 'cold' : 'warm',
    waitMs,
    streamed: fields['streamed'] === true,
  };
}

/** A report as the owner has it; it has checked it. `null` = the pod was lost before. */
export function parseForwardedReport(body: unknown): Report | null {
  if (body === null) return null;
  const fields = object(body);
  const { status } = fields;
  if (status !== 'success' && status !== 'error' && status !== 'timeout' && status !== 'failure') throw bad('status');
  for (const name of ['durationMs', 'billedDurationMs', 'memorySizeMiB', 'maxMemoryMiB'])
    if (typeof fields[name] !== 'number') throw bad(name);
  return fields as unknown as Report; // its fields are checked above or optional
}

/**
 * Why a forwarded request did not run where it was sent, so that another gateway may be asked. `NotSent`: nothing was written.
 * `Unavailable`: the receiver cannot take it (leaving, version unknown there, its budget is used up).
 */
export type ElsewhereKind = 'NotSent' | 'Unavailable' | 'NotOwner' | 'NoIdleSlot';

/** The request did not run there; no caller ever sees it. */
export class Elsewhere extends Error {
  readonly kind: ElsewhereKind;

  constructor(kind: ElsewhereKind, message: string) {
    super(message);
    this.name = 'Elsewhere';
    this.kind = kind;
  }
}

/** JSON text of REFUSED. */
export function makeRefusal(error: unknown): string {
  if (error instanceof NotOwner || error instanceof NoIdleSlot || error instanceof Elsewhere) {
    return JSON.stringify({ kind: error.kind, message: error.message });
  }
  const known =
    error instanceof LambdaError
      ? error
      : new ServiceException('The owner of the function failed. The function may have run.');
  const { code, status, message, fault, reason, retryAfterSeconds } = known;
  return JSON.stringify({ kind: 'lambda', code, status, message, fault, reason, retryAfterSeconds });
}

const faults: readonly Fault[] = ['caller', 'function', 'platform'];
/** One for all, as where it comes from (Gate). */
const noIdleThere = new Elsewhere('NoIdleSlot', 'no pod of the function is idle there; the request did not run');
const elsewhere: readonly ElsewhereKind[] = ['Unavailable', 'NotOwner', 'NoIdleSlot'];

/** The error that a REFUSED stands for. @throws LinkError BadFrame */
export function parseRefusal(body: unknown): Elsewhere | LambdaError {
  const fields = object(body);
  const message = text(fields, 'message');
  const kind = elsewhere.find((each) => each === fields['kind']);
  if (kind === 'NoIdleSlot') return noIdleThere;
  if (kind !== undefined) return new Elsewhere(kind, message);
  const code = text(fields, 'code');
  const status = whole(fields, 'status');
  const fault = faults.find((each) => each === fields['fault']) ?? 'platform';
  const reason = optionalText(fields, 'reason');
  const throttle = throttleReasons.find((each) => each === reason);
  if (code === 'TooManyRequestsException' && throttle !== undefined) return new TooManyRequests(throttle, message);
  const retry =
    fields['retryAfterSeconds'] === undefined ? {} : { retryAfterSeconds: whole(fields, 'retryAfterSeconds') };
  if (code === 'ServiceException') return new ServiceException(message, retry);
  return new LambdaError(code, message, { status, fault, ...retry, ...(reason === undefined ? {} : { reason }) });
}
