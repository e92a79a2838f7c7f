import { customTypes } from './custom-types.ts';
import type { Deleter } from './deleter.ts';
import { at, child, text } from './json.ts';
import { cleanupFinalizer, setCondition } from './kinds/crd.ts';
import { copy, type KubeObject } from './object.ts';
import type { Registry } from './registry.ts';
import type { ResourceType } from './resource.ts';
import type { Store } from './store.ts';
import { settle } from './writer.ts';

const storage = 'apiextensions.k8s.io/customresourcedefinitions';

/** Serves what CRDs define: names accepted, established, removed with all its objects. */
export class CustomResources {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #deleter: Deleter;
  readonly #now: () => number;
  /** CRD name → uid and generation that the registry shows. */
  readonly #served = new Map<string, string>();

  constructor(store: Store, registry: Registry, deleter: Deleter, now: () => number) {
    this.#store = store;
    this.#registry = registry;
    this.#deleter = deleter;
    this.#now = now;
  }

  /** The key in the store of all CRDs. */
  static readonly storage = storage;

  /**
   * Brings registry and status to what the store says about one CRD. Level-driven: may be called any number of times.
   */
  reconcile(name: string): void {
    const crd = this.#store.get(storage, '', name);
    if (crd === undefined) {
      this.#registry.removeCustom(name);
      this.#served.delete(name);
      return;
    }
    this.#serve(crd);
    if (crd.metadata.deletionTimestamp === undefined) this.#accept(crd);
    else this.#cleanUp(crd);
  }

  /** Does for every CRD in the store what `reconcile` does; called once at start. */
  reconcileAll(): void {
    for (const crd of [...this.#store.list(storage, null)]) this.reconcile(crd.metadata.name);
  }

  /** The CRD that an object of this resource belongs to, to be looked at again when one of its last objects goes. */
  ownerOf(resource: string): string | undefined {
    return this.#registry.findStorage(resource)?.custom?.crdName;
  }

  /** Compiles a CRD's schemas when it is new or its spec changed. */
  #serve(crd: KubeObject): void {
    const { name, uid, generation } = crd.metadata;
    const revision = `${uid} ${generation}`;
    if (this.#served.get(name) === revision || this.#conflictOf(crd) !== null) return;
    this.#registry.setCustom(name, customTypes(crd));
    this.#served.set(name, revision);
  }

  #accept(crd: KubeObject): void {
    const next = copy(crd);
    const nowMs = this.#now();
    const conflict = this.#conflictOf(crd);
    if (conflict === null) {
      child(next, 'status')['acceptedNames'] = copy(at(next, 'spec', 'names'));
      setCondition(next, 'NamesAccepted', 'True', 'NoConflicts', 'no conflicts found', nowMs);
      setCondition(next, 'Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted', nowMs);
    } else {
      setCondition(next, 'NamesAccepted', 'False', 'KindConflict', conflict, nowMs);
      setCondition(next, 'Established', 'False', 'NotAccepted', 'not all names are accepted', nowMs);
    }
    this.#putIfChanged(crd, next);
  }

  /** Null when nobody else in the group has the plural or the kind. */
  #conflictOf(crd: KubeObject): string | null {
    const group = text(at(crd, 'spec', 'group'));
    const kind = text(at(crd, 'spec', 'names', 'kind'));
    const other = this.#registry
      .all()
      .find((type) => type.group === group && type.kind === kind && type.custom?.crdName !== crd.metadata.name);
    return other === undefined ? null : `${JSON.stringify(kind)} is already in use`;
  }

  #cleanUp(crd: KubeObject): void {
    if (!(crd.metadata.finalizers ?? []).includes(cleanupFinalizer)) return;
    const type = this.#registry.all().find((entry) => entry.custom?.crdName === crd.metadata.name);
    const left = type === undefined ? 0 : this.#deleteObjects(type);
    const next = copy(crd);
    if (left > 0) {
      setCondition(
        next,
        'Terminating',
        'True',
        'InstanceDeletionInProgress',
        'CustomResource deletion is in progress',
        this.#now(),
      );
      this.#putIfChanged(crd, next);
      return;
    }
    next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((name) => name !== cleanupFinalizer);
    settle(this.#store, storage, next);
  }

  /** @returns how many objects something still holds */
  #deleteObjects(type: ResourceType): number {
    const options = {
      gracePeriodSeconds: undefined,
      propagation: undefined,
      uid: '',
      resourceVersion: '',
      isDryRun: false,
    };
    for (const object of [...this.#store.list(type.storage, null)]) {
      if (object.metadata.deletionTimestamp !== undefined) continue;
      const target = { type, namespace: object.metadata.namespace ?? '', name: object.metadata.name, subresource: '' };
      this.#deleter.delete(target, options);
    }
    return [...this.#store.list(type.storage, null)].length;
  }

  #putIfChanged(before: KubeObject, next: KubeObject): void {
    if (JSON.stringify(before['status']) !== JSON.stringify(next['status'])) this.#store.put(storage, next);
  }
}
