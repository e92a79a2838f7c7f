import { parseDryRun } from './caller.ts';
import { at, isRecord, items, number, record, text } from './json.ts';
import { copy, type KubeObject, kubeTime } from './object.ts';
import { badRequest, conflict, deletedStatus, forbidden, notFound, type Status } from './status.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';
import { settle } from './writer.ts';

/** What a delete request asks for. */
export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly isDryRun: boolean;
}

/** What came of a delete: `object` while something holds it or its kind shows it, else a Status. */
export type Deletion =
  | { readonly kind: 'object'; readonly object: KubeObject }
  | { readonly kind: 'status'; readonly status: Status };

/** Finalizer that the garbage collector works off: dependents are kept. */
export const orphanFinalizer = 'orphan';
/** Finalizer that the garbage collector works off: dependents go first. */
export const foregroundFinalizer = 'foregroundDeletion';

/** Namespaces that nobody may delete. */
const permanentNamespaces: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** Reads the body (a DeleteOptions, or nothing) and the query of a delete. @throws ApiError 400 */
export function parseDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const options = isRecord(body) ? body : {};
  const grace = query.get('gracePeriodSeconds');
  const gracePeriodSeconds = number(options['gracePeriodSeconds']) ?? (grace === null ? undefined : Number(grace));
  if (gracePeriodSeconds !== undefined && !Number.isInteger(gracePeriodSeconds))
    throw badRequest('gracePeriodSeconds is not a whole number');
  const dryRun = [...query.getAll('dryRun'), ...items(options['dryRun']).map(text)];
  return {
    gracePeriodSeconds,
    propagation: parsePropagation(
      options['propagationPolicy'] ?? query.get('propagationPolicy'),
      options['orphanDependents'],
    ),
    uid: text(at(options, 'preconditions', 'uid')),
    resourceVersion: text(at(options, 'preconditions', 'resourceVersion')),
    isDryRun: parseDryRun(dryRun),
  };
}

function parsePropagation(policy: unknown, orphanDependents: unknown): DeleteOptions['propagation'] {
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy;
  if (policy !== null && policy !== undefined && policy !== '') {
    throw badRequest(
      `invalid propagationPolicy ${JSON.stringify(policy)}: must be one of Background, Foreground, Orphan`,
    );
  }
  if (typeof orphanDependents === 'boolean') return orphanDependents ? 'Orphan' : 'Background';
  return undefined;
}

/** Asks for the end of objects; finalizers and grace periods decide when it comes. */
export class Deleter {
  readonly #store: Store;
  readonly #now: () => number;

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Deletes the target.
   * @throws ApiError 404, 403, 409
   */
  delete(target: Target, options: DeleteOptions): Deletion {
    const { type, namespace, name } = target;
    const live = this.#store.get(type.storage, namespace, name);
    if (live === undefined) throw notFound(type, name);
    checkPreconditions(target, live, options);
    if (type.storage === 'namespaces' && permanentNamespaces.has(name))
      throw forbidden(type, name, 'this namespace may not be deleted');
    const marked = this.#mark(target, live, options);
    if (options.isDryRun) return { kind: 'object', object: type.fromStorage(marked) };
    const isFirst = live.metadata.deletionTimestamp === undefined;
    const last = isFirst || hasChanged(live, marked) ? settle(this.#store, type.storage, marked) : live;
    const isGone = this.#store.get(type.storage, namespace, name) === undefined;
    if (isGone && !type.returnsDeleted) return { kind: 'status', status: deletedStatus(type, name, live.metadata.uid) };
    return { kind: 'object', object: type.fromStorage(last) };
  }

  /** Deletes every one of `objects` (as stored), skipping those that went meanwhile. */
  deleteAll(target: Target, objects: readonly KubeObject[], options: DeleteOptions): void {
    for (const object of objects) {
      const one = { ...target, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
      if (this.#store.get(one.type.storage, one.namespace, one.name) !== undefined) this.delete(one, options);
    }
  }

  #mark({ type }: Target, live: KubeObject, options: DeleteOptions): KubeObject {
    const object = copy(live);
    setPropagation(object, options.propagation);
    const grace = type.strategy.gracePeriodSeconds?.(live, options.gracePeriodSeconds) ?? 0;
    this.#setDeletion(object.metadata, grace, options.gracePeriodSeconds !== undefined || grace === 0);
    if (type.storage === 'namespaces') object['status'] = { ...record(object['status']), phase: 'Terminating' };
    return object;
  }

  /** The first request sets the deadline; a later one can only bring it forward. */
  #setDeletion(metadata: KubeObject['metadata'], grace: number, isAsked: boolean): void {
    const isFirst = metadata.deletionTimestamp === undefined;
    const isShorter = isAsked && grace < (metadata.deletionGracePeriodSeconds ?? 0);
    if (!isFirst && !isShorter) return;
    if (isFirst && metadata.generation !== undefined) metadata.generation += 1;
    metadata.deletionTimestamp = kubeTime(this.#now() + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
  }
}

function setPropagation({ metadata }: KubeObject, propagation: DeleteOptions['propagation']): void {
  if (propagation === undefined) return;
  const others = (metadata.finalizers ?? []).filter((name) => name !== orphanFinalizer && name !== foregroundFinalizer);
  const own = { Background: [], Foreground: [foregroundFinalizer], Orphan: [orphanFinalizer] }[propagation];
  const finalizers = [...others, ...own];
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
}

function hasChanged(live: KubeObject, marked: KubeObject): boolean {
  return JSON.stringify(live.metadata) !== JSON.stringify(marked.metadata);
}

function checkPreconditions(
  { type, name }: Target,
  { metadata }: KubeObject,
  { uid, resourceVersion }: DeleteOptions,
): void {
  if (uid !== '' && uid !== metadata.uid) {
    throw conflict(
      type,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== '' && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      type,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
