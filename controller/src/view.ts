import type { Informer } from '@kappa/crds/client/informer';
import { configMaps, functions, functionVersions, pods, pools } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { poolLabel } from '@kappa/crds/labels';
import type { VersionObserved } from './function/plan.ts';
import {
  type FunctionSummary,
  type PodSummary,
  type PoolSummary,
  summarizeFunction,
  summarizePod,
  summarizePool,
  summarizeVersion,
  type VersionSummary,
} from './observed.ts';
import { PoolMemory } from './pool/memory.ts';
import type { PodObserved } from './pool/plan.ts';
import { gatewayConfigMap } from './pool/resources.ts';

/** Where changed keys go. */
export interface ViewEvents {
  /** Key `namespace/name` of a Function that needs a look. */
  readonly functionChanged: (key: string) => void;
  /** The pods of a function changed: comes in crowds, a later look is enough. */
  readonly podsOfFunctionChanged: (key: string) => void;
  /** Identifier of a runtime whose pool needs a look. */
  readonly poolChanged: (runtime: string) => void;
}

/** What the view is made with. */
export interface ViewDeps {
  readonly kubernetes: Pick<Kubernetes, 'watch'>;
  readonly poolNamespace: string;
  readonly events: ViewEvents;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/**
 * The controller's view of the cluster: four informers, and what follows from them. Reads never leave memory. Nothing
 * here decides; a change only says which key to look at.
 */
export class View {
  readonly functions: Informer<FunctionSummary>;
  readonly versions: Informer<VersionSummary>;
  readonly pools: Informer<PoolSummary>;
  readonly pods: Informer<PodSummary>;
  /** The one ConfigMap with the gateways' public key, which is the projection. */
  readonly keys: Informer<string>;
  readonly #deps: ViewDeps;
  /** The last state of each pod by key, so that transitions can be told from states. */
  readonly #lastPods = new Map<string, PodSummary>();
  readonly #memories = new Map<string, PoolMemory>();
  /** Runtime of each function by key: a deleted function still tells which pool to look at. */
  readonly #runtimes = new Map<string, string>();
  /** Since when a version is seen as superseded, epoch ms; forgotten with the version. */
  readonly #supersededAtMs = new Map<string, number>();

  constructor(deps: ViewDeps) {
    this.#deps = deps;
    const { kubernetes, poolNamespace, signal } = deps;
    const onFunction = (key: string, fn: FunctionSummary | null): void => this.#functionChanged(key, fn);
    const onVersion = (key: string, version: VersionSummary | null): void => this.#versionChanged(key, version);
    const onPod = (key: string, pod: PodSummary | null): void => this.#podChanged(key, pod);
    const onPool = (key: string): void => deps.events.poolChanged(key.slice(key.indexOf('/') + 1));
    this.functions = kubernetes.watch(functions, { project: summarizeFunction, onChange: onFunction, signal });
    this.versions = kubernetes.watch(functionVersions, { project: summarizeVersion, onChange: onVersion, signal });
    this.pools = kubernetes.watch(pools, {
      namespace: poolNamespace,
      project: summarizePool,
      onChange: onPool,
      signal,
    });
    this.pods = kubernetes.watch(pods, {
      namespace: poolNamespace,
      labelSelector: poolLabel,
      project: summarizePod,
      onChange: onPod,
      signal,
    });
    this.keys = kubernetes.watch(configMaps, {
      namespace: poolNamespace,
      fieldSelector: `metadata.name=${gatewayConfigMap}`,
      project: ({ data }) => data?.['publicKey'] ?? '',
      onChange: () => this.#enqueuePools(),
      signal,
    });
  }

  /** Names of the caches that are not filled yet. Nothing may be decided before there are none. */
  get unsynced(): readonly string[] {
    const { functions: fns, versions, pools: poolCache, pods: podCache, keys } = this;
    return Object.entries({ functions: fns, versions, pools: poolCache, pods: podCache, keys }).flatMap(
      ([name, { hasSynced }]) => (hasSynced ? [] : [`${name} not listed yet`]),
    );
  }

  async whenSynced(): Promise<void> {
    const { functions: fns, versions, pools: poolCache, pods: podCache, keys } = this;
    await Promise.all([fns, versions, poolCache, podCache, keys].map((informer) => informer.whenSynced()));
  }

  /** Looks at everything: after the caches filled, and now and then as a safety net. */
  enqueueAll(): void {
    for (const [key] of this.functions.entries()) this.#deps.events.functionChanged(key);
    this.#enqueuePools();
  }

  /** Public key of the gateways; empty = there is none yet. */
  get gatewayKey(): string {
    return this.keys.list()[0] ?? '';
  }

  #enqueuePools(): void {
    const { poolChanged } = this.#deps.events;
    for (const name of new Set([...this.pools.list().map((pool) => pool.name), ...this.#runtimes.values()]))
      poolChanged(name);
  }

  pool(name: string): PoolSummary | undefined {
    return this.pools.get(`${this.#deps.poolNamespace}/${name}`);
  }

  isRuntimeUsed(runtime: string): boolean {
    return this.functions.list().some((fn) => fn.runtime === runtime);
  }

  podsOfPool(pool: string): readonly PodSummary[] {
    return this.pods.list().filter((pod) => pod.pool === pool);
  }

  memoryOf(pool: string): PoolMemory {
    const known = this.#memories.get(pool);
    if (known !== undefined) return known;
    const memory = new PoolMemory(this.#deps.nowMs());
    this.#memories.set(pool, memory);
    return memory;
  }

  podsOfFunction(fn: FunctionSummary): number {
    return this.pods.list().filter((pod) => isLive(pod) && claimKey(pod) === `${fn.namespace}/${fn.name}`).length;
  }

  /** `$LATEST` snapshots of a function, and since when each is superseded. */
  versionsOf(fn: FunctionSummary): readonly VersionObserved[] {
    return this.versions
      .list()
      .filter(
        (version) =>
          version.namespace === fn.namespace && version.functionName === fn.name && version.version === '$LATEST',
      )
      .map((version) => ({
        name: version.name,
        supersededAtMs: this.#supersededSince(
          `${version.namespace}/${version.name}`,
          version.name === fn.latestVersion,
        ),
        pods: this.pods.list().filter((pod) => isLive(pod) && isOf(pod, version)).length,
      }));
  }

  /** Why a claimed pod is not wanted any more, as far as the caches know. */
  orphanOf({ claim }: PodSummary): PodObserved['orphan'] {
    if (claim === null) return null;
    const { functionNamespace, functionName, versionName } = claim;
    if (this.functions.get(`${functionNamespace}/${functionName}`) === undefined) return 'FunctionGone';
    return this.versions.get(`${functionNamespace}/${versionName}`) === undefined ? 'VersionGone' : null;
  }

  /** Memory of the version that a claimed pod runs, MiB; null = not known. */
  memoryMiBOf({ claim }: PodSummary): number | null {
    return claim === null
      ? null
      : (this.versions.get(`${claim.functionNamespace}/${claim.versionName}`)?.memoryMiB ?? null);
  }

  /** A version that is the latest (again) has not been superseded: what was seen before was a cache behind another. */
  #supersededSince(key: string, isLatest: boolean): number | null {
    if (isLatest) {
      this.#supersededAtMs.delete(key);
      return null;
    }
    const since = this.#supersededAtMs.get(key) ?? this.#deps.nowMs();
    this.#supersededAtMs.set(key, since);
    return since;
  }

  #functionChanged(key: string, fn: FunctionSummary | null): void {
    const before = this.#runtimes.get(key);
    if (fn === null) this.#runtimes.delete(key);
    else this.#runtimes.set(key, fn.runtime);
    this.#deps.events.functionChanged(key);
    if (before !== undefined && before !== fn?.runtime) this.#deps.events.poolChanged(before);
    if (fn !== null && before !== fn.runtime) this.#deps.events.poolChanged(fn.runtime);
    if (fn === null) this.#enqueuePoolsOf(key);
  }

  /** A deleted function's pods may be in any pool: its runtime may have changed. */
  #enqueuePoolsOf(functionKey: string): void {
    for (const pod of this.pods.list()) if (claimKey(pod) === functionKey) this.#deps.events.poolChanged(pod.pool);
  }

  #versionChanged(key: string, version: VersionSummary | null): void {
    if (version === null) {
      this.#supersededAtMs.delete(key);
      for (const pod of this.pods.list())
        if (pod.claim?.versionName === key.slice(key.indexOf('/') + 1)) this.#deps.events.poolChanged(pod.pool);
      return;
    }
    this.#deps.events.functionChanged(`${version.namespace}/${version.functionName}`);
  }

  #podChanged(key: string, pod: PodSummary | null): void {
    const before = this.#lastPods.get(key) ?? null;
    if (pod === null) this.#lastPods.delete(key);
    else this.#lastPods.set(key, pod);
    const known = pod ?? before;
    if (known === null) return;
    this.memoryOf(known.pool).sawPod(before, pod, this.#deps.nowMs());
    this.#deps.events.poolChanged(known.pool);
    if (known.claim !== null) this.#deps.events.podsOfFunctionChanged(claimKey(known));
  }
}

function claimKey({ claim }: PodSummary): string {
  return claim === null ? '' : `${claim.functionNamespace}/${claim.functionName}`;
}

function isLive(pod: PodSummary): boolean {
  return pod.phase !== 'Succeeded' && pod.phase !== 'Failed';
}

function isOf({ claim }: PodSummary, version: VersionSummary): boolean {
  return claim !== null && claim.versionName === version.name && claim.functionNamespace === version.namespace;
}
