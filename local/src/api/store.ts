import type { Database } from './database.ts';
import { type Change, History } from './history.ts';
import { copy, type KubeObject, keyOf } from './object.ts';

/** Changes kept for each resource, for watches to resume from. */
export const historyLimit = 2000;

interface Shelf {
  /** By `namespace/name`. */
  readonly objects: Map<string, KubeObject>;
  readonly history: History;
  readonly listeners: Set<() => void>;
}

/** Called after a change is on disk and visible. Must not throw; must not write at once (use a later turn). */
export type ChangeListener = (resource: string, change: Change) => void;

/**
 * All objects: written through to the database, read from memory. One thread and synchronous writes make each read-
 * check-write atomic. Objects that it hands out are shared and never changed. The resource version is one counter for
 * all resources and survives a restart.
 */
export class Store {
  readonly #database: Database;
  readonly #shelves = new Map<string, Shelf>();
  readonly #changeListeners = new Set<ChangeListener>();
  #version: number;
  /** A resource that nobody touched yet has a complete history since then. */
  #startVersion: number;

  constructor(database: Database) {
    this.#database = database;
    this.#version = Math.max(1, database.readVersion());
    this.#startVersion = this.#version;
    for (const { resource, object } of database.readAll()) this.#shelf(resource).objects.set(keyOf(object), object);
  }

  /** The newest resource version. */
  get version(): number {
    return this.#version;
  }

  get(resource: string, namespace: string, name: string): KubeObject | undefined {
    return this.#shelves.get(resource)?.objects.get(`${namespace}/${name}`);
  }

  /** Objects of a resource, all namespaces when `namespace` is null, in no order. */
  *list(resource: string, namespace: string | null): Generator<KubeObject> {
    for (const object of this.#shelves.get(resource)?.objects.values() ?? []) {
      if (namespace === null || object.metadata.namespace === namespace) yield object;
    }
  }

  /** Every resource that ever held an object in this process. */
  resources(): string[] {
    return [...this.#shelves.keys()];
  }

  /** Every object of every resource. */
  *everything(): Generator<{ readonly resource: string; readonly object: KubeObject }> {
    for (const [resource, shelf] of this.#shelves)
      for (const object of shelf.objects.values()) yield { resource, object };
  }

  history(resource: string): History {
    return this.#shelf(resource).history;
  }

  /**
   * Writes `object` (the store takes it over; do not touch it afterwards) with a new resource version.
   * @returns the stored object
   */
  put(resource: string, object: KubeObject): KubeObject {
    const shelf = this.#shelf(resource);
    const version = this.#version + 1;
    object.metadata.resourceVersion = String(version);
    const { namespace = '', name } = object.metadata;
    this.#database.write({ resource, namespace, name }, object, version);
    this.#version = version;
    const before = shelf.objects.get(keyOf(object)) ?? null;
    shelf.objects.set(keyOf(object), object);
    this.#publish(resource, shelf, { version, type: before === null ? 'ADDED' : 'MODIFIED', object, before });
    return object;
  }

  /**
   * Removes an object. @returns its last state, with the deletion's resource version; undefined when it was not there
   */
  remove(resource: string, namespace: string, name: string): KubeObject | undefined {
    const shelf = this.#shelf(resource);
    const before = shelf.objects.get(`${namespace}/${name}`);
    if (before === undefined) return undefined;
    const version = this.#version + 1;
    this.#database.remove({ resource, namespace, name }, version);
    this.#version = version;
    shelf.objects.delete(keyOf(before));
    const object = copy(before);
    object.metadata.resourceVersion = String(version);
    this.#publish(resource, shelf, { version, type: 'DELETED', object, before });
    return object;
  }

  /** Tells `listener` that the history of `resource` grew. @returns the way to unsubscribe */
  subscribe(resource: string, listener: () => void): () => void {
    const { listeners } = this.#shelf(resource);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Tells `listener` of every change of every resource. */
  onChange(listener: ChangeListener): void {
    this.#changeListeners.add(listener);
  }

  /** Drops the history up to now: watches of before the start are answered 410, as after a restart of a real server. */
  forgetHistory(): void {
    this.#startVersion = this.#version;
    for (const shelf of this.#shelves.values()) shelf.history.forget(this.#version);
  }

  #publish(resource: string, shelf: Shelf, change: Change): void {
    shelf.history.append(change);
    for (const listener of shelf.listeners) listener();
    for (const listener of this.#changeListeners) listener(resource, change);
  }

  #shelf(resource: string): Shelf {
    const existing = this.#shelves.get(resource);
    if (existing !== undefined) return existing;
    const made = {
      objects: new Map(),
      history: new History(historyLimit, this.#startVersion),
      listeners: new Set<() => void>(),
    };
    this.#shelves.set(resource, made);
    return made;
  }
}
