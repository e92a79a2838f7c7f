import { type Deleter, foregroundFinalizer, orphanFinalizer } from './deleter.ts';
import type { Change } from './history.ts';
import { copy, type KubeObject, type OwnerReference } from './object.ts';
import type { Registry } from './registry.ts';
import type { ResourceType } from './resource.ts';
import type { Store } from './store.ts';
import { settle } from './writer.ts';

/** Where an object lies, as one string. */
function placeOf(resource: string, { metadata: { namespace = '', name } }: KubeObject): string {
  return `${resource} ${namespace} ${name}`;
}

interface Owner {
  readonly resource: string;
  readonly object: KubeObject;
}

/**
 * Follows owner references: deletes what no living owner holds, orphans what it is told to, and finishes foreground
 * deletions. It keeps an index by uid; `observe` only notes what changed, `collect` does the work in a later turn, so
 * that a write never happens inside another one.
 */
export class GarbageCollector {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #deleter: Deleter;
  /** Uid → the resource and object that has it now. */
  readonly #byUid = new Map<string, Owner>();
  /** Owner's uid → places of the objects that name it. */
  readonly #dependents = new Map<string, Set<string>>();
  /** Places of objects to look at. */
  readonly #queue = new Set<string>();

  constructor(store: Store, registry: Registry, deleter: Deleter) {
    this.#store = store;
    this.#registry = registry;
    this.#deleter = deleter;
    for (const { resource, object } of store.everything()) this.#index(resource, object);
    for (const { resource, object } of store.everything()) this.#enqueueIfConcerned(resource, object);
  }

  /** Notes a change. @returns true when there is work for `collect` */
  observe(resource: string, { type, object, before }: Change): boolean {
    if (before !== null) this.#unindex(resource, before);
    const { uid } = object.metadata;
    if (type === 'DELETED') {
      this.#byUid.delete(uid);
      for (const place of this.#dependents.get(uid) ?? []) this.#queue.add(place);
      this.#enqueueOwners(before ?? object);
    } else {
      this.#index(resource, object);
      this.#enqueueIfConcerned(resource, object);
    }
    if (before !== null) this.#enqueueOwners(before);
    return this.#queue.size > 0;
  }

  /** Works off the queue, also what the work itself adds. */
  collect(): void {
    for (const place of this.#queue) {
      this.#queue.delete(place);
      const [resource = '', namespace = '', name = ''] = place.split(' ');
      const object = this.#store.get(resource, namespace, name);
      const type = this.#registry.findStorage(resource);
      if (object !== undefined && type !== undefined) this.#process(type, object);
    }
  }

  #index(resource: string, object: KubeObject): void {
    this.#byUid.set(object.metadata.uid, { resource, object });
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const places = this.#dependents.get(uid) ?? new Set();
      places.add(placeOf(resource, object));
      this.#dependents.set(uid, places);
    }
  }

  #unindex(resource: string, object: KubeObject): void {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const places = this.#dependents.get(uid);
      places?.delete(placeOf(resource, object));
      if (places?.size === 0) this.#dependents.delete(uid);
    }
  }

  #enqueueIfConcerned(resource: string, object: KubeObject): void {
    const finalizers = object.metadata.finalizers ?? [];
    const isEnding = object.metadata.deletionTimestamp !== undefined;
    const isOurs = isEnding && (finalizers.includes(orphanFinalizer) || finalizers.includes(foregroundFinalizer));
    const hasOwners = (object.metadata.ownerReferences ?? []).length > 0;
    if (isOurs || hasOwners) this.#queue.add(placeOf(resource, object));
  }

  /** An owner in foreground deletion may be finished when a dependent changes. */
  #enqueueOwners(object: KubeObject): void {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const owner = this.#byUid.get(uid);
      if (owner !== undefined) this.#enqueueIfConcerned(owner.resource, owner.object);
    }
  }

  #process(type: ResourceType, object: KubeObject): void {
    const finalizers = object.metadata.finalizers ?? [];
    if (object.metadata.deletionTimestamp !== undefined) {
      if (finalizers.includes(orphanFinalizer)) this.#orphan(type, object);
      else if (finalizers.includes(foregroundFinalizer)) this.#finishForeground(type, object);
      return;
    }
    if ((object.metadata.ownerReferences ?? []).length > 0) this.#judge(type, object);
  }

  #orphan(type: ResourceType, owner: KubeObject): void {
    for (const dependent of this.#dependentsOf(owner))
      this.#dropReferences(dependent.type, dependent.object, new Set([owner.metadata.uid]));
    this.#removeFinalizer(type, owner, orphanFinalizer);
  }

  #finishForeground(type: ResourceType, owner: KubeObject): void {
    const dependents = this.#dependentsOf(owner);
    for (const dependent of dependents) {
      if (dependent.object.metadata.deletionTimestamp === undefined) this.#judge(dependent.type, dependent.object);
    }
    const isBlocked = this.#dependentsOf(owner).some(({ object }) =>
      (object.metadata.ownerReferences ?? []).some(
        (ref) => ref.uid === owner.metadata.uid && ref.blockOwnerDeletion === true,
      ),
    );
    if (!isBlocked) this.#removeFinalizer(type, owner, foregroundFinalizer);
  }

  /** Deletes an object none of whose owners is left; drops references to owners that are gone while others live. */
  #judge(type: ResourceType, object: KubeObject): void {
    const references = object.metadata.ownerReferences ?? [];
    const isKnown = references.every(({ apiVersion, kind }) => this.#registry.findKind(apiVersion, kind) !== undefined);
    if (!isKnown) return; // nobody here can say whether such an owner lives
    const gone = references.filter((reference) => this.#ownerOf(object, reference) === undefined);
    const waiting = references.filter((reference) => isWaiting(this.#ownerOf(object, reference)));
    const isHeld = gone.length + waiting.length < references.length;
    if (isHeld) {
      const dropped = new Set([...gone, ...waiting].map(({ uid }) => uid));
      if (dropped.size > 0) this.#dropReferences(type, object, dropped);
      return;
    }
    const isForeground = waiting.length > 0 && this.#dependentsOf(object).length > 0;
    const target = { type, namespace: object.metadata.namespace ?? '', name: object.metadata.name, subresource: '' };
    this.#deleter.delete(target, {
      gracePeriodSeconds: undefined,
      propagation: isForeground ? 'Foreground' : undefined,
      uid: object.metadata.uid,
      resourceVersion: '',
      isDryRun: false,
    });
  }

  /** The living owner that a reference means: of that uid, kind and name, in the same namespace or cluster-scoped. */
  #ownerOf({ metadata }: KubeObject, reference: OwnerReference): KubeObject | undefined {
    const owner = this.#byUid.get(reference.uid)?.object;
    if (owner === undefined || owner.kind !== reference.kind || owner.metadata.name !== reference.name)
      return undefined;
    const isReachable = owner.metadata.namespace === undefined || owner.metadata.namespace === metadata.namespace;
    return isReachable ? owner : undefined;
  }

  #dependentsOf(owner: KubeObject): { readonly type: ResourceType; readonly object: KubeObject }[] {
    return [...(this.#dependents.get(owner.metadata.uid) ?? [])].flatMap((place) => {
      const [resource = '', namespace = '', name = ''] = place.split(' ');
      const object = this.#store.get(resource, namespace, name);
      const type = this.#registry.findStorage(resource);
      const isReachable = owner.metadata.namespace === undefined || owner.metadata.namespace === namespace;
      return object === undefined || type === undefined || !isReachable ? [] : [{ type, object }];
    });
  }

  #dropReferences(type: ResourceType, object: KubeObject, uids: ReadonlySet<string>): void {
    const next = copy(object);
    const left = (next.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));
    if (left.length > 0) next.metadata.ownerReferences = left;
    else delete next.metadata.ownerReferences;
    settle(this.#store, type.storage, next);
  }

  #removeFinalizer(type: ResourceType, object: KubeObject, finalizer: string): void {
    const next = copy(object);
    next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    settle(this.#store, type.storage, next);
  }
}

function isWaiting(owner: KubeObject | undefined): boolean {
  if (owner?.metadata.deletionTimestamp === undefined) return false;
  return (owner.metadata.finalizers ?? []).includes(foregroundFinalizer);
}
