import type { Informer } from '@kappa/crds/client/informer';
import { aliases, configMaps, functions, functionVersions, pods, pools } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { poolLabel } from '@kappa/crds/labels';
import type { AliasObserved } from './alias/plan.ts';
import type { VersionObserved } from './function/plan.ts';
import { countReady } from './function/provisioned.ts';
import { found, KeyIndex, nameOf } from './key-index.ts';
import {
  type AliasSummary,
  claimKey,
  type FunctionSummary,
  type PodSummary,
  type PoolSummary,
  summarizeAlias,
  summarizeFunction,
  summarizePod,
  summarizePool,
  summarizeVersion,
  type VersionSummary,
} from './observed.ts';
import { PoolMemories } from './pool/memory.ts';
import type { PodObserved } from './pool/plan.ts';
import { gatewayConfigMap } from './pool/resources.ts';
import { PoolUsers } from './pool-users.ts';

/** Where changed keys go. */
export interface ViewEvents {
  /** Key `namespace/name` of a Function that needs a look. */
  readonly functionChanged: (key: string) => void;
  /** The pods of a function changed: comes in crowds, a later look is enough. */
  readonly podsOfFunctionChanged: (key: string) => void;
  /** Key `namespace/name` of an Alias that needs a look. */
  readonly aliasChanged: (key: string) => void;
  /** Name of a pool that needs a look. */
  readonly poolChanged: (name: string) => void;
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
 * The controller's view of the cluster: six informers, and what follows from them. Reads never leave memory. Nothing
 * here decides; a change only says which key to look at. Keys are `namespace/name`.
 */
export class View {
  readonly functions: Informer<FunctionSummary>;
  readonly versions: Informer<VersionSummary>;
  readonly aliases: Informer<AliasSummary>;
  readonly pools: Informer<PoolSummary>;
  readonly pods: Informer<PodSummary>;
  /** The one ConfigMap with the gateways' public key, which is the projection. */
  readonly keys: Informer<string>;
  /** Who uses which pool. */
  readonly poolUsers = new PoolUsers();
  /** What was seen of each pool. */
  readonly poolMemories: PoolMemories;
  readonly #deps: ViewDeps;
  /** The last state of each pod by key, so that transitions can be told from states. */
  readonly #lastPods = new Map<string, PodSummary>();
  /** Since when a version is seen as superseded, epoch ms; forgotten with the version. */
  readonly #supersededAtMs = new Map<string, number>();
  /** By `namespace/` and the name that callers use. */
  readonly #functionsByName = new KeyIndex();
  readonly #versionsByFunction = new KeyIndex();
  readonly #aliasesByFunction = new KeyIndex();
  readonly #podsByPool = new KeyIndex();
  readonly #podsByFunction = new KeyIndex();

  constructor(deps: ViewDeps) {
    this.#deps = deps;
    this.poolMemories = new PoolMemories(deps.nowMs);
    const { kubernetes, poolNamespace: namespace, signal } = deps;
    const watched = <P>(onChange: (key: string, projected: P | null) => void) => ({ onChange, signal });
    this.functions = kubernetes.watch(functions, {
      project: summarizeFunction,
      ...watched<FunctionSummary>((key, fn) => this.#functionChanged(key, fn)),
    });
    this.versions = kubernetes.watch(functionVersions, {
      project: summarizeVersion,
      ...watched<VersionSummary>((key, version) => this.#versionChanged(key, version)),
    });
    this.aliases = kubernetes.watch(aliases, {
      project: summarizeAlias,
      ...watched<AliasSummary>((key, alias) => this.#aliasChanged(key, alias)),
    });
    this.pools = kubernetes.watch(pools, {
      namespace,
      project: summarizePool,
      ...watched<PoolSummary>((key) => this.#poolChanged(nameOf(key))),
    });
    this.pods = kubernetes.watch(pods, {
      namespace,
      labelSelector: poolLabel,
      project: summarizePod,
      ...watched<PodSummary>((key, pod) => this.#podChanged(key, pod)),
    });
    this.keys = kubernetes.watch(configMaps, {
      namespace,
      fieldSelector: `metadata.name=${gatewayConfigMap}`,
      project: ({ data }) => data?.['publicKey'] ?? '',
      ...watched<string>(() => this.#enqueuePools()),
    });
  }

  /** Names of the caches that are not filled yet. Nothing may be decided before there are none. */
  get unsynced(): readonly string[] {
    return Object.entries(this.#caches()).flatMap(([name, { hasSynced }]) =>
      hasSynced ? [] : [`${name} not listed yet`],
    );
  }

  async whenSynced(): Promise<void> {
    await Promise.all(Object.values(this.#caches()).map((informer) => informer.whenSynced()));
  }

  /** Looks at everything: after the caches filled, and now and then as a safety net. */
  enqueueAll(): void {
    for (const [key] of this.functions.entries()) this.#deps.events.functionChanged(key);
    for (const [key] of this.aliases.entries()) this.#deps.events.aliasChanged(key);
    this.#enqueuePools();
  }

  /** Public key of the gateways; empty = there is none yet. */
  get gatewayKey(): string {
    return this.keys.list()[0] ?? '';
  }

  pool(name: string): PoolSummary | undefined {
    return this.pools.get(`${this.#deps.poolNamespace}/${name}`);
  }

  podsOfPool(pool: string): readonly PodSummary[] {
    return found(this.#podsByPool.keysOf(pool), this.pods);
  }

  podsOfFunction({ namespace, name }: FunctionSummary): number {
    return this.#livePodsOf(`${namespace}/${name}`).length;
  }

  /** Execution environments that are provisioned for a function and ready; what was told last, while aliases are not listed yet. */
  provisionedReadyOf({ namespace, name, provisioned, provisionedReady, latestVersion }: FunctionSummary): number {
    if (provisioned.length === 0) return 0;
    if (!this.aliases.hasSynced) return provisionedReady;
    const key = `${namespace}/${name}`;
    const versions = found(this.#versionsByFunction.keysOf(key), this.versions);
    const aliasesOf = found(this.#aliasesByFunction.keysOf(key), this.aliases);
    return countReady(provisioned, { aliases: aliasesOf, versions, latestVersion, pods: this.#livePodsOf(key) });
  }

  /** Name of the Function that callers reach by this one's name: of several the first by name, as the gateways choose; null = this one. */
  nameHolderOf({ namespace, name, lambdaName }: FunctionSummary): string | null {
    const [first = ''] = this.#functionsByName.keysOf(`${namespace}/${lambdaName}`).toSorted();
    return first === '' || nameOf(first) === name ? null : nameOf(first);
  }

  /** `$LATEST` snapshots of a function, and since when each is superseded. */
  versionsOf(fn: FunctionSummary): readonly VersionObserved[] {
    const functionKey = `${fn.namespace}/${fn.name}`;
    const live = this.#livePodsOf(functionKey);
    return found(this.#versionsByFunction.keysOf(functionKey), this.versions)
      .filter(({ version }) => version === '$LATEST')
      .map(({ name }) => ({
        name,
        supersededAtMs: this.#supersededSince(`${fn.namespace}/${name}`, name === fn.latestVersion),
        pods: live.filter(({ claim }) => claim?.versionName === name).length,
      }));
  }

  /** What an alias refers to, as far as it is there. */
  targetOf({ namespace, functionName }: AliasSummary): Omit<AliasObserved, 'alias' | 'url'> {
    const functionKey = `${namespace}/${functionName}`;
    const fn = this.functions.get(functionKey);
    const published = found(this.#versionsByFunction.keysOf(functionKey), this.versions)
      .map(({ version }) => version)
      .filter((version) => version !== '$LATEST');
    const hasLatest = fn !== undefined && fn.latestVersion !== null;
    return { hasFunction: fn !== undefined, versions: new Set([...published, ...(hasLatest ? ['$LATEST'] : [])]) };
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
    if (claim === null) return null;
    return this.versions.get(`${claim.functionNamespace}/${claim.versionName}`)?.memoryMiB ?? null;
  }

  /** What decisions need. Not the aliases: they are only told about, each as it comes. */
  #caches(): Readonly<Record<string, Pick<Informer<unknown>, 'hasSynced' | 'whenSynced'>>> {
    const { functions: fns, versions, pools: poolCache, pods: podCache, keys } = this;
    return { functions: fns, versions, pools: poolCache, pods: podCache, 'gateway key': keys };
  }

  #livePodsOf(functionKey: string): readonly PodSummary[] {
    return found(this.#podsByFunction.keysOf(functionKey), this.pods).filter(
      ({ phase }) => phase !== 'Succeeded' && phase !== 'Failed',
    );
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

  #enqueuePools(): void {
    for (const name of new Set([...this.pools.list().map((pool) => pool.name), ...this.poolUsers.pools()]))
      this.#deps.events.poolChanged(name);
  }

  #functionChanged(key: string, fn: FunctionSummary | null): void {
    const { events } = this.#deps;
    const usedPools = this.poolUsers.setFunction(key, fn);
    const name = fn === null ? null : `${fn.namespace}/${fn.lambdaName}`;
    const nameBefore = this.#functionsByName.set(key, name);
    events.functionChanged(key); // what is told may be looked at before this returns: only now is the index right
    if (nameBefore !== name) this.#enqueueNamesakes(key, [nameBefore, name]);
    for (const alias of this.#aliasesByFunction.keysOf(key)) events.aliasChanged(alias);
    for (const pool of usedPools) events.poolChanged(pool);
    if (fn === null) this.#enqueuePoolsOf(this.#podsByFunction.keysOf(key)); // its runtime may have changed, so all pools with its pods
  }

  #enqueueNamesakes(key: string, names: readonly (string | null)[]): void {
    for (const name of names) {
      for (const other of name === null ? [] : this.#functionsByName.keysOf(name))
        if (other !== key) this.#deps.events.functionChanged(other);
    }
  }

  #versionChanged(key: string, version: VersionSummary | null): void {
    const functionKey = version === null ? null : `${version.namespace}/${version.functionName}`;
    const before = this.#versionsByFunction.set(key, functionKey);
    for (const pool of this.poolUsers.setVersion(key, version)) this.#deps.events.poolChanged(pool);
    for (const alias of this.#aliasesByFunction.keysOf(functionKey ?? before ?? ''))
      this.#deps.events.aliasChanged(alias);
    if (functionKey !== null) {
      this.#deps.events.functionChanged(functionKey);
      return;
    }
    this.#supersededAtMs.delete(key);
    this.#enqueuePoolsOf(this.#podsByFunction.keysOf(before ?? ''));
  }

  #aliasChanged(key: string, alias: AliasSummary | null): void {
    const functionKey = alias === null ? null : `${alias.namespace}/${alias.functionName}`;
    const before = this.#aliasesByFunction.set(key, functionKey);
    this.#deps.events.aliasChanged(key);
    for (const name of new Set([before, functionKey])) if (name !== null) this.#deps.events.podsOfFunctionChanged(name);
  }

  /** Whether pods of a new image start shows at its pool. */
  #poolChanged(name: string): void {
    this.#forgetPool(name);
    this.#deps.events.poolChanged(name);
    for (const key of this.poolUsers.functionsOf(name)) this.#deps.events.functionChanged(key);
  }

  /** What was seen of a pool goes when it and its last pod are gone: images come and go. */
  #forgetPool(name: string): void {
    if (this.pool(name) === undefined && this.#podsByPool.keysOf(name).length === 0) this.poolMemories.forget(name);
  }

  #enqueuePoolsOf(podKeys: readonly string[]): void {
    for (const { pool } of found(podKeys, this.pods)) this.#deps.events.poolChanged(pool);
  }

  #podChanged(key: string, pod: PodSummary | null): void {
    const before = this.#lastPods.get(key) ?? null;
    if (pod === null) this.#lastPods.delete(key);
    else this.#lastPods.set(key, pod);
    this.#podsByPool.set(key, pod?.pool ?? null);
    this.#podsByFunction.set(key, pod === null ? null : claimKey(pod));
    const known = pod ?? before;
    if (known === null) return;
    this.poolMemories.of(known.pool).sawPod(before, pod, this.#deps.nowMs());
    if (pod === null) this.#forgetPool(known.pool);
    this.#deps.events.poolChanged(known.pool);
    const functionKey = claimKey(known);
    if (functionKey !== null) this.#deps.events.podsOfFunctionChanged(functionKey);
  }
}
