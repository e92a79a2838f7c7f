import type { KeyObject } from 'node:crypto';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import type { BlobStore } from '../blobs/blob-store.ts';
import type { Dispatcher, Target } from '../dispatch/types.ts';
import type { RouteTable } from '../http-routes/table.ts';
import type { Directory } from '../registry/directory.ts';
import { Endpoints, type EndpointVariables } from '../registry/endpoints.ts';
import { type EnvironmentDeps, environmentSource } from '../registry/environment.ts';
import type { Functions } from '../registry/functions.ts';
import { observe } from '../registry/observe.ts';
import type { Place } from '../registry/places.ts';
import { Registry } from '../registry/registry.ts';
import { sourceReader } from '../registry/source-reader.ts';
import { roleSource } from '../registry/target-role.ts';
import { WarmUp } from '../registry/warm-up.ts';
import { keepValues } from '../snapshot/kept-values.ts';
import { FunctionTokens } from '../sts/function-tokens.ts';
import type { Context } from './context.ts';

/** What the gateway knows of the functions in the cluster. */
export interface WatchedFunctions {
  readonly functions: Functions & Directory;
  /** The same for another region than the install's own. */
  readonly functionsIn: (region: string) => Functions & Directory;
  /** Settles when everything has been listed once; rejects when that takes too long. */
  readonly whenListed: () => Promise<void>;
  /** The version that may be called now. */
  readonly targetOf: (versionUid: string) => Target | undefined;
  /** Whether the Function (namespace/name) still exists. */
  readonly has: (key: string) => boolean;
  /** What a namespace is. */
  readonly placeOf: (namespace: string) => Place;
  /** Where a namespace's functions find AWS's services. */
  readonly endpointsOf: (namespace: string) => EndpointVariables;
  /** Names of what has not been listed yet. */
  readonly missing: () => readonly string[];
  /** Objects by kind, for gauges. */
  readonly sizes: () => Readonly<Record<string, number>>;
  /** Whether the API server tells of pods, as far as is known at this moment. */
  readonly hearsOfPods: () => boolean;
  /** Whether functions, versions and aliases that are not known do not exist, as far as is known at this moment. */
  readonly hearsOfFunctions: () => boolean;
}

/** What {@link watchFunctions} connects. */
export interface WatchParts {
  readonly kubernetes: Pick<Kubernetes, 'watch' | 'get'>;
  /** The private key that all gateways have: functions' tokens are sealed by what is derived from it. */
  readonly signingKey: KeyObject;
  readonly blobs: Pick<BlobStore, 'get'>;
  readonly dispatcher: Pick<Dispatcher, 'onPod' | 'onVersions'>;
  /** Routes of HTTP APIs. */
  readonly routes: Pick<RouteTable, 'set' | 'markListed'>;
}

/** Code up to this size is read before the first call asks for it. */
const WARM_UP_BYTES = 256 * 1024;

/** Follows functions, versions and pods, and tells the dispatcher of them. Runs until the life's signal aborts. */
export function watchFunctions(
  context: Context,
  { kubernetes, signingKey, blobs, dispatcher, routes }: WatchParts,
): WatchedFunctions {
  const { config, arnOf, clock, life, log, problem } = context;
  const warmUp = new WarmUp({ readCode: (sha256) => blobs.get(sha256), maxCodeBytes: WARM_UP_BYTES });
  const read = readValues(context, kubernetes);
  const endpoints = new Endpoints(config.endpoints, (text) =>
    problem(text, { problem: text }, 'an endpoint is not used'),
  );
  const added = (namespace: string) => endpoints.of(namespace);
  let targets: ReadonlyMap<string, Target> = new Map();
  const registry = new Registry({
    routing: {
      region: config.region,
      arnOf,
      roleOf: roleSource(new FunctionTokens({ installKey: signingKey, now: Date.now }), config.internalUrl),
      environmentOf: environmentSource({ read, added, now: clock.nowMs, schedule: clock.after }),
    },
    dispatcher: {
      onVersions: (current) => {
        targets = current;
        dispatcher.onVersions(current);
        warmUp.onVersions(current);
      },
    },
    holdMs: config.updateHoldMs,
    startWaitMs: config.startWaitMs,
    now: clock.nowMs,
    schedule: clock.after,
    defer: clock.soon,
  });
  const { poolNamespace, region } = config;
  const { signal } = life;
  const observation = observe({ kubernetes, registry, routes, endpoints, dispatcher, poolNamespace, region, signal });
  observation.whenSynced.then(
    () => {
      routes.markListed();
      log.info(observation.sizes(), 'ready');
    },
    () => undefined, // aborted: the process ends
  );
  return {
    functions: registry,
    functionsIn: (elsewhere) => registry.inRegion(elsewhere),
    whenListed: () => registry.whenListed(),
    targetOf: (versionUid) => targets.get(versionUid),
    has: (key) => registry.has(key),
    placeOf: (namespace) => registry.placeOf(namespace),
    endpointsOf: added,
    missing: observation.missing,
    sizes: () => ({ ...registry.stats(), ...observation.sizes() }),
    hearsOfPods: observation.hearsOfPods,
    hearsOfFunctions: observation.hearsOfFunctions,
  };
}

/** Secrets and ConfigMaps that environments refer to; kept for a restart where there is a place for them. */
function readValues(context: Context, kubernetes: Pick<Kubernetes, 'get'>): EnvironmentDeps['read'] {
  const { config, clock, life, teller } = context;
  const read = sourceReader(kubernetes);
  if (config.snapshotDir === '') return read;
  return keepValues(read, {
    directory: config.snapshotDir,
    signal: life.signal,
    now: clock.nowMs,
    onProblem: teller('values', 'values are not kept'),
  });
}
