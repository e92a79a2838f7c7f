import type { IncomingMessage } from 'node:http';

import { syncPayloadMaxBytes } from '@kappa/crds/limits';

import type { Authenticator, Claim } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly, toInvoke } from '../auth/authorizer.ts';
import type { Dispatcher, Outcome, StreamWish } from '../dispatch/types.ts';
import { type LambdaError, RequestTooLarge, ResourceNotFound } from '../errors.ts';
import { type Answer, CallerGone, type StreamedAnswer } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import type { UrlReference } from '../http/route.ts';
import type { Call } from '../http/server.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { traceIdOf } from '../loops/trace-id.ts';
import { type FoundUrl, type Functions, resolveQualifier, urlOf } from '../registry/functions.ts';
import type { RoutedUrl } from '../registry/routed-url.ts';
import { beginClaim, requireUrlAccess } from './access.ts';
import { notJson, parseUrlAnswer, type UrlAnswer } from './answer.ts';
import { corsRequestOf, isPreflight, preflightHeaders, withCors } from './cors.ts';
import { makeUrlEvent } from './event.ts';
import { httpIntegrationType, parseWholePrelude, plainType } from './prelude.ts';
import { streamUrlAnswer } from './streamed.ts';

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
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** How URLs in mode ResponseStream are answered. */
  readonly stream: StreamWish;
  /** A request was refused or failed before a function answered, or the answer was no HTTP answer. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Where a function URL was called. */
export interface UrlTarget {
  readonly of: UrlReference;
  readonly path: string;
  readonly query: string;
}

/** Function URLs: HTTP request → event 2.0 → function → HTTP answer. */
export function functionUrlHandler(deps: FunctionUrlDeps) {
  return async (call: Call, url: UrlTarget): Promise<Answer | StreamedAnswer> => {
    let cors: Cors = null;
    const origin = call.req.headers.origin;
    try {
      const found = await findUrl(deps.functions, url.of); //                1. which?  404
      cors = found.url.cors;
      const preflight = answerPreflight(call.req, cors);
      if (preflight !== null) return tagged(preflight, call.requestId);
      const claim = beginClaim(deps.authenticator, found.url, call.req); //  2. may it? 403
      const answer = await run(deps, call, url, found, claim); //            3. run
      return tagged({ ...answer, headers: withCors(cors, origin, answer.headers) }, call.requestId);
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      deps.onRefused(err, call.requestId);
      const answer = renderUrlError(toLambdaError(err));
      return tagged({ ...answer, headers: withCors(cors, origin, answer.headers) }, call.requestId);
    }
  };
}

type Cors = RoutedUrl['cors'];
type Found = FoundUrl & { readonly url: RoutedUrl };

async function findUrl(functions: Functions, of: UrlReference): Promise<Found> {
  if (of.kind === 'id') {
    const found = await functions.byUrlId(of.id);
    if (found !== undefined && hasUrl(found)) return found;
    throw new ResourceNotFound(`there is no function URL ${of.id}`);
  }
  const { namespace, name, alias } = of;
  const fn = await functions.byObject(namespace, name);
  if (fn === undefined) throw new ResourceNotFound(`there is no function ${name} in namespace ${namespace}`);
  const found = { fn, url: urlOf(fn, alias) };
  if (hasUrl(found)) return found;
  const owner = alias === null ? `function ${name}` : `alias ${alias} of function ${name}`;
  throw new ResourceNotFound(`${owner} in namespace ${namespace} has no URL: its spec.http is not set`);
}

function hasUrl(found: FoundUrl): found is Found {
  return found.url !== null;
}

function answerPreflight(req: IncomingMessage, cors: Cors): Answer | null {
  if (cors === null) return null;
  const request = corsRequestOf(req);
  return isPreflight(request) ? { status: 200, headers: preflightHeaders(cors, request), body: '' } : null;
}

async function run(
  deps: FunctionUrlDeps,
  call: Call,
  url: UrlTarget,
  { fn, url: own }: Found,
  claim: Claim | null,
): Promise<Answer | StreamedAnswer> {
  const { req, requestId } = call;
  const resolved = resolveQualifier(fn, own.alias, deps.random, req.headers);
  if (resolved === null) throw new ResourceNotFound(`${fn.arn} has no version`);
  const onPiece = (piece: Buffer): void => claim?.push(piece);
  const body = await readBody(req, { limitBytes: syncPayloadMaxBytes, budget: deps.budget, tooLarge, onPiece });
  try {
    const caller = claim?.confirm() ?? null;
    if (caller !== null) {
      const asked = toInvoke(resolved.target, resolved.invokedArn, 'lambda:InvokeFunctionUrl');
      await requireUrlAccess(deps.authorizer ?? accountsOnly, caller, asked, resolved.grants);
    }
    const traceId = traceIdOf(req.headers['x-amzn-trace-id'], resolved.loops, requestId, deps.now());
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
        traceId,
        timeMs: deps.now(),
        caller,
      },
      {
        accountId: fn.accountId,
        id: own.id,
        domain: `lambda-url.${deps.region}.${deps.urlDomain}`,
        port: req.socket.localPort ?? 0,
      },
    );
    if (event.length > syncPayloadMaxBytes) throw tooLarge();
    const isAbandoned = (): boolean => req.socket.destroyed;
    const isStreaming = own.invokeMode === 'ResponseStream';
    const invocation = {
      requestId,
      invokedFunctionArn: resolved.invokedArn,
      event,
      traceId,
      tail: false,
      isAbandoned,
      ...(isStreaming ? { stream: deps.stream } : {}),
    };
    return await answerOf(deps, call, await deps.dispatcher.invoke(resolved.target, invocation), isStreaming);
  } finally {
    body.release();
  }
}

async function answerOf(
  deps: FunctionUrlDeps,
  call: Call,
  outcome: Outcome,
  isStreaming: boolean,
): Promise<Answer | StreamedAnswer> {
  if (outcome.kind === 'error') return functionFailed(outcome.errorType ?? 'Unhandled');
  const onLost = (err: unknown): void => deps.onRefused(err, call.requestId);
  const parsed = outcome.body
    ? await streamUrlAnswer(outcome.body, outcome.contentType, onLost)
    : wholeAnswer(outcome, isStreaming);
  if (parsed.kind === 'answer') return parsed.answer;
  if (parsed.kind === 'malformed') {
    deps.onRefused(new Error(`the function's answer is no HTTP answer: ${parsed.problem}`), call.requestId);
    return functionFailed('Kappa.MalformedAnswer', parsed.problem);
  }
  if (parsed.end.kind === 'failed') return functionFailed(parsed.end.errorType ?? 'Unhandled');
  throw parsed.end.error;
}

/** An answer that came whole: a function may answer so whatever the URL's mode is, and may have streamed to an agent that cannot. */
function wholeAnswer({ payload, contentType }: Outcome, isStreaming: boolean): UrlAnswer {
  if (contentType === httpIntegrationType) return parseWholePrelude(payload);
  const parsed = parseUrlAnswer(payload);
  if (parsed.kind === 'answer' || !isStreaming || parsed.problem !== notJson) return parsed;
  return { kind: 'answer', answer: { status: 200, headers: plainType(contentType), body: payload } };
}

/** An answer that is none, or a function that failed: what AWS answers; who is at fault stands in headers, so that the body stays the same. */
export function functionFailed(errorType: string, problem?: string): Answer {
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

function tagged(answer: Answer | StreamedAnswer, requestId: string): Answer | StreamedAnswer {
  return { ...answer, headers: [...answer.headers, 'x-amzn-RequestId', requestId] };
}

function tooLarge(): RequestTooLarge {
  return new RequestTooLarge('Request must be smaller than 6291456 bytes for the InvokeFunction operation');
}

/** Address of who is connected. */
export function sourceIpOf(req: IncomingMessage): string {
  const address = req.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
