import { createHash } from 'node:crypto';

import type { FunctionHttpRouteAuthorizerLambda } from '@kappa/crds/function';
import { syncPayloadMaxBytes } from '@kappa/crds/limits';
import { LRUCache } from 'lru-cache';

import type { Dispatcher, Outcome } from '../dispatch/types.ts';
import { isRecord } from '../function-url/answer.ts';
import { traceIdOf } from '../loops/trace-id.ts';
import { type Functions, type Resolved, resolveQualifier } from '../registry/functions.ts';
import { letsIn, parseVerdict, type Verdict } from './authorizer-answer.ts';
import { DEFAULT_STAGE } from './compiled-route.ts';
import { type Authorization, makeEvent1, makeEvent2, noAuthorization, type RouteRequest, routeKeyOf } from './event.ts';
import { readIdentity } from './identity.ts';
import { AuthorizerFailed, forbidden, unauthorized } from './refusal.ts';

/** What {@link LambdaAuthorizer} is made with. */
export interface LambdaAuthorizerDeps {
  readonly functions: Pick<Functions, 'byObject'>;
  readonly dispatcher: Pick<Dispatcher, 'invoke'>;
  readonly random: () => number;
  readonly newRequestId: () => string;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** A request that an authorizer is asked about; its body is not part of it. */
export interface AskedRequest extends Omit<RouteRequest, 'body'> {
  /** X-Amzn-Trace-Id as it came. */
  readonly traceHeader: string | string[] | undefined;
}

/** Verdicts that are kept, bytes of their texts. */
const KEPT_BYTES = 16 * 1024 * 1024;
const KEPT_MAX = 10_000;
/** What an entry costs besides. */
const ENTRY_BYTES = 256;

/**
 * Asks a function who may do what. With `ttlSeconds` a verdict counts for further requests of the same route that have the same identity
 * sources, as long as the authorizer is the same version; failures are never kept. Requests that come while the question is under way wait for
 * its answer instead of asking again.
 *
 * A verdict belongs to one route: unlike with API Gateway, a simple `isAuthorized` of one route never opens another.
 */
export class LambdaAuthorizer {
  readonly #deps: LambdaAuthorizerDeps;
  readonly #kept: LRUCache<string, Verdict>;
  readonly #asking = new Map<string, Promise<Verdict>>();

  constructor(deps: LambdaAuthorizerDeps) {
    this.#deps = deps;
    this.#kept = new LRUCache({ max: KEPT_MAX, maxSize: KEPT_BYTES, perf: { now: deps.nowMs }, ttlResolution: 0 });
  }

  /** @throws RouteRefusal 401, 403, 500; LambdaError as the dispatcher has them */
  async authorize(rules: FunctionHttpRouteAuthorizerLambda, request: AskedRequest): Promise<Authorization> {
    const identity = rules.identitySource.map((source) => readIdentity(source, request.rawHeaders, request.query));
    const missing = rules.identitySource[identity.indexOf(null)];
    if (missing !== undefined) throw unauthorized(`the request has no ${missing}, or more than one`);
    const texts = identity.flatMap((text) => text ?? []);
    const resolved = await this.#resolve(rules.function, request);
    const verdict = await this.#verdictOf(rules, request, texts, resolved);
    if (!letsIn(verdict, this.#routeArn(request)))
      throw forbidden('the authorizer of this route does not let the request in');
    return { kind: 'lambda', principalId: verdict.principalId, context: verdict.context };
  }

  async #resolve(named: string, { match }: AskedRequest): Promise<Resolved> {
    const { namespace } = match.route;
    const [name = '', qualifier = null] = named.split(':');
    const fn = await this.#deps.functions.byObject(namespace, name);
    if (fn === undefined) throw new AuthorizerFailed(`the authorizer ${name} is no function of namespace ${namespace}`);
    const resolved = resolveQualifier(fn, qualifier, this.#deps.random);
    if (resolved === null) throw new AuthorizerFailed(`the authorizer ${name} has no version or alias ${qualifier}`);
    return resolved;
  }

  #verdictOf(
    { ttlSeconds }: FunctionHttpRouteAuthorizerLambda,
    request: AskedRequest,
    identity: readonly string[],
    resolved: Resolved,
  ): Promise<Verdict> | Verdict {
    if (ttlSeconds === 0) return this.#ask(request, identity, resolved);
    const key = keyOf(request, identity, resolved);
    const kept = this.#kept.get(key) ?? this.#asking.get(key);
    if (kept !== undefined) return kept;
    const asked = this.#ask(request, identity, resolved);
    this.#asking.set(key, asked);
    const done = (): boolean => this.#asking.delete(key);
    asked.then((verdict) => {
      done();
      const size = ENTRY_BYTES + JSON.stringify(verdict).length;
      this.#kept.set(key, verdict, { ttl: ttlSeconds * 1000, size });
    }, done);
    return asked;
  }

  async #ask(request: AskedRequest, identity: readonly string[], resolved: Resolved): Promise<Verdict> {
    const requestId = this.#deps.newRequestId();
    const traceId = traceIdOf(request.traceHeader, resolved.loops, requestId, request.timeMs);
    const event = Buffer.from(JSON.stringify(this.#eventOf(request, identity)));
    if (event.length > syncPayloadMaxBytes)
      throw new AuthorizerFailed('the event of the authorizer is larger than 6 MB');
    const invocation = { requestId, invokedFunctionArn: resolved.invokedArn, event, traceId, tail: false };
    return verdictIn(await this.#deps.dispatcher.invoke(resolved.target, invocation), resolved);
  }

  #eventOf(request: AskedRequest, identity: readonly string[]): object {
    const asked: RouteRequest = { ...request, body: NO_BODY };
    const arn = this.#routeArn(request);
    if (request.match.route.spec.payloadFormat === '1.0') {
      const { body: _body, isBase64Encoded: _is, ...event } = makeEvent1(asked, noAuthorization);
      const [authorizationToken] = identity;
      return { ...event, type: 'REQUEST', methodArn: arn, identitySource: identity.join(','), authorizationToken };
    }
    const { isBase64Encoded: _is, ...event } = makeEvent2(asked, noAuthorization);
    return { ...event, type: 'REQUEST', routeArn: arn, identitySource: identity };
  }

  /** Of the path as it was read, not as it was written: a policy that denies `/a` denies `//%61` too. */
  #routeArn({ match, accountId, region, method, segments }: AskedRequest): string {
    const { apiId, spec } = match.route;
    const own = spec.stage === DEFAULT_STAGE ? segments : segments.slice(1);
    const path = own.map((segment) => segment.replaceAll('/', '%2F')).join('/');
    return `arn:aws:execute-api:${region}:${accountId}:${apiId}/${spec.stage}/${method}/${path}`;
  }
}

const NO_BODY = Buffer.alloc(0);

/** Digests, so that no token lies in memory for longer than its request. */
function keyOf({ match, accountId }: AskedRequest, identity: readonly string[], { target }: Resolved): string {
  const { apiId, namespace, spec } = match.route;
  const parts = [accountId, namespace, apiId, spec.stage, routeKeyOf(match), target.versionUid, ...identity];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/** A function that throws `Unauthorized` has refused, as with API Gateway; every other failure is one. */
function verdictIn(outcome: Outcome, { target }: Resolved): Verdict {
  const who = `the authorizer ${target.functionObjectName}`;
  if (outcome.kind === 'error') {
    if (errorMessageIn(outcome.payload) === 'Unauthorized') throw unauthorized(`${who} answered Unauthorized`);
    // No words of the function: each other text would be an event of its own.
    const how = outcome.errorType === 'Sandbox.Timedout' ? 'took too long' : 'has thrown an error or ended';
    throw new AuthorizerFailed(`${who} ${how}; its log says more`);
  }
  const verdict = parseVerdict(outcome.payload);
  if (typeof verdict === 'string') throw new AuthorizerFailed(`the answer of ${who} is none: ${verdict}`);
  return verdict;
}

function errorMessageIn(payload: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return isRecord(value) ? value['errorMessage'] : undefined;
  } catch {
    return undefined;
  }
}
