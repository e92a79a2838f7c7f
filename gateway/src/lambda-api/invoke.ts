import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

import { asyncPayloadMaxBytes, syncPayloadMaxBytes } from '@kappa/crds/limits';

import type { AcceptEvent } from '../async/accept.ts';
import type { Authenticator, Claim } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly, toInvoke } from '../auth/authorizer.ts';
import type { RequestHead } from '../auth/canonical-request.ts';
import { requireAccess } from '../auth/policy-access.ts';
import { allows, type PolicyCaller } from '../auth/resource-policy.ts';
import type { Dispatcher, Invocation, Outcome } from '../dispatch/types.ts';
import { InvalidRequestContent, RequestTooLarge } from '../errors.ts';
import { type Answer, CallerGone } from '../http/answer.ts';
import { type Body, readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import type { Call } from '../http/server.ts';
import { traceIdOf } from '../loops/trace-id.ts';
import type { Resolved } from '../registry/functions.ts';
import { renderError, toLambdaError } from './errors.ts';
import { eventProblem } from './event-check.ts';
import { JsonCheck } from './json-check.ts';
import { type InvokeOptions, parseInvokeOptions } from './options.ts';

/** What the handler of Invoke is made with. */
export interface InvokeDeps {
  readonly authenticator: Authenticator;
  /** Default: accounts alone say what callers may do. */
  readonly authorizer?: Authorizer;
  /** @throws LambdaError 404, 409, 400 */
  readonly resolve: (
    label: string,
    query: string,
    ownAccountId?: string,
    headers?: IncomingHttpHeaders,
  ) => Resolved | Promise<Resolved>;
  readonly dispatcher: Pick<Dispatcher, 'invoke'>;
  readonly budget: BufferBudget;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A request was refused or failed before a function answered. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** The same for Invoke itself, which may also be asynchronous. */
export interface AnyInvokeDeps extends InvokeDeps {
  /** Keeps an event of InvocationType Event. */
  readonly accept: AcceptEvent;
}

/**
 * Lambda `Invoke`: RequestResponse, Event and DryRun. A function error is an answer (200), all else is rendered from a
 * LambdaError.
 */
export function invokeHandler(deps: AnyInvokeDeps) {
  return handlerOf(deps, parseInvokeOptions, run);
}

/** Where Invoke was called. */
export interface InvokeTarget {
  readonly label: string;
  readonly query: string;
}

/** What every operation that runs a function does, around what it does itself. */
export function handlerOf<Deps extends InvokeDeps, Result>(
  deps: Deps,
  parseOptions: (headers: IncomingHttpHeaders) => InvokeOptions,
  runs: (deps: Deps, call: Call, resolved: Resolved, options: InvokeOptions, event: Buffer) => Promise<Result>,
): (call: Call, route: InvokeTarget) => Promise<Answer | Result> {
  return async (call, route) => {
    try {
      const claim = deps.authenticator.begin(headOf(call.req)); //         1. who?   403, 400
      const options = parseOptions(call.req.headers);
      const body = await readEvent(call, deps.budget, claim, options); //  2. what?  413, 400
      try {
        const principal = claim.confirm(); // nothing was done for the caller before, not even a lookup
        refuseBadEvent(body);
        const own = principal.accounts?.[0];
        const resolved = await deps.resolve(route.label, route.query, own, call.req.headers); // 3. where? 404, 409
        const asked = toInvoke(resolved.target, resolved.invokedArn);
        const isGranted = (caller: PolicyCaller): boolean => allows(resolved.grants, { action: asked.action, caller });
        const asking = requireAccess(deps.authorizer ?? accountsOnly, principal, asked, { isGranted });
        if (asking !== null) await asking; //                              never waits for what is known
        if (options.isDryRun) return { status: 204, headers: ['x-amzn-RequestId', call.requestId], body: '' };
        return await runs(deps, call, resolved, options, body.bytes); //   4. run    400, 429, 5xx
      } finally {
        body.release();
      }
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      deps.onRefused(err, call.requestId);
      return renderError(toLambdaError(err), call.requestId);
    }
  };
}

async function run(
  deps: AnyInvokeDeps,
  call: Call,
  resolved: Resolved,
  options: InvokeOptions,
  event: Buffer,
): Promise<Answer> {
  if (options.isEvent) return accept(deps, call, resolved, event);
  const invocation = invocationOf(deps, call, resolved, options, event);
  const outcome = await deps.dispatcher.invoke(resolved.target, invocation);
  const headers = headersOf('application/json', invocation, resolved);
  if (outcome.kind === 'error') headers.push('X-Amz-Function-Error', 'Unhandled', 'x-kappa-fault', 'function');
  if (options.tail) await pushLogTail(outcome, headers);
  return { status: 200, headers, body: outcome.payload };
}

/** 202 with no body, once the event is on disk. */
async function accept(deps: AnyInvokeDeps, call: Call, resolved: Resolved, event: Buffer): Promise<Answer> {
  const { requestId } = call;
  const traceId = await deps.accept(resolved, { requestId, trace: call.req.headers['x-amzn-trace-id'], event });
  const headers = ['x-amzn-RequestId', requestId, 'X-Amzn-Trace-Id', traceId];
  return { status: 202, headers, body: '' };
}

/** What dispatch is given. @throws RecursiveInvocation */
export function invocationOf(
  { now }: Pick<InvokeDeps, 'now'>,
  { req, requestId }: Call,
  { invokedArn, loops }: Resolved,
  { tail, clientContext }: InvokeOptions,
  event: Buffer,
): Invocation & { readonly traceId: string } {
  const traceId = traceIdOf(req.headers['x-amzn-trace-id'], loops, requestId, now());
  const isAbandoned = (): boolean => req.socket.destroyed;
  const invocation = { requestId, invokedFunctionArn: invokedArn, event, traceId, tail, isAbandoned };
  return clientContext === undefined ? invocation : { ...invocation, clientContext };
}

/** Flat headers of an answer by the function. */
export function headersOf(
  contentType: string,
  { requestId, traceId }: { readonly requestId: string; readonly traceId: string },
  { target }: Resolved,
): string[] {
  return [
    'Content-Type',
    contentType,
    'x-amzn-RequestId',
    requestId,
    'X-Amz-Executed-Version',
    target.version,
    'X-Amzn-Trace-Id',
    traceId,
  ];
}

async function pushLogTail(outcome: Outcome, headers: string[]): Promise<void> {
  const report = await outcome.report;
  if (report?.logTail !== undefined) headers.push('X-Amz-Log-Result', report.logTail);
}

/** What a signature covers besides the body. */
export function headOf(req: IncomingMessage): RequestHead {
  return { method: req.method ?? 'GET', target: req.url ?? '', rawHeaders: req.rawHeaders };
}

/** The event and what was found out about it while it came in. */
interface Event extends Body {
  readonly check: JsonCheck;
}

const emptyEvent = Buffer.from('{}');

/** The event as it came; an empty body is `{}` as in Lambda. It is checked while it arrives, and never parsed. */
async function readEvent(call: Call, budget: BufferBudget, claim: Claim, options: InvokeOptions): Promise<Event> {
  const check = new JsonCheck();
  const onPiece = (piece: Buffer): void => {
    claim.push(piece);
    check.push(piece);
  };
  const limit = options.isEvent ? asyncLimit : syncLimit;
  const { bytes, release } = await readBody(call.req, { ...limit, budget, onPiece });
  return { bytes: bytes.length === 0 ? emptyEvent : bytes, release, check };
}

function refuseBadEvent({ bytes, check }: Event): void {
  if (bytes === emptyEvent) return;
  const problem = eventProblem(bytes, check);
  if (problem !== null) throw new InvalidRequestContent(`Could not parse request body into json: ${problem}`);
}

const syncLimit = {
  limitBytes: syncPayloadMaxBytes,
  tooLarge: () =>
    // AWS's text; it names 6 MiB although 100 bytes more are taken.
    new RequestTooLarge('Request must be smaller than 6291456 bytes for the InvokeFunction operation'),
};
const asyncLimit = {
  limitBytes: asyncPayloadMaxBytes,
  tooLarge: () =>
    new RequestTooLarge(`Request must be smaller than ${asyncPayloadMaxBytes} bytes for the InvokeFunction operation`),
};
