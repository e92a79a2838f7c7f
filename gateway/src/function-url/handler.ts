import type { IncomingMessage } from 'node:http';

import { syncPayloadMaxBytes } from '@kappa/crds/limits';

import type { Authenticator, Claim } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly, requireRight, toInvoke } from '../auth/authorizer.ts';
import type { Dispatcher, Outcome } from '../dispatch/types.ts';
import { LambdaError, RequestTooLarge, ResourceNotFound } from '../errors.ts';
import { type Answer, CallerGone } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import type { Call } from '../http/server.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { headOf } from '../lambda-api/invoke.ts';
import { traceIdOf } from '../lambda-api/trace-id.ts';
import { type Functions, resolveQualifier } from '../registry/functions.ts';
import type { RoutedFunction } from '../registry/routing.ts';
import { parseUrlAnswer } from './answer.ts';
import { isPreflight, preflightHeaders, withCors } from './cors.ts';
import { makeUrlEvent } from './event.ts';

/** What the handler of function URLs is made with. */
export interface FunctionUrlDeps {
  /** Checks the callers of functions with `auth: AwsIam`; null = none of them is let in. */
  readonly authenticator: Authenticator | null;
  /** Default: accounts alone say what callers may do. */
  readonly authorizer?: Authorizer;
  readonly functions: Functions;
  readonly dispatcher: Pick<Dispatcher, 'invoke'>;
  readonly budget: BufferBudget;
  readonly urlDomain: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** A request was refused or failed before a function answered, or the answer was no HTTP answer. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Where a function URL was called. */
export interface UrlTarget {
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly query: string;
}

/** Function URLs: HTTP request → event 2.0 → function → HTTP answer. */
export function functionUrlHandler(deps: FunctionUrlDeps) {
  return async (call: Call, url: UrlTarget): Promise<Answer> => {
    let cors: Cors = null;
    const origin = call.req.headers.origin;
    try {
      const fn = findWithUrl(await deps.functions.byObject(url.namespace, url.name), url); // 1. who?    404
      cors = fn.http.cors;
      const preflight = answerPreflight(call.req, cors);
      if (preflight !== null) return tagged(preflight, call.requestId);
      const claim = beginClaim(deps.authenticator, fn, call.req); //                         2. may it?  403
      const answer = await run(deps, call, url, fn, claim); //                               3. run
      return tagged({ ...answer, headers: withCors(cors, origin, answer.headers) }, call.requestId);
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      deps.onRefused(err, call.requestId);
      const answer = renderUrlError(toLambdaError(err));
      return tagged({ ...answer, headers: withCors(cors, origin, answer.headers) }, call.requestId);
    }
  };
}

type Cors = NonNullable<RoutedFunction['http']>['cors'];
type WithUrl = RoutedFunction & { readonly http: NonNullable<RoutedFunction['http']> };

function findWithUrl(fn: RoutedFunction | undefined, url: UrlTarget): WithUrl {
  if (fn === undefined) throw new ResourceNotFound(`there is no function ${url.name} in namespace ${url.namespace}`);
  if (!hasUrl(fn))
    throw new ResourceNotFound(
      `function ${url.name} in namespace ${url.namespace} has no URL: its spec.http is not set`,
    );
  return fn;
}

function hasUrl(fn: RoutedFunction): fn is WithUrl {
  return fn.http !== null;
}

function answerPreflight({ method = 'GET', headers }: IncomingMessage, cors: Cors): Answer | null {
  if (cors === null) return null;
  const request = { method, origin: headers.origin, requestMethod: headers['access-control-request-method'] };
  return isPreflight(request) ? { status: 200, headers: preflightHeaders(cors, request), body: '' } : null;
}

/** Fails closed: only `None`, said in the Function, opens a URL. null = nobody has to be asked. */
function beginClaim(authenticator: Authenticator | null, fn: WithUrl, req: IncomingMessage): Claim | null {
  if (fn.http.auth === 'None') return null;
  if (authenticator !== null) return authenticator.begin(headOf(req));
  const message = 'Forbidden: this URL takes only signed requests (AwsIam), and this install has no access keys';
  throw new LambdaError('AccessDeniedException', message, { status: 403, fault: 'caller' });
}

async function run(
  deps: FunctionUrlDeps,
  call: Call,
  url: UrlTarget,
  fn: RoutedFunction,
  claim: Claim | null,
): Promise<Answer> {
  const { req, requestId } = call;
  const resolved = resolveQualifier(fn, null, deps.random);
  if (resolved === null) throw new ResourceNotFound(`function ${url.name} has no version`);
  const onPiece = (piece: Buffer): void => claim?.push(piece);
  const body = await readBody(req, { limitBytes: syncPayloadMaxBytes, budget: deps.budget, tooLarge, onPiece });
  try {
    if (claim !== null) {
      const asked = toInvoke(resolved.target, resolved.invokedArn, 'lambda:InvokeFunctionUrl');
      await requireRight(deps.authorizer ?? accountsOnly, claim.confirm(), asked);
    }
    const event = makeUrlEvent(
      {
        method: req.method ?? 'GET',
        path: url.path,
        query: url.query,
        rawHeaders: req.rawHeaders,
        body: body.bytes,
        protocol: `HTTP/${req.httpVersion}`,
        sourceIp: sourceIpOf(req),
        requestId,
        timeMs: deps.now(),
      },
      {
        accountId: fn.accountId,
        name: fn.name,
        namespace: fn.namespace,
        urlDomain: deps.urlDomain,
        port: req.socket.localPort ?? 0,
      },
    );
    if (event.length > syncPayloadMaxBytes) throw tooLarge();
    const traceId = traceIdOf(req.headers['x-amzn-trace-id'], requestId, deps.now());
    const isAbandoned = (): boolean => req.socket.destroyed;
    const invocation = {
      requestId,
      invokedFunctionArn: resolved.invokedArn,
      event,
      traceId,
      tail: false,
      isAbandoned,
    };
    return answerOf(deps, call, await deps.dispatcher.invoke(resolved.target, invocation));
  } finally {
    body.release();
  }
}

function answerOf(deps: FunctionUrlDeps, call: Call, outcome: Outcome): Answer {
  if (outcome.kind === 'error') return functionFailed(outcome.errorType ?? 'Unhandled');
  const parsed = parseUrlAnswer(outcome.payload);
  if (parsed.kind === 'answer') return parsed.answer;
  deps.onRefused(new Error(`the function's answer is no HTTP answer: ${parsed.problem}`), call.requestId);
  return functionFailed('Kappa.MalformedAnswer', parsed.problem);
}

/** What AWS answers; who is at fault stands in headers, so that the body stays the same. */
function functionFailed(errorType: string, problem?: string): Answer {
  const shown = /^[\w.$-]{1,128}$/.test(errorType) ? errorType : 'Unhandled';
  const headers = ['Content-Type', 'application/json', 'x-kappa-fault', 'function', 'x-kappa-error', shown];
  // Problems are Kappa's own words; a name inside them is JSON-quoted, other characters would break the header.
  if (problem !== undefined) headers.push('x-kappa-error-message', problem.replaceAll(/[^\x20-\x7e]/g, '?'));
  return { status: 502, headers, body: '{"message":"Internal Server Error"}' };
}

function renderUrlError(err: LambdaError): Answer {
  const isNotReady = err.code === 'ResourceConflictException';
  const retryAfterSeconds = err.retryAfterSeconds ?? (isNotReady ? 1 : undefined);
  const headers = ['Content-Type', 'application/json', 'x-amzn-ErrorType', err.code, 'x-kappa-fault', err.fault];
  if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(retryAfterSeconds));
  // 409 would tell an HTTP caller that its request is at odds with a resource; it only came too early.
  return { status: isNotReady ? 503 : err.status, headers, body: JSON.stringify({ Message: err.message }) };
}

function tagged(answer: Answer, requestId: string): Answer {
  return { ...answer, headers: [...answer.headers, 'x-amzn-RequestId', requestId] };
}

function tooLarge(): RequestTooLarge {
  return new RequestTooLarge('Request must be smaller than 6291456 bytes for the InvokeFunction operation');
}

function sourceIpOf(req: IncomingMessage): string {
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
