import { LambdaError } from '../errors.ts';
import { keptTrace } from '../loops/trace-id.ts';
import type { AsyncEvent } from '../queue/event.ts';
import { type EventQueue, QueueFull, QueueUnavailable } from '../queue/event-queue.ts';
import type { Resolved } from '../registry/functions.ts';

/** An asynchronous call as it came in. */
export interface IncomingEvent {
  readonly requestId: string;
  /** `X-Amzn-Trace-Id`. */
  readonly trace: string | string[] | undefined;
  /** JSON, checked, at most 1 MiB. */
  readonly event: Buffer;
}

/**
 * Keeps an event for a run to come, and answers its trace id: only then the caller may hear 202.
 *
 * @throws LambdaError 429 when there is no room, 503 when the store did not confirm
 */
export type AcceptEvent = (resolved: Resolved, incoming: IncomingEvent) => Promise<string>;

/** Whose an event is. */
export type Addressee = Pick<AsyncEvent, 'line' | 'qualifier' | 'invokedArn' | 'accountId'>;

/** The same for a function that need not be known. */
export type KeepEvent = (to: Addressee, incoming: IncomingEvent) => Promise<string>;

/** What {@link eventKeeper} is made with. */
export interface AcceptDeps {
  readonly queue: Pick<EventQueue, 'put'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Counts what was accepted. @param line namespace/name of the Function */
  readonly onReceived: (line: string) => void;
}

/** Makes the one way into the queue of asynchronous invocations. */
export function eventKeeper({ queue, now, onReceived }: AcceptDeps): KeepEvent {
  return async (to, incoming) => {
    const event = newEvent(to, incoming, now());
    try {
      await queue.put(event);
    } catch (err) {
      throw refusalOf(err, to.invokedArn);
    }
    onReceived(to.line);
    return event.traceId;
  };
}

/** The same for functions that callers name. */
export function eventAcceptor(deps: AcceptDeps): AcceptEvent {
  const keep = eventKeeper(deps);
  return ({ target, invokedArn }, incoming) => {
    const line = `${target.namespace}/${target.functionObjectName}`;
    const qualifier = qualifierOf(invokedArn);
    const to = { line, invokedArn, accountId: target.accountId, ...(qualifier !== undefined && { qualifier }) };
    return keep(to, incoming);
  };
}

/** An event that has just come in. */
export function newEvent(
  to: Addressee,
  { requestId, trace, event }: IncomingEvent,
  nowMs: number,
): AsyncEvent & { readonly traceId: string } {
  return { ...to, id: requestId, payload: event, traceId: keptTrace(trace, requestId, nowMs), acceptedMs: nowMs };
}

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`. */
export function qualifierOf(functionArn: string): string | undefined {
  return functionArn.split(':')[7];
}

/** Fails closed: what was not confirmed is never told to be accepted. */
function refusalOf(err: unknown, arn: string): unknown {
  if (err instanceof QueueFull)
    return new LambdaError(
      'TooManyRequestsException',
      `The queue of asynchronous invocations of ${arn} is full (${err.message}). The event was not accepted. Send it again later; the queue empties faster when the function may run more often at a time, or takes less time.`,
      { status: 429, fault: 'caller', retryAfterSeconds: 5, cause: err },
    );
  if (err instanceof QueueUnavailable)
    return new LambdaError(
      'ServiceException',
      'The store of asynchronous invocations of this platform did not confirm in time. The event may have been kept, or not: send it again. Synchronous invocations go on.',
      { status: 503, fault: 'platform', retryAfterSeconds: 1, cause: err },
    );
  return err;
}
