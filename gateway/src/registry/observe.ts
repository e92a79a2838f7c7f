import { accountIdOf, otherRegionOf } from '@kappa/crds/accounts';
import type { Informer } from '@kappa/crds/client/informer';
import { aliases, functions, functionVersions, namespaces, type Pod, pods } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { poolLabel, stateLabel, versionUidAnnotation } from '@kappa/crds/labels';

import type { Dispatcher, PoolPod } from '../dispatch/types.ts';
import type { RouteOwner } from '../http-routes/compiled-route.ts';
import type { RouteTable } from '../http-routes/table.ts';
import { awaitedByAnnotation, initErrorAnnotation, reclaimedForAnnotation } from './cluster-door.ts';
import { type Endpoints, endpointAnnotations } from './endpoints.ts';
import { isShortOfRoom, sizeOfPod } from './pod-room.ts';
import type { Registry } from './registry.ts';
import { type FunctionView, viewAlias, viewFunction, viewVersion } from './views.ts';

/** What is watched, and who hears of it. */
export interface ObserveDeps {
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  readonly registry: Registry;
  readonly routes: Pick<RouteTable, 'set'>;
  readonly endpoints: Pick<Endpoints, 'set'>;
  readonly dispatcher: Pick<Dispatcher, 'onPod'>;
  readonly poolNamespace: string;
  /** The install's own. */
  readonly region: string;
  readonly signal: AbortSignal;
}

/** The five views that the gateway lives on. */
export interface Observation {
  /** Names of what has not been listed yet. */
  readonly missing: () => readonly string[];
  /** Objects per kind, for gauges. */
  readonly sizes: () => Readonly<Record<string, number>>;
  /** Whether the API server tells of pods, as far as is known at this moment. */
  readonly hearsOfPods: () => boolean;
  /** Whether functions, versions and aliases that are not known do not exist, as far as is known at this moment. */
  readonly hearsOfFunctions: () => boolean;
  /** Resolves when everything has been listed once; rejects when the signal aborts first. */
  readonly whenSynced: Promise<void>;
}

/** Starts the informers and feeds registry and dispatch from them. Runs until the signal aborts. */
export function observe(deps: ObserveDeps): Observation {
  const { kubernetes, registry, routes, endpoints, dispatcher, poolNamespace, region, signal } = deps;
  const informers: Readonly<Record<string, Informer<unknown>>> = {
    // Accounts and versions first: a function that is seen before its version would be held.
    namespaces: kubernetes.watch(namespaces, {
      project: ({ metadata: { name, labels, annotations } }) => ({
        place: { accountId: accountIdOf(name, labels), region: otherRegionOf(labels, region) },
        endpoints: endpointAnnotations(annotations),
      }),
      onChange: (key, view) => {
        registry.setNamespace(key, view?.place ?? null);
        endpoints.set(key, view?.endpoints ?? null);
      },
      snapshot: { name: 'namespaces', shape: 3 },
      signal,
    }),
    functionversions: kubernetes.watch(functionVersions, {
      project: viewVersion,
      onChange: (key, view) => registry.setVersion(key, view),
      snapshot: { name: 'functionversions', shape: 3 },
      signal,
    }),
    aliases: kubernetes.watch(aliases, {
      project: viewAlias,
      onChange: (key, view) => registry.setAlias(key, view),
      snapshot: { name: 'aliases', shape: 3 },
      signal,
    }),
    functions: kubernetes.watch(functions, {
      project: viewFunction,
      onChange: (key, view) => {
        registry.setFunction(key, view);
        routes.set(key, view === null ? null : routesOf(view));
      },
      snapshot: { name: 'functions', shape: 5 },
      signal,
    }),
    pods: kubernetes.watch(pods, {
      namespace: poolNamespace,
      labelSelector: poolLabel,
      project: viewPod,
      onChange: (key, pod) => {
        registry.setPod(key, pod);
        dispatcher.onPod(key, pod);
      },
      snapshot: { name: 'pods', shape: 3 },
      signal,
    }),
  };
  const all = Object.entries(informers);
  return {
    missing: () => all.filter(([, informer]) => !informer.hasSynced).map(([name]) => name),
    sizes: () => Object.fromEntries(all.map(([name, informer]) => [name, informer.size])),
    hearsOfPods: () => informers['pods']?.isFailing === false,
    hearsOfFunctions: () =>
      [informers['functions'], informers['functionversions'], informers['aliases']].every(
        (informer) => informer?.isFailing === false && !informer.isStale,
      ),
    whenSynced: Promise.all(all.map(([, informer]) => informer.whenSynced())).then(() => registry.markSynced()),
  };
}

function routesOf({ namespace, name, uid, createdMs, routes }: FunctionView): RouteOwner | null {
  return routes === undefined ? null : { namespace, name, uid, createdMs, routes };
}

/** The part of a pool pod that dispatch looks at. */
export function viewPod(pod: Pod): PoolPod {
  const { metadata, status } = pod;
  const { labels, annotations } = metadata;
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return {
    name: metadata.name,
    uid: metadata.uid,
    ip: status?.podIP ?? '',
    zone: labels['topology.kubernetes.io/zone'] ?? '',
    pool: labels[poolLabel] ?? '',
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    terminating: metadata.deletionTimestampMs !== null || isOver,
    isOver,
    state: labels[stateLabel] === 'claimed' ? 'claimed' : 'generic',
    versionUid: annotations[versionUidAnnotation] ?? null,
    isShort: isShortOfRoom(pod),
    node: pod.spec.nodeName ?? '',
    size: sizeOfPod(pod),
    awaitedBy: annotations[awaitedByAnnotation] ?? '',
    reclaimedFor: annotations[reclaimedForAnnotation] ?? '',
    initError: annotations[initErrorAnnotation] ?? '',
  };
}
