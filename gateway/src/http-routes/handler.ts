import { syncPayloadMaxBytes } from '@kappa/crds/limits';

import type { Dispatcher, Outcome } from '../dispatch/types.ts';
import { RequestTooLarge, ResourceNotFound } from '../errors.ts';
import { corsRequestOf, isPreflight, preflightHeaders, withCors } from '../function-url/cors.ts';
import { functionFailed, sourceIpOf } from '../function-url/handler.ts';
import { type Answer, CallerGone } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import type { Call } from '../http/server.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { traceIdOf } from '../loops/trace-id.ts';
import { type Functions, type Resolved, resolveQualifier } from '../registry/functions.ts';
import type { RoutedFunction } from '../registry/routing.ts';
import { parseRouteAnswer } from './answer.ts';
import type { CompiledRoute, RouteSite } from './compiled-route.ts';
import { type Authorization, makeRouteEvent, noAuthorization, routeKeyOf } from './event.ts';
import { readIdentity } from './identity.ts';
import type { JwtAuthorizer } from './jwt-authorizer.ts';
import type { AskedRequest, LambdaAuthorizer } from './lambda-authorizer.ts';
import { isWayRound } from './readings.ts';
import { AuthorizerFailed, badPath, noRoute, renderRefusal } from './refusal.ts';
import { readPath } from './route-path.ts';
import type { RouteMatch, RouteProblem, RouteTable } from './table.ts';

/** What the handler of routes is made with. */
export interface HttpRouteDeps {
  readonly table: Pick<RouteTable, 'match'>;
  readonly functions: Functions;
  readonly dispatcher: Pick<Dispatcher, 'invoke'>;
  readonly budget: BufferBudget;
  readonly throttle: (route: CompiledRoute) => void;
  readonly jwt: JwtAuthorizer;
  readonly lambda: Pick<LambdaAuthorizer, 'authorize'>;
  /** The install's own. */
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** Settles when what there is of Functions has been listed once; rejects when that takes too long. */
  readonly whenListed: () => Promise<unknown>;
  /** An authorizer has failed: for its owner. */
  readonly onProblem: (problem: RouteProblem) => void;
  /** A request was refused or failed before a function answered, or the answer was no HTTP answer. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Where a route was asked. */
export interface RouteTarget {
  readonly site: RouteSite;
  /** Begins with a slash; without `/api/NAMESPACE`. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
}

/** Routes of HTTP APIs: HTTP request → route → throttle → authorizer → event → function → HTTP answer. */
export function httpRouteHandler(deps: HttpRouteDeps) {
  return async (call: Call, target: RouteTarget): Promise<Answer> => {
    let met: RouteMatch | null = null;
    const origin = call.req.headers.origin;
    const finished = (answer: Answer): Answer => {
      const headers = withCors(met?.route.spec.cors ?? null, origin, answer.headers);
      return { ...answer, headers: [...headers, 'x-amzn-RequestId', call.requestId] };
    };
    try {
      const segments = readPath(target.path);
      if (segments === null) throw badPath();
      await deps.whenListed();
      const preflight = answerPreflight(deps, call, target.site, segments);
      if (preflight !== null) return finished(preflight);
      const asked = { site: target.site, method: call.req.method ?? 'GET', segments };
      met = deps.table.match(asked.site, asked.method, segments); //                1. which?     404, 400
      if (met === null) throw noRoute();
      if (isWayRound(deps.table, asked, met.route)) throw badPath();
      deps.throttle(met.route); //                                                  2. how often? 429
      return finished(await run(deps, call, { target, match: met, segments })); //  3. may it?    401, 403; run
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      return finished(refusalOf(deps, call, err, met));
    }
  };
}

/** @param met null = the request has met no route */
function refusalOf({ onRefused, onProblem }: HttpRouteDeps, call: Call, err: unknown, met: RouteMatch | null): Answer {
  onRefused(err, call.requestId);
  if (err instanceof AuthorizerFailed && met !== null) {
    const message = `Requests of its route ${routeKeyOf(met)} are answered 500: ${err.detail}.`;
    onProblem({ owner: met.route, reason: 'RouteAuthorizerFailed', message });
  }
  return renderRefusal(toLambdaError(err));
}

/** Preflights of a route with `cors` are answered here, whether it answers OPTIONS or not. */
function answerPreflight(
  { table }: HttpRouteDeps,
  { req }: Call,
  site: RouteSite,
  segments: readonly string[],
): Answer | null {
  const request = corsRequestOf(req);
  if (!isPreflight(request) || request.requestMethod === undefined) return null;
  const cors = table.match(site, request.requestMethod, segments)?.route.spec.cors;
  return cors === undefined ? null : { status: 204, headers: preflightHeaders(cors, request), body: '' };
}

interface Met {
  readonly target: RouteTarget;
  readonly match: RouteMatch;
  readonly segments: readonly string[];
}

async function run(deps: HttpRouteDeps, call: Call, met: Met): Promise<Answer> {
  const { req, requestId } = call;
  const { namespace, name, spec } = met.match.route;
  const fn = await deps.functions.byObject(namespace, name);
  if (fn === undefined) throw noRoute(); // deleted a moment ago
  const resolved = resolvedOf(fn, deps);
  const traceHeader = req.headers['x-amzn-trace-id'];
  const traceId = traceIdOf(traceHeader, resolved.loops, requestId, deps.now());
  const region = fn.region ?? deps.region;
  const asked = { ...requestOf(call, met, deps.now()), accountId: fn.accountId, region, traceId, traceHeader };
  const authorization = await authorize(deps, asked);
  const body = await readBody(req, { limitBytes: syncPayloadMaxBytes, budget: deps.budget, tooLarge });
  try {
    const event = makeRouteEvent({ ...asked, body: body.bytes }, authorization);
    if (event.length > syncPayloadMaxBytes) throw tooLarge();
    const isAbandoned = (): boolean => req.socket.destroyed;
    const invocation = { requestId, invokedFunctionArn: resolved.invokedArn, event, traceId, tail: false, isAbandoned };
    const outcome = await deps.dispatcher.invoke(resolved.target, invocation);
    return answerOf(deps, requestId, outcome, spec.payloadFormat);
  } finally {
    body.release();
  }
}

function resolvedOf(fn: RoutedFunction, { random }: HttpRouteDeps): Resolved {
  const resolved = resolveQualifier(fn, null, random);
  if (resolved === null) throw new ResourceNotFound(`${fn.arn} has no version`);
  return resolved;
}

function requestOf(
  { req, requestId }: Call,
  { target, match, segments }: Met,
  timeMs: number,
): Omit<AskedRequest, 'accountId' | 'region' | 'traceId' | 'traceHeader'> {
  const host = req.headers.host ?? '';
  return {
    method: req.method ?? 'GET',
    path: target.path,
    query: target.query,
    rawHeaders: req.rawHeaders,
    protocol: `HTTP/${req.httpVersion}`,
    sourceIp: sourceIpOf(req),
    requestId,
    timeMs,
    match,
    segments,
    domainName: target.site.kind === 'host' ? target.site.host : host.replace(/:\d*$/, '').toLowerCase(),
    port: req.socket.localPort ?? 0,
  };
}

async function authorize(deps: HttpRouteDeps, request: AskedRequest): Promise<Authorization> {
  const { namespace, spec } = request.match.route;
  const { authorizer } = spec;
  if (authorizer === undefined) return noAuthorization;
  const { jwt, lambda } = authorizer;
  if (jwt !== undefined)
    return deps.jwt(namespace, jwt, readIdentity(jwt.identitySource, request.rawHeaders, request.query));
  if (lambda !== undefined) return deps.lambda.authorize(lambda, request);
  throw new Error('an authorizer that is neither jwt nor lambda'); // the CRD refuses it; fails closed
}

function answerOf(
  { onRefused }: HttpRouteDeps,
  requestId: string,
  outcome: Outcome,
  payloadFormat: '1.0' | '2.0',
): Answer {
  if (outcome.kind === 'error') return functionFailed(outcome.errorType ?? 'Unhandled');
  const parsed = parseRouteAnswer(outcome, payloadFormat);
  if (parsed.kind === 'answer') return parsed.answer;
  onRefused(new Error(`the function's answer is no HTTP answer: ${parsed.problem}`), requestId);
  return functionFailed('Kappa.MalformedAnswer', parsed.problem);
}

function tooLarge(): RequestTooLarge {
  return new RequestTooLarge('the request is larger than 6 MB, as the event of the function');
}
