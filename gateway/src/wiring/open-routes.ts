import { randomUUID } from 'node:crypto';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import type { Ownership } from '../dispatch/ownership.ts';
import { jsonFetcher } from '../http-routes/fetch-json.ts';
import { type HttpRouteDeps, httpRouteHandler } from '../http-routes/handler.ts';
import { jwtAuthorizer } from '../http-routes/jwt-authorizer.ts';
import { KeySets } from '../http-routes/key-sets.ts';
import { LambdaAuthorizer } from '../http-routes/lambda-authorizer.ts';
import { RouteHosts } from '../http-routes/route-hosts.ts';
import { RouteTable } from '../http-routes/table.ts';
import { LastingProblems, routeProblemTeller } from '../http-routes/tell-problems.ts';
import { routeThrottle } from '../http-routes/throttle.ts';
import type { Context } from './context.ts';

/** Routes of HTTP APIs. */
export interface Routes {
  /** Fed by what is seen of Functions. */
  readonly table: RouteTable;
  readonly hosts: RouteHosts;
  /** Answers requests of routes. */
  readonly handler: (deps: DoorDeps) => ReturnType<typeof httpRouteHandler>;
}

type DoorDeps = Pick<HttpRouteDeps, 'functions' | 'dispatcher' | 'budget' | 'onRefused' | 'whenListed'>;

/** What {@link openRoutes} connects. */
export interface RouteParts {
  readonly kubernetes: Pick<Kubernetes, 'event'>;
  readonly ownership: Pick<Ownership, 'place' | 'ranksFirst'>;
}

/** Problems that last are looked at so often. */
const PROBLEMS_MS = 10_000;
/** For one document of an issuer. */
const ISSUER_TIMEOUT_MS = 5000;
const ISSUER_MAX_BYTES = 256 * 1024;

/** Prepares what routes need; nothing is fetched or asked before a route wants it. */
export function openRoutes({ config, clock }: Context, { kubernetes, ownership }: RouteParts): Routes {
  const { nowMs } = clock;
  const hosts = new RouteHosts(config.routeHosts);
  const tell = routeProblemTeller(kubernetes);
  const lasting = new LastingProblems({
    tell,
    isMine: ({ namespace, name }) => ownership.ranksFirst?.(`route-problems/${namespace}/${name}`) === true,
    nowMs,
  });
  const table = new RouteTable({ hosts, defer: clock.soon, onProblem: (problem) => lasting.tell(problem) });
  clock.every(PROBLEMS_MS, () => lasting.check(table.problems()));
  const fetchJson = jsonFetcher({
    privateOrigins: config.privateIssuers,
    timeoutMs: ISSUER_TIMEOUT_MS,
    maxBytes: ISSUER_MAX_BYTES,
  });
  const jwt = jwtAuthorizer({ keySets: new KeySets({ fetchJson, nowMs }), now: Date.now });
  const throttle = routeThrottle({ nowMs, gateways: () => ownership.place().count });
  return {
    table,
    hosts,
    handler: (deps) => {
      const { functions, dispatcher } = deps;
      const { region } = config;
      const newRequestId = randomUUID;
      const lambda = new LambdaAuthorizer({ functions, dispatcher, random: Math.random, newRequestId, nowMs });
      return httpRouteHandler({
        ...deps,
        onProblem: tell,
        region,
        table,
        throttle,
        jwt,
        lambda,
        now: Date.now,
        random: Math.random,
      });
    },
  };
}
