import type { Server } from 'node:http';
import type { FunctionHttpRoute } from '@kappa/crds/function';

import type { Invocation, Outcome, Target } from '../dispatch/types.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { makeServer } from '../http/server.ts';
import { answered, fetchOnce, listen, type Reply, routed, versionView } from '../testing.ts';
import { jsonFetcher } from './fetch-json.ts';
import { httpRouteHandler } from './handler.ts';
import { jwtAuthorizer } from './jwt-authorizer.ts';
import { KeySets } from './key-sets.ts';
import { LambdaAuthorizer } from './lambda-authorizer.ts';
import { RouteHosts } from './route-hosts.ts';
import { type RouteProblem, RouteTable } from './table.ts';
import { routeOwner } from './testing.ts';
import { routeThrottle } from './throttle.ts';

/** An event as tests look at it. */
export interface TestEvent {
  readonly rawPath?: string;
  readonly routeArn?: string;
  readonly methodArn?: string;
  readonly identitySource?: unknown;
  readonly requestContext: { readonly domainName: string; readonly authorizer?: unknown };
}

const functions = [
  routed(),
  routed({ name: 'guard', functionName: 'guard' }, [versionView({ functionObjectName: 'guard' })]),
];

/** Id of every request. */
export const requestId = '11111111-2222-4333-8444-555555555555';

/** Routes of the function `hello` over real HTTP; what it and the authorizer `guard` answer is the test's. */
export class RouteRig {
  nowMs = 1000;
  gateways = 1;
  hello: () => Outcome | Promise<Outcome> = () =>
    answered('{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"hello"}');
  guard: (event: TestEvent) => Outcome | Promise<Outcome> = () =>
    answered('{"isAuthorized":true,"context":{"user":"me"}}');
  /** Oldest first. */
  readonly ran: { readonly target: Target; readonly event: TestEvent }[] = [];
  readonly refusedWith: unknown[] = [];
  /** What owners were told. */
  readonly problems: RouteProblem[] = [];
  readonly budget = new BufferBudget(10_000_000);
  readonly #hosts = new RouteHosts(['*.example.com']);
  readonly #table = new RouteTable({ hosts: this.#hosts, defer: () => undefined, onProblem: () => undefined });
  readonly #server: Server;
  port = 0;

  private constructor() {
    this.#server = this.#makeServer();
  }

  /** Who starts it stops it. */
  static async start(): Promise<RouteRig> {
    const rig = new RouteRig();
    rig.port = await listen(rig.#server);
    return rig;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** These are all routes from now on. */
  serve(...routes: readonly Partial<FunctionHttpRoute>[]): void {
    this.#table.set('default/hello', routeOwner(routes));
  }

  /** A request below `/api/default`. */
  get(path: string, headers: Record<string, string> = {}, method = 'GET', body?: Buffer): Promise<Reply> {
    return fetchOnce(this.port, {
      method,
      path: `/api/default${path}`,
      headers,
      ...(body !== undefined && { body }),
    });
  }

  /** How often the authorizer was asked. */
  get asked(): number {
    return this.ran.filter(({ target }) => target.functionObjectName === 'guard').length;
  }

  #invoke = async (target: Target, { event }: Invocation): Promise<Outcome> => {
    const parsed = JSON.parse(event.toString());
    this.ran.push({ target, event: parsed });
    return target.functionObjectName === 'guard' ? this.guard(parsed) : this.hello();
  };

  #makeHandler(): ReturnType<typeof httpRouteHandler> {
    const clock = { nowMs: () => this.nowMs };
    const fetchJson = jsonFetcher({ privateOrigins: ['*'], timeoutMs: 10_000, maxBytes: 100_000 });
    const shared = {
      functions: {
        byName: () => undefined,
        byObject: (namespace: string, name: string) =>
          namespace === 'default' ? functions.find((fn) => fn.name === name) : undefined,
        byUrlId: () => undefined,
      },
      dispatcher: { invoke: this.#invoke },
      random: () => 0,
    };
    return httpRouteHandler({
      ...shared,
      region: 'us-east-1',
      table: this.#table,
      budget: this.budget,
      throttle: routeThrottle({ ...clock, gateways: () => this.gateways }),
      jwt: jwtAuthorizer({ keySets: new KeySets({ ...clock, fetchJson }), now: Date.now }),
      lambda: new LambdaAuthorizer({ ...shared, ...clock, newRequestId: () => requestId }),
      now: Date.now,
      whenListed: () => Promise.resolve(),
      onProblem: (problem) => this.problems.push(problem),
      onRefused: (err) => this.refusedWith.push(err),
    });
  }

  #makeServer(): Server {
    const nobody = () => Promise.reject(new Error('not in this test'));
    return makeServer(
      {
        urlDomain: 'fn.localhost',
        routeHosts: this.#hosts,
        maxHeaderBytes: 16_384,
        headersTimeoutMs: 10_000,
        requestTimeoutMs: 60_000,
        keepAliveTimeoutMs: 5000,
        lingerMs: 50,
        stallMs: 5000,
      },
      {
        invoke: nobody,
        invokeStream: nobody,
        functionUrl: nobody,
        httpRoute: this.#makeHandler(),
        control: (_req, res) => res.end('control'),
        newRequestId: () => requestId,
        isStopping: () => false,
        onInFlight: () => undefined,
        onBug: (err) => this.refusedWith.push(err),
      },
    );
  }
}

/** Status and JSON body. */
export async function shown(reply: Promise<Reply>): Promise<unknown> {
  const { status, body } = await reply;
  return [status, JSON.parse(body.toString())];
}

/** A route that `guard` watches, by the header Authorization. */
export function guarded(over: object = {}): Pick<FunctionHttpRoute, 'authorizer'> {
  const identitySource = ['$request.header.Authorization'];
  return { authorizer: { lambda: { function: 'guard', identitySource, ttlSeconds: 0, ...over } } };
}
