import type { Caller } from './caller.ts';
import { trackManager } from './field-managers.ts';
import { shape } from './field-validation.ts';
import { isSameJson, record } from './json.ts';
import { validateMetadata } from './metadata-rules.ts';
import { copy, type KubeObject, kubeTime, parseObject } from './object.ts';
import type { ResourceType } from './resource.ts';
import { fieldError } from './schema/field-error.ts';
import { validate } from './schema/structural.ts';
import { alreadyExists, conflict, forbidden, invalid, notFound } from './status.ts';
import type { Store } from './store.ts';
import { checkIdentity, type Target, withKind } from './target.ts';

/** The outside world of the writer. */
export interface WriterDeps {
  readonly store: Store;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly uuid: () => string;
  /** Five characters for generateName. */
  readonly nameSuffix: () => string;
}

/** How a write came about; server-side apply brings managed fields of its own. */
export interface WriteMode {
  readonly kind: 'update' | 'patch' | 'apply';
  /**
   * Subresource in the books of field owners, when it is not the one that is written: `scale` writes a part of the
   * spec.
   */
  readonly door?: string;
}

/**
 * Every create and update goes through here: shape → strategy → managed fields → validation → store. All of it is
 * synchronous, so that no other write can come between the check and the write.
 */
export class Writer {
  readonly #deps: WriterDeps;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /** Stores a new object. @returns it in the target's version. @throws ApiError */
  create(target: Target, caller: Caller, body: unknown, mode: WriteMode = { kind: 'update' }): KubeObject {
    const { store, now } = this.#deps;
    const { type } = target;
    const object = parseObject(withKind(target, body));
    checkIdentity(target, object);
    shape(type, object, caller);
    const stored = type.toStorage(object);
    this.#setNewMetadata(type, stored);
    this.#requireNamespace(target, stored.metadata.name);
    if (store.get(type.storage, target.namespace, stored.metadata.name) !== undefined)
      throw alreadyExists(type, stored.metadata.name);
    if (type.subresources.has('status') && !type.keepsStatusOnCreate) delete stored['status'];
    const context = { nowMs: now(), subresource: '' };
    type.strategy.prepareForCreate?.(stored, context);
    if (type.countsGeneration) stored.metadata.generation = 1;
    if (mode.kind !== 'apply')
      trackManager({ type, before: null, after: stored, manager: caller.manager, nowMs: now(), subresource: '' });
    this.#validate(type, stored, null, '');
    if (caller.isDryRun) return type.fromStorage(stored);
    return type.fromStorage(store.put(type.storage, stored));
  }

  /** Replaces an object (PUT). @throws ApiError */
  update(target: Target, caller: Caller, body: unknown): KubeObject {
    const live = this.resolve(target);
    const object = parseObject(withKind(target, body));
    checkIdentity(target, object);
    if (object.metadata.resourceVersion === '' && target.type.needsVersionOnUpdate) {
      throw invalid(target.type, target.name, [
        fieldError('metadata.resourceVersion', 'Invalid', 'must be specified for an update', 0),
      ]);
    }
    return this.commit(target, caller, live, object, { kind: 'update' });
  }

  /** The stored object of a target. @throws ApiError 404 */
  resolve({ type, namespace, name }: Target): KubeObject {
    const live = this.#deps.store.get(type.storage, namespace, name);
    if (live === undefined) throw notFound(type, name);
    return live;
  }

  /**
   * Brings `live` (as stored) to `wanted` (in the target's version; taken over). Ends a deletion whose last finalizer
   * goes.
   * @returns the result in the target's version. @throws ApiError
   */
  commit(target: Target, caller: Caller, live: KubeObject, wanted: KubeObject, mode: WriteMode): KubeObject {
    const { store, now } = this.#deps;
    const { type, subresource } = target;
    checkPreconditions(type, live, wanted);
    shape(type, wanted, caller);
    const next = mergeForSubresource(type, subresource, live, type.toStorage(wanted));
    keepSystemMetadata(next, live);
    type.strategy.prepareForUpdate?.(next, live, { nowMs: now(), subresource });
    if (type.countsGeneration && hasNewGeneration(type, next, live))
      next.metadata.generation = (live.metadata.generation ?? 0) + 1;
    if (mode.kind !== 'apply')
      trackManager({
        type,
        before: live,
        after: next,
        manager: caller.manager,
        nowMs: now(),
        subresource: mode.door ?? subresource,
      });
    this.#validate(type, next, live, subresource);
    next.metadata.resourceVersion = live.metadata.resourceVersion;
    if (isSame(next, live)) return type.fromStorage(live);
    if (caller.isDryRun) return type.fromStorage(next);
    return type.fromStorage(settle(store, type.storage, next));
  }

  #validate(type: ResourceType, object: KubeObject, live: KubeObject | null, subresource: string): void {
    const shown = type.fromStorage(object);
    const errors = [
      ...validateMetadata(object, live),
      ...validate(type.schema, shown, live === null ? null : type.fromStorage(live)),
      ...(type.strategy.validate?.(object, live, { nowMs: this.#deps.now(), subresource }) ?? []),
    ];
    if (errors.length > 0) throw invalid(type, object.metadata.name, errors);
  }

  #setNewMetadata(type: ResourceType, object: KubeObject): void {
    const { metadata } = object;
    const prefix = (metadata.generateName ?? '').slice(0, 58);
    for (let attempt = 0; attempt < 8 && prefix !== '' && this.#isNameMissing(type, object, attempt); attempt += 1) {
      metadata.name = `${prefix}${this.#deps.nameSuffix()}`;
    }
    metadata.uid = this.#deps.uuid();
    metadata.creationTimestamp = kubeTime(this.#deps.now());
    metadata.resourceVersion = '';
    for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'selfLink'])
      delete metadata[field];
  }

  /** True while there is no name, or (once one was generated) it is taken. */
  #isNameMissing(type: ResourceType, { metadata }: KubeObject, attempt: number): boolean {
    if (attempt === 0) return metadata.name === '';
    return this.#deps.store.get(type.storage, metadata.namespace ?? '', metadata.name) !== undefined;
  }

  #requireNamespace({ type, namespace }: Target, name: string): void {
    if (!type.isNamespaced) return;
    const owner = this.#deps.store.get('namespaces', '', namespace);
    if (owner === undefined) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace);
    if (owner.metadata.deletionTimestamp === undefined) return;
    const message = `namespace ${namespace} is being terminated`;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(type, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]);
  }
}

/** True when nothing holds an object any more whose deletion was asked for. */
export function isFinished({ metadata, spec }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false;
  return (metadata.deletionGracePeriodSeconds ?? 0) === 0 && !isHeldNamespace(spec);
}

/** A namespace is held by `spec.finalizers` as well. */
function isHeldNamespace(spec: unknown): boolean {
  const finalizers = record(spec)['finalizers'];
  return Array.isArray(finalizers) && finalizers.length > 0;
}

/** Writes an object, or removes it when its deletion is finished. @returns its last state */
export function settle(store: Store, storage: string, object: KubeObject): KubeObject {
  if (!isFinished(object)) return store.put(storage, object);
  return store.remove(storage, object.metadata.namespace ?? '', object.metadata.name) ?? object;
}

function checkPreconditions(type: ResourceType, live: KubeObject, { metadata }: KubeObject): void {
  const { name, uid, resourceVersion } = live.metadata;
  if (metadata.uid !== '' && metadata.uid !== uid) {
    throw conflict(type, name, `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`);
  }
  if (metadata.resourceVersion !== '' && metadata.resourceVersion !== resourceVersion) {
    throw conflict(
      type,
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  }
}

/** A subresource writes its own part and nothing else; the main resource leaves status alone. */
function mergeForSubresource(
  type: ResourceType,
  subresource: string,
  live: KubeObject,
  wanted: KubeObject,
): KubeObject {
  if (subresource === '') {
    if (!type.subresources.has('status')) return wanted;
    delete wanted['status'];
    if (live['status'] !== undefined) wanted['status'] = copy(live['status']);
    return wanted;
  }
  const part = subresource === 'status' ? 'status' : 'spec';
  const result = copy(live);
  delete result[part];
  if (wanted[part] !== undefined) result[part] = wanted[part];
  if (wanted.metadata.managedFields !== undefined) result.metadata.managedFields = wanted.metadata.managedFields;
  return result;
}

const systemFields = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'generateName',
] as const;

function keepSystemMetadata(next: KubeObject, live: KubeObject): void {
  for (const field of systemFields) {
    if (live.metadata[field] === undefined) delete next.metadata[field];
    else Object.assign(next.metadata, { [field]: live.metadata[field] });
  }
  delete next.metadata['selfLink'];
}

function hasNewGeneration(type: ResourceType, next: KubeObject, live: KubeObject): boolean {
  const hasStatus = type.subresources.has('status');
  const counted = ({ metadata: _metadata, status, ...rest }: KubeObject): unknown =>
    hasStatus ? rest : { ...rest, status };
  return !isSameJson(counted(next), counted(live));
}

/** Equal but for managed fields' times: such a write changes nothing. */
function isSame(next: KubeObject, live: KubeObject): boolean {
  const bare = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: {
      ...object.metadata,
      managedFields: (object.metadata.managedFields ?? []).map((entry) => ({ ...record(entry), time: '' })),
    },
  });
  return isSameJson(bare(next), bare(live));
}
