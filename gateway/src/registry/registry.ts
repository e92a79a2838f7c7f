import { placeOf } from '@kappa/crds/accounts';

import type { Dispatcher, PoolPod, Target } from '../dispatch/types.ts';
import { ServiceException } from '../errors.ts';
import { Children } from './children.ts';
import type { Directory, Sight } from './directory.ts';
import { type FoundUrl, type Functions, urlOf } from './functions.ts';
import { Holds, type HoldsDeps } from './holds.ts';
import { type Place, Places } from './places.ts';
import { type RoutedFunction, type RoutingOptions, routeFunction, targetsOf } from './routing.ts';
import { UrlIndex } from './url-index.ts';
import type { AliasView, FunctionView, VersionView } from './views.ts';

/** What a {@link Registry} is made with. */
export interface RegistryDeps extends HoldsDeps {
  readonly routing: RoutingOptions;
  readonly dispatcher: Pick<Dispatcher, 'onVersions'>;
  /** Longest time that requests wait for the first complete view after the start. */
  readonly startWaitMs: number;
  /** Calls back after what is at hand, so that many changes are worked off at once. */
  readonly defer: (then: () => void) => void;
}

/** Sizes, for gauges. */
export interface RegistryStats {
  readonly functions: number;
  readonly versions: number;
  readonly aliases: number;
  readonly targets: number;
}

/**
 * What the gateway knows of functions, kept by informers: `set…` on every change, lookups at once from memory.
 * Changes are worked off in one go per turn of the event loop and only for functions that they concern. With the API
 * server away it says what it knew last.
 *
 * **Hold.** A function whose update is under way is answered with a promise, which settles when the update is there
 * or `holdMs` after it began. So a request right after `kubectl apply` meets the new code, and a controller that is
 * away costs `holdMs` once per change.
 *
 * **Start.** Until everything has been listed once, every lookup waits, then fails with a platform error, never with 404:
 * "not there" means nothing yet, and pods that hold the function may not be known.
 */
export class Registry implements Functions, Directory {
  readonly #deps: RegistryDeps;
  readonly #views = new Map<string, FunctionView>();
  readonly #versions = new Children<VersionView>();
  readonly #aliases = new Children<AliasView>();
  /** Claimed pods by the uid of their version. */
  readonly #pods = new Children<PoolPod>();
  readonly #places = new Places();
  /** By namespace/name. */
  readonly #routed = new Map<string, RoutedFunction>();
  readonly #urls = new UrlIndex();
  readonly #changed = new Set<string>();
  readonly #holds: Holds;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #isFlushDue = false;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#holds = new Holds(deps);
  }

  setFunction(key: string, view: FunctionView | null): void {
    if (view === null) this.#views.delete(key);
    else this.#views.set(key, view);
    this.#touch(key);
  }

  setVersion(key: string, value: VersionView | null): void {
    const child = value === null ? null : { owner: `${value.namespace}/${value.functionObjectName}`, value };
    this.#touch(this.#versions.set(key, child));
  }

  setAlias(key: string, value: AliasView | null): void {
    const child = value === null ? null : { owner: `${value.namespace}/${value.functionObjectName}`, value };
    this.#touch(this.#aliases.set(key, child));
  }

  /** Only for who asks how many there are: nothing is routed by it. */
  setPod(key: string, value: PoolPod | null): void {
    const owner = value?.versionUid ?? null;
    this.#pods.set(key, value === null || owner === null ? null : { owner, value });
  }

  /** @param place null = the namespace is gone */
  setNamespace(namespace: string, place: Place | null): void {
    if (!this.#places.set(namespace, place)) return;
    for (const [key, view] of this.#views) if (view.namespace === namespace) this.#touch(key);
  }

  /** Every informer has listed once: from now on what is missing is gone. */
  markSynced(): void {
    this.#hasSynced = true;
    this.#flush();
    this.#synced.resolve();
    this.#deps.dispatcher.onVersions(this.#targets());
  }

  /** Settles when everything has been listed once; rejects when that takes too long. */
  async whenListed(): Promise<void> {
    if (!this.#hasSynced) await this.#whenSynced();
  }

  byName(accountId: string, functionName: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined> {
    return this.#byName(accountId, functionName);
  }

  /** What there is in another region than the install's own: another account by the same number. */
  inRegion(region: string): Functions & Directory {
    return {
      byName: (accountId, functionName) => this.#byName(placeOf(accountId, region), functionName),
      byObject: (namespace, name) => this.byObject(namespace, name),
      byUrlId: (id) => this.byUrlId(id),
      namespacesOf: (accountId) => this.#namespacesOf(accountId, region),
      namespaceOf: async (accountId) => (await this.#namespacesOf(accountId, region))[0],
      locate: (accountId, functionName) => this.#locate(placeOf(accountId, region), functionName),
      look: (key) => this.look(key),
      podsOf: (versionUid) => this.podsOf(versionUid),
      ofAccount: (accountId) => this.#ofPlace(placeOf(accountId, region)),
    };
  }

  #byName(place: string, functionName: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined> {
    if (!this.#hasSynced) return this.#whenSynced().then(() => this.#byName(place, functionName));
    if (this.#changed.size > 0) this.#flush();
    const key = this.#places.keyOf(place, functionName);
    return key === undefined ? undefined : this.#current(key);
  }

  byObject(namespace: string, name: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined> {
    if (!this.#hasSynced) return this.#whenSynced().then(() => this.byObject(namespace, name));
    return this.#current(`${namespace}/${name}`);
  }

  byUrlId(id: string): FoundUrl | undefined | Promise<FoundUrl | undefined> {
    if (!this.#hasSynced) return this.#whenSynced().then(() => this.byUrlId(id));
    if (this.#changed.size > 0) this.#flush();
    const owner = this.#urls.ownerOf(id);
    if (owner === undefined) return undefined;
    const found = (fn: RoutedFunction | undefined): FoundUrl | undefined =>
      fn === undefined ? undefined : { fn, url: urlOf(fn, owner.alias) };
    const fn = this.#current(owner.key);
    return fn instanceof Promise ? fn.then(found) : found(fn);
  }

  namespacesOf(accountId: string): Promise<readonly string[]> {
    return this.#namespacesOf(accountId, undefined);
  }

  async #namespacesOf(accountId: string, region: string | undefined): Promise<readonly string[]> {
    await this.whenListed();
    return this.#places.namespacesOf(accountId, region);
  }

  async namespaceOf(accountId: string): Promise<string | undefined> {
    const [first] = await this.namespacesOf(accountId);
    return first;
  }

  /** What a namespace is. */
  placeOf(namespace: string): Place {
    return this.#places.of(namespace);
  }

  locate(accountId: string, functionName: string): Promise<FunctionView | undefined> {
    return this.#locate(accountId, functionName);
  }

  async #locate(place: string, functionName: string): Promise<FunctionView | undefined> {
    await this.whenListed();
    if (this.#changed.size > 0) this.#flush();
    return this.#views.get(this.#places.keyOf(place, functionName) ?? '');
  }

  look(key: string): Sight {
    if (this.#changed.size > 0) this.#flush();
    return {
      fn: this.#views.get(key),
      routed: this.#routed.get(key),
      versions: this.#versions.of(key),
      aliases: this.#aliases.of(key),
    };
  }

  podsOf(versionUid: string): readonly PoolPod[] {
    return this.#pods.of(versionUid);
  }

  ofAccount(accountId: string): readonly FunctionView[] {
    return this.#ofPlace(accountId);
  }

  #ofPlace(place: string): readonly FunctionView[] {
    if (this.#changed.size > 0) this.#flush();
    return this.#places.keysOf(place).flatMap((key) => this.#views.get(key) ?? []);
  }

  /** @param key namespace/name of a Function */
  has(key: string): boolean {
    return this.#views.has(key);
  }

  stats(): RegistryStats {
    return {
      functions: this.#views.size,
      versions: this.#versions.size,
      aliases: this.#aliases.size,
      targets: this.#targets().size,
    };
  }

  #current(key: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined> {
    if (this.#changed.size > 0) this.#flush(); // news that came in this very turn count
    const fn = this.#routed.get(key);
    if (fn?.isPending !== true) return fn;
    const over = this.#holds.over(key);
    return over === null ? fn : over.then(() => this.#routed.get(key));
  }

  async #whenSynced(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#deps.schedule(this.#deps.startWaitMs, late.resolve);
    await Promise.race([this.#synced.promise, late.promise]);
    cancel();
    if (this.#hasSynced) return;
    throw new ServiceException(
      'This gateway has just started and does not know the functions yet. The request did not run.',
      { retryAfterSeconds: 1 },
    );
  }

  #touch(key: string | null): void {
    if (key === null) return;
    this.#changed.add(key);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#deps.defer(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    if (this.#changed.size === 0) return;
    let areNamesStale = false;
    let areTargetsStale = false;
    for (const key of this.#changed) {
      const before = this.#routed.get(key) ?? null;
      const after = this.#route(key, before);
      if (after === null) this.#routed.delete(key);
      else this.#routed.set(key, after);
      this.#urls.update(key, before, after);
      if (after?.isPending === true) this.#holds.begin(key, this.#views.get(key)?.generation ?? 0);
      else this.#holds.end(key);
      areNamesStale ||= before?.arn !== after?.arn;
      areTargetsStale ||= !haveSameTargets(before, after);
    }
    this.#changed.clear();
    if (areNamesStale) this.#places.index(this.#routed);
    if (areTargetsStale && this.#hasSynced) this.#deps.dispatcher.onVersions(this.#targets());
  }

  #route(key: string, before: RoutedFunction | null): RoutedFunction | null {
    const fn = this.#views.get(key);
    if (fn === undefined) return null;
    const versions = new Map(this.#versions.of(key).map((version) => [version.name, version]));
    const place = this.#places.of(fn.namespace);
    return routeFunction({ fn, versions, aliases: this.#aliases.of(key), ...place }, before, this.#deps.routing);
  }

  #targets(): ReadonlyMap<string, Target> {
    const targets = new Map<string, Target>();
    for (const fn of this.#routed.values()) for (const target of targetsOf(fn)) targets.set(target.versionUid, target);
    return targets;
  }
}

function haveSameTargets(before: RoutedFunction | null, after: RoutedFunction | null): boolean {
  const old = before === null ? [] : targetsOf(before);
  const now = after === null ? [] : targetsOf(after);
  return old.length === now.length && old.every((target, at) => target === now[at]);
}
