import type { IncomingHttpHeaders } from 'node:http';

import type { StreamEnd } from '../dispatch/answer-stream.ts';
import type { Outcome, StreamWish } from '../dispatch/types.ts';
import type { AnswerSource, StreamedAnswer } from '../http/answer.ts';
import type { Call } from '../http/server.ts';
import type { Resolved } from '../registry/functions.ts';
import { handlerOf, headersOf, type InvokeDeps, invocationOf } from './invoke.ts';
import { eventStreamContentType, type InvokeComplete, invokeComplete, payloadChunk } from './model/event-stream.ts';
import { type InvokeOptions, notInSet, parseInvokeOptions } from './options.ts';

/** What the handler of InvokeWithResponseStream is made with. */
export interface InvokeStreamDeps extends InvokeDeps {
  readonly stream: StreamWish;
}

/**
 * Lambda `InvokeWithResponseStream`: the answer as PayloadChunk events while the function writes it, then InvokeComplete, which says how it
 * ended. A function that does not stream has one chunk. What fails before the function answers is rendered as for Invoke.
 */
export function invokeStreamHandler(deps: InvokeStreamDeps) {
  return handlerOf(deps, parseStreamOptions, run);
}

function parseStreamOptions(headers: IncomingHttpHeaders): InvokeOptions {
  if (headers['x-amz-invocation-type'] === 'Event')
    throw notInSet('Event', 'invocationType', 'RequestResponse, DryRun');
  return parseInvokeOptions(headers);
}

async function run(
  deps: InvokeStreamDeps,
  call: Call,
  resolved: Resolved,
  options: InvokeOptions,
  event: Buffer,
): Promise<StreamedAnswer> {
  const invocation = { ...invocationOf(deps, call, resolved, options, event), stream: deps.stream };
  const outcome = await deps.dispatcher.invoke(resolved.target, invocation);
  const onLost = (err: unknown): void => deps.onRefused(err, call.requestId);
  return {
    status: 200,
    headers: headersOf(eventStreamContentType, invocation, resolved),
    source: new EventStream(outcome, options.tail, onLost),
  };
}

/** An answer as events, each in a frame of its own. */
class EventStream implements AnswerSource {
  readonly #outcome: Outcome;
  readonly #hasTail: boolean;
  readonly #onLost: (err: unknown) => void;
  /** What comes next. */
  #next: 'payload' | 'end' | 'nothing';

  constructor(outcome: Outcome, hasTail: boolean, onLost: (err: unknown) => void) {
    this.#outcome = outcome;
    this.#hasTail = hasTail;
    this.#onLost = onLost;
    this.#next = outcome.kind === 'error' ? 'end' : 'payload';
  }

  async next(): Promise<Buffer | null> {
    if (this.#next === 'nothing') return null;
    const piece = this.#next === 'payload' ? await this.#piece() : null;
    if (piece !== null) return payloadChunk(piece);
    this.#next = 'nothing';
    const { report } = this.#outcome;
    const logTail = this.#hasTail ? (await report)?.logTail : undefined;
    return invokeComplete({ ...this.#failure(), ...(logTail === undefined ? {} : { LogResult: logTail }) });
  }

  discard(): void {
    this.#outcome.body?.discard();
  }

  /** Null = there is no further one. */
  async #piece(): Promise<Buffer | null> {
    const { body, payload } = this.#outcome;
    if (body) return await body.next();
    this.#next = 'end';
    return payload.length === 0 ? null : payload;
  }

  #failure(): InvokeComplete {
    const { kind, payload, errorType, body } = this.#outcome;
    const end: StreamEnd =
      kind === 'error' ? { kind: 'failed', errorType, payload } : (body?.end ?? { kind: 'complete' });
    if (end.kind === 'complete') return {};
    if (end.kind === 'failed') return { ErrorCode: 'Unhandled', ErrorDetails: end.payload.toString('utf8') };
    this.#onLost(end.error);
    const { code, message } = end.error;
    return { ErrorCode: code, ErrorDetails: JSON.stringify({ errorType: code, errorMessage: message }) };
  }
}
