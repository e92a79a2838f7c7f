import type { Caller } from './caller.ts';
import type { Deleter } from './deleter.ts';
import { record } from './json.ts';
import { copy, type KubeObject } from './object.ts';
import type { Registry } from './registry.ts';
import type { Store } from './store.ts';
import { settle, type Writer } from './writer.ts';

const storage = 'namespaces';

/** The namespaces that every cluster has. */
export const standardNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;

/**
 * The life of namespaces: the standard ones exist, each has its default service account, and a deleted one takes its
 * contents along.
 */
export class Namespaces {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #writer: Writer;
  readonly #deleter: Deleter;

  constructor(store: Store, registry: Registry, writer: Writer, deleter: Deleter) {
    this.#store = store;
    this.#registry = registry;
    this.#writer = writer;
    this.#deleter = deleter;
  }

  /** The key in the store of all namespaces. */
  static readonly storage = storage;

  /** Makes the standard namespaces; called once at start. */
  ensureStandard(): void {
    for (const name of standardNamespaces) {
      if (this.#store.get(storage, '', name) === undefined) this.#create('namespaces', 'Namespace', '', name);
    }
    for (const namespace of [...this.#store.list(storage, null)]) this.reconcile(namespace.metadata.name);
  }

  /** Brings one namespace to what it should be. Level-driven. */
  reconcile(name: string): void {
    const namespace = this.#store.get(storage, '', name);
    if (namespace === undefined) return;
    if (namespace.metadata.deletionTimestamp !== undefined) {
      this.#empty(namespace);
      return;
    }
    if (this.#store.get('serviceaccounts', name, 'default') === undefined)
      this.#create('serviceaccounts', 'ServiceAccount', name, 'default');
  }

  #create(plural: string, kind: string, namespace: string, name: string): void {
    const type = this.#registry.find('', 'v1', plural);
    if (type === undefined) return;
    this.#writer.create({ type, namespace, name, subresource: '' }, serverCaller, {
      apiVersion: 'v1',
      kind,
      metadata: { name },
    });
  }

  #empty(namespace: KubeObject): void {
    const { name } = namespace.metadata;
    let left = 0;
    for (const resource of this.#store.resources()) {
      const type = this.#registry.findStorage(resource);
      if (type === undefined || !type.isNamespaced) continue;
      for (const object of [...this.#store.list(resource, name)]) {
        if (object.metadata.deletionTimestamp === undefined)
          this.#deleter.delete({ type, namespace: name, name: object.metadata.name, subresource: '' }, plainDelete);
      }
      left += [...this.#store.list(resource, name)].length;
    }
    if (left > 0) return;
    const next = copy(namespace);
    next['spec'] = { ...record(next['spec']), finalizers: [] };
    settle(this.#store, storage, next);
  }
}

const plainDelete = {
  gracePeriodSeconds: undefined,
  propagation: undefined,
  uid: '',
  resourceVersion: '',
  isDryRun: false,
} as const;

/** The server itself as the writer of what it makes. */
const serverCaller: Caller = {
  user: { username: 'system:apiserver', uid: '', groups: ['system:masters'] },
  manager: 'kappa-local-api',
  isDryRun: false,
  fieldValidation: 'Ignore',
  isForced: false,
  warnings: [],
};
