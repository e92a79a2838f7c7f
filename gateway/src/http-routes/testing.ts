import type { FunctionHttpRoute } from '@kappa/crds/function';

import type { RouteOwner, RouteSite } from './compiled-route.ts';
import type { AskedRequest } from './lambda-authorizer.ts';
import { RouteHosts } from './route-hosts.ts';
import { readPath } from './route-path.ts';
import { type RouteProblem, RouteTable } from './table.ts';

/** A route of `/pets` for any method, by a manifest. */
export function routeSpec(over: Partial<FunctionHttpRoute> = {}): FunctionHttpRoute {
  return { path: '/pets', methods: ['ANY'], payloadFormat: '2.0', stage: '$default', ...over };
}

/** A Function named `hello` in `default` with routes. */
export function routeOwner(routes: readonly Partial<FunctionHttpRoute>[], over: Partial<RouteOwner> = {}): RouteOwner {
  return {
    namespace: 'default',
    name: 'hello',
    uid: `uid-${over.name ?? 'hello'}`,
    createdMs: 1000,
    routes: routes.map(routeSpec),
    ...over,
  };
}

/** Where routes without a host are. */
export const atDefault: RouteSite = { kind: 'namespace', namespace: 'default' };

/** A table that has listed these, and what it has told of them. */
export function tableOf(...owners: readonly RouteOwner[]): {
  readonly table: RouteTable;
  readonly problems: RouteProblem[];
} {
  const problems: RouteProblem[] = [];
  const hosts = new RouteHosts(['*.example.com', 'bank.example.com=bank']);
  const table = new RouteTable({ hosts, defer: () => undefined, onProblem: (problem) => problems.push(problem) });
  for (const owner of owners) table.set(`${owner.namespace}/${owner.name}`, owner);
  table.markListed();
  return { table, problems };
}

/** A GET of a route of `hello`. */
export function askedRequest(route: Partial<FunctionHttpRoute>, over: Partial<AskedRequest> = {}): AskedRequest {
  const { path = '/pets', method = 'GET' } = over;
  const { table } = tableOf(routeOwner([route]));
  const segments = readPath(path);
  const match = segments === null ? null : table.match(atDefault, method, segments);
  if (segments === null || match === null) throw new Error(`${method} ${path} meets no route`);
  return {
    method,
    path,
    query: '',
    rawHeaders: [],
    protocol: 'HTTP/1.1',
    sourceIp: '127.0.0.1',
    requestId: '11111111-2222-4333-8444-555555555555',
    traceId: 'Root=1-a',
    traceHeader: undefined,
    timeMs: Date.UTC(2026, 10, 22, 1, 2, 3),
    match,
    segments,
    accountId: '000000000000',
    region: 'us-east-1',
    domainName: 'kappa.example.com',
    port: 9000,
    ...over,
  };
}
