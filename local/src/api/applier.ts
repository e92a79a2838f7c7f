import type { Caller } from './caller.ts';
import { decodeYaml } from './negotiation.ts';
import { copy, type KubeObject, kubeTime, parseObject } from './object.ts';
import { apiVersionOf } from './resource.ts';
import { applyServerSide, conflictCauses, describeConflicts } from './schema/apply-patch.ts';
import { ApiError, badRequest, conflict, notFound } from './status.ts';
import type { Store } from './store.ts';
import { checkIdentity, type Target } from './target.ts';
import type { Writer } from './writer.ts';

/** The result of a patch: only an apply can make a new object. */
export interface Patched {
  readonly object: KubeObject;
  readonly isNew: boolean;
}

/** Server-side apply. */
export class Applier {
  readonly #store: Store;
  readonly #writer: Writer;
  readonly #now: () => number;

  constructor(store: Store, writer: Writer, now: () => number) {
    this.#store = store;
    this.#writer = writer;
    this.#now = now;
  }

  /** @throws ApiError 404 (subresources), 409 (conflicts, wrong version), 400, 422 */
  apply(target: Target, caller: Caller, body: Buffer, hasManager: boolean): Patched {
    if (!hasManager) throw missingManager();
    const { type } = target;
    const applied = parseApplied(target, body);
    const stored = this.#store.get(type.storage, target.namespace, target.name);
    if (stored === undefined && target.subresource !== '') throw notFound(type, target.name);
    const live = stored === undefined ? null : type.fromStorage(stored);
    checkVersion(target, applied, live);
    const result = this.#merge(target, caller, live, withoutEmptyMetadata(applied));
    const object = parseObject(copy(result));
    if (stored === undefined)
      return { object: this.#writer.create(target, caller, object, { kind: 'apply' }), isNew: true };
    return { object: this.#writer.commit(target, caller, stored, object, { kind: 'apply' }), isNew: false };
  }

  /** @throws ApiError 400, 409 */
  #merge(
    target: Target,
    caller: Caller,
    live: KubeObject | null,
    applied: Record<string, unknown>,
  ): Record<string, unknown> {
    const { type, subresource } = target;
    const result = applyServerSide({
      live,
      applied,
      manager: caller.manager,
      force: caller.isForced,
      schema: type.schema,
      nowIso: kubeTime(this.#now()),
      subresource,
      statusSubresource: type.subresources.has('status'),
    });
    if (result.kind === 'applied') return result.object;
    if (result.kind === 'invalid')
      throw badRequest(`failed to create typed patch object (${describe(target)}): ${result.message}`);
    throw new ApiError(409, 'Conflict', describeConflicts(result.conflicts), {
      causes: conflictCauses(result.conflicts),
    });
  }
}

function describe({ type, namespace, name }: Target): string {
  return `${namespace === '' ? '' : `${namespace}/`}${name}; ${apiVersionOf(type)}, Kind=${type.kind}`;
}

function parseApplied(target: Target, body: Buffer): KubeObject {
  const applied = parseObject(decodeYaml(body));
  checkIdentity(target, applied);
  const { managedFields } = applied.metadata;
  if (Array.isArray(managedFields) && managedFields.length > 0) throw badRequest('metadata.managedFields must be nil');
  delete applied.metadata.managedFields;
  return applied;
}

function checkVersion({ type, name }: Target, { metadata }: KubeObject, live: KubeObject | null): void {
  if (metadata.resourceVersion !== '' && metadata.resourceVersion !== live?.metadata.resourceVersion) {
    throw conflict(
      type,
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  }
  if (metadata.uid !== '' && live === null) {
    throw conflict(
      type,
      name,
      `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`,
    );
  }
}

/** The fields that parsing filled with '' are not applied, nor is what only the server writes. */
function withoutEmptyMetadata(applied: KubeObject): Record<string, unknown> {
  const { uid, resourceVersion, creationTimestamp, ...metadata } = applied.metadata;
  return { ...applied, metadata };
}

function missingManager(): ApiError {
  const message = 'Required value: is required for apply patch';
  const causes = [{ reason: 'FieldValueRequired', message, field: 'fieldManager' }];
  const details = { group: 'meta.k8s.io', kind: 'PatchOptions', causes };
  return new ApiError(422, 'Invalid', `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`, details);
}
