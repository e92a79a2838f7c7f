import { KubernetesError } from '@kappa/crds/client/errors';
import type { Kind } from '@kappa/crds/client/kinds';
import type { Kubernetes, Page, PageOptions } from '@kappa/crds/client/kubernetes';

/** An object as it is kept. */
interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly [key: string]: unknown;
  };
  readonly spec: unknown;
  readonly [key: string]: unknown;
}

/** What the Lambda API needs of the API server, in memory: versions, generations, conflicts. It checks no schema. */
export class FakeObjects implements Pick<Kubernetes, 'get' | 'list' | 'page' | 'create' | 'replace' | 'delete'> {
  readonly #stored = new Map<string, Stored>();
  #version = 0;
  /** Called before each replace: where another writer comes in between. */
  beforeReplace: () => void = () => undefined;
  /** Thrown by every call while it is set. */
  fault: KubernetesError | null = null;

  /** Puts an object there as another writer would. */
  set(plural: string, namespace: string, name: string, fields: object): void {
    const before = this.#stored.get(`${plural}/${namespace}/${name}`);
    const { metadata = {}, ...rest } = { ...before, ...fields };
    const isSame = JSON.stringify(before?.spec) === JSON.stringify(Object(rest)['spec']);
    this.#version += 1;
    const own = {
      uid: before?.metadata.uid ?? `00000000-0000-4000-8000-${String(this.#version).padStart(12, '0')}`,
      generation: (before?.metadata.generation ?? 0) + (isSame ? 0 : 1),
      resourceVersion: String(this.#version),
      creationTimestamp: '2026-11-22T00:00:00Z',
    };
    const stored = { spec: {}, ...rest, metadata: { ...metadata, name, namespace, ...own } };
    this.#stored.set(`${plural}/${namespace}/${name}`, stored);
  }

  async get<T>(kind: Kind<T>, namespace: string | null, name: string): Promise<T> {
    return kind.parse(this.#find(kind, namespace, name));
  }

  async list<T>(kind: Kind<T>, options: { readonly namespace?: string } = {}): Promise<readonly T[]> {
    return (await this.page(kind, { ...options, limit: 1000 })).items;
  }

  async page<T>(kind: Kind<T>, { namespace = '', limit, from = '' }: PageOptions): Promise<Page<T>> {
    if (this.fault !== null) throw this.fault;
    const prefix = `${kind.plural}/${namespace}/`;
    const keys = [...this.#stored.keys()].filter((key) => key.startsWith(prefix) && key > from).sort();
    const items = keys.slice(0, limit).map((key) => kind.parse(this.#stored.get(key)));
    return { items, next: keys.length > limit ? (keys[limit - 1] ?? null) : null };
  }

  async create<T>(kind: Kind<T>, object: Parameters<Kubernetes['create']>[1]): Promise<T> {
    const { namespace = '', name = '' } = object.metadata;
    if (this.fault !== null) throw this.fault;
    if (this.#stored.has(`${kind.plural}/${namespace}/${name}`)) throw refusal(409, 'AlreadyExists');
    this.set(kind.plural, namespace, name, object);
    return this.get(kind, namespace, name);
  }

  async replace<T>(kind: Kind<T>, object: Parameters<Kubernetes['replace']>[1]): Promise<T> {
    this.beforeReplace();
    const { namespace = '', name = '', resourceVersion } = object.metadata;
    if (this.#find(kind, namespace, name).metadata.resourceVersion !== resourceVersion) throw refusal(409, 'Conflict');
    this.set(kind.plural, namespace, name, object);
    return this.get(kind, namespace, name);
  }

  async delete(kind: Kind<unknown>, namespace: string | null, name: string): Promise<void> {
    if (this.fault !== null) throw this.fault;
    this.#stored.delete(`${kind.plural}/${namespace ?? ''}/${name}`);
  }

  #find(kind: Kind<unknown>, namespace: string | null, name: string): Stored {
    if (this.fault !== null) throw this.fault;
    const found = this.#stored.get(`${kind.plural}/${namespace ?? ''}/${name}`);
    if (found === undefined) throw refusal(404, 'NotFound');
    return found;
  }
}

/** As the API server refuses. */
export function refusal(code: number, reason: string, message = reason): KubernetesError {
  return new KubernetesError(message, code, reason);
}

/** The spec of a Function that runs. */
export const functionSpec = {
  runtime: 'nodejs24.x',
  handler: 'index.handler',
  code: { zip: { sha256: 'ab'.repeat(32) } },
};
