import { CustomResources } from './custom-resources.ts';
import type { GarbageCollector } from './garbage-collector.ts';
import type { Change } from './history.ts';
import { Namespaces } from './namespaces.ts';
import type { Store } from './store.ts';

/** What follows from changes. */
export interface LifecycleDeps {
  readonly store: Store;
  readonly customResources: CustomResources;
  readonly namespaces: Namespaces;
  readonly garbageCollector: GarbageCollector;
  /** Runs `work` after the current handler and before the next request. */
  readonly defer: (work: () => void) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Carries changes to those who react to them: CRDs, namespaces, the garbage collector. Keys only, de-duplicated, one
 * turn later.
 */
export class Lifecycle {
  readonly #deps: LifecycleDeps;
  readonly #crds = new Set<string>();
  readonly #namespaces = new Set<string>();
  #isScheduled = false;

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
    deps.store.onChange((resource, change) => this.#observe(resource, change));
  }

  /** Does what is due after a start. */
  start(): void {
    const { customResources, namespaces } = this.#deps;
    customResources.reconcileAll();
    namespaces.ensureStandard();
    this.#schedule();
  }

  #observe(resource: string, change: Change): void {
    const { customResources, garbageCollector } = this.#deps;
    const { namespace, name } = change.object.metadata;
    let isConcerned = garbageCollector.observe(resource, change);
    const note = (keys: Set<string>, key: string): void => {
      keys.add(key);
      isConcerned = true;
    };
    if (resource === CustomResources.storage) note(this.#crds, name);
    if (resource === Namespaces.storage) note(this.#namespaces, name);
    const isGoneFromNamespace = change.type === 'DELETED' && namespace !== undefined;
    if (isGoneFromNamespace || resource === 'serviceaccounts') note(this.#namespaces, namespace ?? '');
    if (change.type === 'DELETED') {
      const crd = customResources.ownerOf(resource);
      if (crd !== undefined) note(this.#crds, crd);
    }
    if (isConcerned) this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#deps.defer(() => this.#work());
  }

  #work(): void {
    this.#isScheduled = false;
    for (const name of take(this.#crds)) this.#try(() => this.#deps.customResources.reconcile(name));
    for (const name of take(this.#namespaces)) this.#try(() => this.#deps.namespaces.reconcile(name));
    this.#try(() => this.#deps.garbageCollector.collect());
  }

  /** One failing key does not hold the others. */
  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#deps.onError(error);
    }
  }
}

function take(keys: Set<string>): string[] {
  const taken = [...keys];
  keys.clear();
  return taken;
}
