import { isDeepStrictEqual } from 'node:util';

import {
  type CompiledRoute,
  compileRoutes,
  DEFAULT_STAGE,
  type RouteOwner,
  type RouteSite,
  siteKey,
  siteText,
} from './compiled-route.ts';
import type { RouteHosts } from './route-hosts.ts';
import { paramsOf } from './route-path.ts';
import { RouteTree } from './route-tree.ts';

/** What is wrong with a route, for its owner. */
export interface RouteProblem {
  readonly owner: Pick<RouteOwner, 'namespace' | 'name' | 'uid'>;
  readonly reason: 'RouteConflict' | 'RouteHostRefused' | 'RouteAuthorizerFailed';
  /** For people; the same text for the same problem. */
  readonly message: string;
}

/** A route that a request has met. */
export interface RouteMatch {
  readonly route: CompiledRoute;
  /** As which of its methods it answers, `ANY` included. */
  readonly method: string;
  /** null = its path has none. */
  readonly params: Readonly<Record<string, string>> | null;
}

/** What a {@link RouteTable} is made with. */
export interface RouteTableDeps {
  /** Hosts that functions may have. */
  readonly hosts: Pick<RouteHosts, 'has' | 'admits'>;
  /** Calls back after what is at hand, so that many changes are worked off at once. */
  readonly defer: (then: () => void) => void;
  /** A route that will not answer; said once until the problem is gone, see {@link RouteTable.problems}. Only after {@link RouteTable.markListed}. */
  readonly onProblem: (problem: RouteProblem) => void;
}

/**
 * All routes, compiled. A change compiles the addresses that it concerns, once; requests look at what is ready, and those under way keep the
 * route that they have met.
 *
 * **Who has a place.** Of two Functions that declare the same method and path at one address the older one (creationTimestamp, then
 * namespace/name) has it: the same on every gateway. A host that the install does not give to a namespace belongs to that of the oldest Function
 * that names it, so nobody can take some paths of somebody else's host by naming them more exactly; but who has an older Function can take all.
 */
export class RouteTable {
  readonly #deps: RouteTableDeps;
  /** By namespace/name. */
  readonly #owners = new Map<string, Compiled>();
  /** By {@link siteKey}: who has routes there. */
  readonly #sites = new Map<string, Set<string>>();
  readonly #trees = new Map<string, RouteTree<CompiledRoute>>();
  readonly #stale = new Set<string>();
  /** By site: what has been said. */
  readonly #problems = new Map<string, readonly RouteProblem[]>();
  #isFlushDue = false;
  #hasListed = false;

  constructor(deps: RouteTableDeps) {
    this.#deps = deps;
  }

  /** @param key namespace/name of a Function @param owner null = it is gone, or has no routes */
  set(key: string, owner: RouteOwner | null): void {
    const before = this.#owners.get(key);
    if (owner === null && before === undefined) return;
    if (owner !== null && before !== undefined && isSame(before.owner, owner)) return;
    const after = owner === null ? null : { owner, routes: compileRoutes(owner) };
    for (const site of sitesOf(before)) {
      const keys = this.#sites.get(site);
      keys?.delete(key);
      if (keys?.size === 0) this.#sites.delete(site);
      this.#stale.add(site);
    }
    if (after === null) this.#owners.delete(key);
    else this.#owners.set(key, after);
    for (const site of sitesOf(after ?? undefined)) {
      this.#sites.set(site, (this.#sites.get(site) ?? new Set()).add(key));
      this.#stale.add(site);
    }
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#deps.defer(() => this.#flush());
  }

  /** Every Function has been listed once: from now on problems are told. */
  markListed(): void {
    this.#flush();
    this.#hasListed = true;
    for (const problem of this.problems()) this.#deps.onProblem(problem);
  }

  /** What is wrong at this moment; nothing before {@link markListed}. */
  problems(): readonly RouteProblem[] {
    return this.#hasListed ? [...this.#problems.values()].flat() : [];
  }

  /** The most specific route of a request; null = none. @param segments see readPath */
  match(site: RouteSite, method: string, segments: readonly string[]): RouteMatch | null {
    if (this.#stale.size > 0) this.#flush(); // news that came in this very turn count
    const found = this.#trees.get(siteKey(site))?.find(segments, method) ?? null;
    if (found === null) return null;
    const { route } = found;
    return { route, method: found.method, params: paramsOf(route.pattern, segments) };
  }

  /** Addresses with routes. */
  get size(): number {
    return this.#sites.size;
  }

  #flush(): void {
    this.#isFlushDue = false;
    for (const site of this.#stale) this.#compile(site);
    this.#stale.clear();
  }

  #compile(site: string): void {
    const said = new Set(this.#problems.get(site)?.map(keyOfProblem));
    const keys = this.#sites.get(site);
    this.#trees.delete(site);
    this.#problems.delete(site);
    if (keys === undefined) return;
    const owners = [...keys].flatMap((key) => this.#owners.get(key) ?? []).sort(byAge);
    const { tree, problems } = compileSite(site, owners, this.#deps.hosts);
    this.#trees.set(site, tree);
    if (problems.length === 0) return;
    this.#problems.set(site, problems);
    if (!this.#hasListed) return;
    for (const problem of problems) if (!said.has(keyOfProblem(problem))) this.#deps.onProblem(problem);
  }
}

interface Compiled {
  readonly owner: RouteOwner;
  readonly routes: readonly CompiledRoute[];
}

interface CompiledSite {
  readonly tree: RouteTree<CompiledRoute>;
  readonly problems: readonly RouteProblem[];
}

/** @param owners the oldest first */
function compileSite(
  site: string,
  owners: readonly Compiled[],
  hosts: Pick<RouteHosts, 'has' | 'admits'>,
): CompiledSite {
  const tree = new RouteTree<CompiledRoute>();
  const problems: RouteProblem[] = [];
  /** The namespace whose host it is. */
  let holder: string | null = null;
  for (const { owner, routes } of owners) {
    for (const route of routes) {
      if (siteKey(route.site) !== site) continue;
      const refusal = hostRefusal(route, holder, hosts);
      if (refusal !== null) {
        problems.push({ owner, reason: 'RouteHostRefused', message: refusal });
        continue;
      }
      holder ??= owner.namespace;
      problems.push(...addRoute(tree, route, owner));
    }
  }
  return { tree, problems: unique(problems) };
}

/** @param holder null = nobody has it yet */
function hostRefusal(
  { site, namespace }: CompiledRoute,
  holder: string | null,
  hosts: Pick<RouteHosts, 'has' | 'admits'>,
): string | null {
  if (site.kind === 'namespace') return null;
  if (!hosts.has(site.host))
    return `Its routes at host ${site.host} do not answer: the install does not let functions have this host (gateway.routeHosts of the chart).`;
  if (!hosts.admits(site.host, namespace))
    return `Its routes at host ${site.host} do not answer: the install gives this host to another namespace (gateway.routeHosts of the chart).`;
  if (holder === null || holder === namespace) return null;
  return `Its routes at host ${site.host} do not answer: an older Function of another namespace has this host.`;
}

function addRoute(tree: RouteTree<CompiledRoute>, route: CompiledRoute, owner: RouteOwner): readonly RouteProblem[] {
  const problems: RouteProblem[] = [];
  for (const method of route.spec.methods) {
    const holder = tree.add(route.pattern, method, route);
    if (holder === null) continue;
    const who = holder.name === route.name ? 'another route of this Function' : `the older Function ${holder.name}`;
    const { path, stage } = route.spec;
    const where = `${stage === DEFAULT_STAGE ? '' : `/${stage}`}${path} at ${siteText(route.site)}`;
    problems.push({
      owner,
      reason: 'RouteConflict',
      message: `Its route ${method} ${where} does not answer: ${who} has the same one. Change or remove one of them.`,
    });
  }
  return problems;
}

function byAge({ owner: a }: Compiled, { owner: b }: Compiled): number {
  if (a.createdMs !== b.createdMs) return a.createdMs - b.createdMs;
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}

function sitesOf(compiled: Compiled | undefined): ReadonlySet<string> {
  return new Set(compiled?.routes.map(({ site }) => siteKey(site)));
}

function isSame(a: RouteOwner, b: RouteOwner): boolean {
  return a.uid === b.uid && a.createdMs === b.createdMs && isDeepStrictEqual(a.routes, b.routes);
}

function keyOfProblem({ owner, message }: RouteProblem): string {
  return `${owner.uid} ${message}`;
}

function unique(problems: readonly RouteProblem[]): readonly RouteProblem[] {
  return [...new Map(problems.map((problem) => [keyOfProblem(problem), problem])).values()];
}
