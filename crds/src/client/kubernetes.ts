import type { Manifest } from '../object-meta.ts';
import { isJsonObject } from '../parse-meta.ts';
import type {
  DeleteOptions,
  FieldManager,
  ListOptions,
  Page,
  PageOptions,
  PatchOptions,
  WriteOptions,
} from './call-options.ts';
import { isNotFound } from './errors.ts';
import { EventRecorder, type EventText } from './event-recorder.ts';
import {
  type Informer,
  type InformerTiming,
  informerTiming,
  type SnapshotOptions,
  type WatchOptions,
} from './informer.ts';
import type { Kind, ObjectReference } from './kinds.ts';
import { type LeaderElection, runLeaderElection } from './lease.ts';
import { readPage } from './pages.ts';
import { collectionPath, objectPath } from './paths.ts';
import { type Runtime, systemRuntime } from './runtime.ts';
import { type SnapshotPacing, snapshotPacing } from './snapshot-keeper.ts';
import { connectTransport, type Transport } from './transport.ts';
import { type InformerDeps, WatchInformer } from './watch-informer.ts';
import { type StatusManifest, toWire } from './wire.ts';

export type * from './call-options.ts';
export type { EventText } from './event-recorder.ts';
export type { Informer, WatchOptions } from './informer.ts';
export type { LeaderElection, Leadership } from './lease.ts';
export type { StatusManifest } from './wire.ts';

/** The answer to a write of the scale subresource. */
export interface Scale {
  /** Wanted. */
  readonly replicas: number;
}

/**
 * Everything that Kappa says to the Kubernetes API. Calls throw KubernetesError (see client/errors) or, when an answer is not what
 * its kind says, ParseError. A call gives up after 30 s without a connection or of silence. None is repeated but for a kept
 * connection that breaks before the answer, and then no `create`.
 * A null namespace is for kinds without namespaces.
 */
export interface Kubernetes {
  get<T>(kind: Kind<T>, namespace: string | null, name: string): Promise<T>;
  /** All pages. */
  list<T>(kind: Kind<T>, options?: ListOptions): Promise<readonly T[]>;
  /** One page; a `from` that is too old (minutes) fails with 410. */
  page<T>(kind: Kind<T>, options: PageOptions): Promise<Page<T>>;
  create<T>(kind: Kind<T>, object: Manifest<T>, options?: WriteOptions): Promise<T>;
  /** The whole object, as PUT; with `metadata.resourceVersion` it fails with 409 when somebody wrote in between. */
  replace<T>(kind: Kind<T>, object: Manifest<T>, options?: WriteOptions): Promise<T>;
  /** Background deletion; an object that is not there counts as deleted. */
  delete(kind: Kind<unknown>, namespace: string | null, name: string, options?: DeleteOptions): Promise<void>;
  /** Server-side apply, forced: all fields that this manager owns; what it leaves out and owned before is removed. */
  apply<T>(kind: Kind<T>, object: Manifest<T>, fieldManager: FieldManager): Promise<T>;
  /** The same on the status subresource. */
  applyStatus<T>(kind: Kind<T>, object: StatusManifest<T>, fieldManager: FieldManager): Promise<T>;
  /** JSON merge patch: null removes, a list is replaced as a whole. */
  patch<T>(
    kind: Kind<T>,
    namespace: string | null,
    name: string,
    mergePatch: object,
    options: { readonly subresource: 'scale' },
  ): Promise<Scale>;
  patch<T>(
    kind: Kind<T>,
    namespace: string | null,
    name: string,
    mergePatch: object,
    options?: PatchOptions,
  ): Promise<T>;
  /** Starts at once and runs until `options.signal` aborts. */
  watch<T, P>(kind: Kind<T>, options: WatchOptions<T, P>): Informer<P>;
  /** Records an event about an object; repetitions are counted, not repeated. Never rejects: events are a courtesy. */
  event(regarding: ObjectReference, text: EventText): Promise<void>;
  /** Runs until the signal aborts (then the lease is given back) or leadership is lost. */
  runLeaderElection(election: LeaderElection): Promise<void>;
}

/** What `connect` may be told. */
export interface ConnectOptions {
  readonly runtime?: Runtime;
  readonly timing?: InformerTiming;
  /** Where watches that ask for it keep their views. Default: nowhere. */
  readonly snapshots?: SnapshotOptions & { readonly pacing?: SnapshotPacing };
  /** Name of the process in events, for example kappa-controller. */
  readonly component?: string;
  /** This copy of the process in events, for example the pod's name. */
  readonly instance?: string;
  /** Hears what goes wrong in the background (watches, events); decides about logging. Default: nothing hears it. */
  readonly onProblem?: (problem: unknown) => void;
}

/**
 * The one way to the API server. Opens no connection by itself.
 *
 * @param kubeconfig path; default: KUBECONFIG, ~/.kube/config or the in-cluster account
 * @throws when there is no usable configuration
 */
export function connect(kubeconfig?: string, options: ConnectOptions = {}): Kubernetes {
  return new KubernetesClient(connectTransport(kubeconfig), options);
}

class KubernetesClient implements Kubernetes {
  readonly #transport: Transport;
  readonly #runtime: Runtime;
  readonly #timing: InformerTiming;
  readonly #snapshots: InformerDeps['snapshots'];
  readonly #onProblem: (problem: unknown) => void;
  readonly #events: EventRecorder;

  constructor(transport: Transport, options: ConnectOptions) {
    this.#transport = transport;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#timing = options.timing ?? informerTiming;
    this.#snapshots = options.snapshots === undefined ? null : { pacing: snapshotPacing, ...options.snapshots };
    this.#onProblem = options.onProblem ?? (() => undefined);
    const source = { component: options.component ?? 'kappa', instance: options.instance ?? 'kappa' };
    this.#events = new EventRecorder(this, this.#runtime, source, this.#onProblem);
  }

  async get<T>(kind: Kind<T>, namespace: string | null, name: string): Promise<T> {
    return kind.parse(await this.#transport.json({ method: 'GET', path: objectPath(kind, namespace, name) }));
  }

  async list<T>(kind: Kind<T>, options: ListOptions = {}): Promise<readonly T[]> {
    const items: T[] = [];
    let from: string | null = '';
    while (from !== null) {
      const page: Page<T> = await this.page(kind, { ...options, limit: this.#timing.pageSize, from });
      for (const item of page.items) items.push(item);
      from = page.next;
    }
    return items;
  }

  async page<T>(kind: Kind<T>, options: PageOptions): Promise<Page<T>> {
    const path = collectionPath(kind, options.namespace ?? null);
    const query = {
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: String(options.limit),
      continue: options.from === '' ? undefined : options.from,
    };
    const { items, next } = readPage(await this.#transport.json({ method: 'GET', path, query }));
    return { items: items.map((item) => kind.parse(item)), next: next ?? null };
  }

  async create<T>(kind: Kind<T>, object: Manifest<T>, { fieldManager }: WriteOptions = {}): Promise<T> {
    const path = collectionPath(kind, object.metadata.namespace ?? null);
    const body = toWire(kind, object);
    return kind.parse(await this.#transport.json({ method: 'POST', path, query: { fieldManager }, body }));
  }

  async replace<T>(kind: Kind<T>, object: Manifest<T>, { fieldManager }: WriteOptions = {}): Promise<T> {
    const path = pathOf(kind, object.metadata);
    const body = toWire(kind, object);
    return kind.parse(await this.#transport.json({ method: 'PUT', path, query: { fieldManager }, body }));
  }

  async delete(
    kind: Kind<unknown>,
    namespace: string | null,
    name: string,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { preconditionUid: uid, preconditionResourceVersion: resourceVersion, graceSeconds } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } }),
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    };
    try {
      await this.#transport.json({ method: 'DELETE', path: objectPath(kind, namespace, name), body });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async apply<T>(kind: Kind<T>, object: Manifest<T>, fieldManager: FieldManager): Promise<T> {
    return this.#apply(kind, object, fieldManager);
  }

  async applyStatus<T>(kind: Kind<T>, object: StatusManifest<T>, fieldManager: FieldManager): Promise<T> {
    return this.#apply(kind, object, fieldManager, 'status');
  }

  async patch<T>(
    kind: Kind<T>,
    namespace: string | null,
    name: string,
    mergePatch: object,
    options: { readonly subresource: 'scale' },
  ): Promise<Scale>;
  async patch<T>(
    kind: Kind<T>,
    namespace: string | null,
    name: string,
    mergePatch: object,
    options?: PatchOptions,
  ): Promise<T>;
  async patch<T>(
    kind: Kind<T>,
    namespace: string | null,
    name: string,
    mergePatch: object,
    options: PatchOptions | { readonly subresource: 'scale' } = {},
  ): Promise<T | Scale> {
    const { subresource } = options;
    const path = objectPath(kind, namespace, name, subresource);
    const answer = await this.#transport.json({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: mergePatch,
    });
    return subresource === 'scale' ? parseScale(answer) : kind.parse(answer);
  }

  watch<T, P>(kind: Kind<T>, options: WatchOptions<T, P>): Informer<P> {
    const informer = new WatchInformer(kind, options, {
      transport: this.#transport,
      runtime: this.#runtime,
      timing: this.#timing,
      snapshots: this.#snapshots,
      onProblem: this.#onProblem,
    });
    void informer.run(); // never rejects; ends with options.signal
    return informer;
  }

  event(regarding: ObjectReference, text: EventText): Promise<void> {
    return this.#events.record(regarding, text);
  }

  runLeaderElection(election: LeaderElection): Promise<void> {
    return runLeaderElection(this, this.#runtime, this.#onProblem, election);
  }

  async #apply<T>(
    kind: Kind<T>,
    object: Manifest<T> | StatusManifest<T>,
    fieldManager: FieldManager,
    subresource?: string,
  ): Promise<T> {
    const path = pathOf(kind, object.metadata, subresource);
    const query = { fieldManager, force: 'true' };
    const contentType = 'application/apply-patch+yaml'; // JSON is YAML; the API server takes no other name for it
    return kind.parse(
      await this.#transport.json({ method: 'PATCH', path, query, contentType, body: toWire(kind, object) }),
    );
  }
}

function pathOf(
  kind: Kind<unknown>,
  { namespace, name }: { readonly namespace?: string; readonly name?: string },
  subresource?: string,
): string {
  if (name === undefined) throw new RangeError(`a ${kind.kind} without a name cannot be written`);
  return objectPath(kind, namespace === undefined || namespace === '' ? null : namespace, name, subresource);
}

function parseScale(value: unknown): Scale {
  const spec = isJsonObject(value) && isJsonObject(value['spec']) ? value['spec'] : {};
  return { replicas: Number(spec['replicas'] ?? 0) }; // the API server leaves 0 out
}
