import { createHash } from 'node:crypto';

import type { FunctionHttpRoute } from '@kappa/crds/function';

import { type PatternSegment, parsePattern } from './route-path.ts';

/** Where an API is: at a host of its own, or below `/api/NAMESPACE`. */
export type RouteSite =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'namespace'; readonly namespace: string };

/** A Function that has routes. */
export interface RouteOwner {
  readonly namespace: string;
  /** metadata.name of the Function. */
  readonly name: string;
  readonly uid: string;
  /** Epoch milliseconds. */
  readonly createdMs: number;
  readonly routes: readonly FunctionHttpRoute[];
}

/** A route as requests meet it. The same object until its Function's routes change. */
export interface CompiledRoute {
  readonly namespace: string;
  /** metadata.name of the Function. */
  readonly name: string;
  /** metadata.uid of the Function. */
  readonly uid: string;
  readonly spec: FunctionHttpRoute;
  readonly site: RouteSite;
  /** What the site is called in events: ten characters, the same on every gateway. */
  readonly apiId: string;
  /** The stage comes first, unless it is `$default`. */
  readonly pattern: readonly PatternSegment[];
}

/** The stage that is no part of the address. */
export const DEFAULT_STAGE = '$default';

/** The routes of one Function. */
export function compileRoutes({ namespace, name, uid, routes }: RouteOwner): readonly CompiledRoute[] {
  return routes.map((spec) => {
    const site: RouteSite =
      spec.host === undefined ? { kind: 'namespace', namespace } : { kind: 'host', host: spec.host };
    const stage: readonly PatternSegment[] =
      spec.stage === DEFAULT_STAGE ? [] : [{ kind: 'literal', text: spec.stage }];
    const pattern = [...stage, ...parsePattern(spec.path)];
    return Object.freeze({ namespace, name, uid, spec, site, apiId: apiIdOf(site), pattern });
  });
}

/** One text for one site. */
export function siteKey(site: RouteSite): string {
  return site.kind === 'host' ? `host ${site.host}` : `namespace ${site.namespace}`;
}

/** For people. */
export function siteText(site: RouteSite): string {
  return site.kind === 'host' ? `host ${site.host}` : `/api/${site.namespace}`;
}

function apiIdOf(site: RouteSite): string {
  const digest = createHash('sha256').update(siteKey(site)).digest();
  return BigInt(`0x${digest.toString('hex', 0, 8)}`)
    .toString(36)
    .padStart(10, '0')
    .slice(-10);
}
