import { isConflict, isGone, isInvalid, isNotFound, isUnavailable, KubernetesError } from '@kappa/crds/client/errors';
import type { Kind } from '@kappa/crds/client/kinds';
import type { Kubernetes, ListOptions, Page, PageOptions } from '@kappa/crds/client/kubernetes';
import type { Manifest, ObjectMeta } from '@kappa/crds/object-meta';

import { InvalidParameterValue, ServiceException } from '../errors.ts';
import { lambdaException } from './errors.ts';

/** Field manager of everything that the Lambda API writes. */
const fieldManager = 'kappa-lambda-api';
/** A change that meets another writer each time is given up after so many tries. */
const MAX_TRIES = 20;
/** Longest pause between two tries, milliseconds. */
const MAX_PAUSE_MS = 100;
/** Somebody else wrote first. */
const CONFLICT = Symbol('conflict');

/** What {@link Objects} works with. */
export interface ObjectsDeps {
  readonly kubernetes: Pick<Kubernetes, 'get' | 'list' | 'page' | 'create' | 'replace' | 'delete'>;
  readonly sleep: (ms: number) => Promise<void>;
  /** 0..1, so that writers who have met do not meet again. */
  readonly random: () => number;
}

/**
 * The objects of the Lambda API, read from and written to the API server, so that every gateway reads what another one wrote.
 * A change is read-modify-write of the whole object with its resourceVersion: what other writers set is kept, also fields
 * that this version of Kappa does not know.
 */
export class Objects {
  readonly #deps: ObjectsDeps;

  constructor(deps: ObjectsDeps) {
    this.#deps = deps;
  }

  /** @returns null when there is none */
  async find<T>(kind: Kind<T>, namespace: string, name: string): Promise<T | null> {
    try {
      return await this.#deps.kubernetes.get(kind, namespace, name);
    } catch (err) {
      if (isNotFound(err)) return null;
      throw toLambda(err);
    }
  }

  async list<T>(kind: Kind<T>, options: ListOptions): Promise<readonly T[]> {
    return this.#deps.kubernetes.list(kind, options).catch(rethrow);
  }

  /** @throws KubernetesError 410 for a `from` that is too old */
  async page<T>(kind: Kind<T>, options: PageOptions): Promise<Page<T>> {
    return this.#deps.kubernetes.page(kind, options).catch((err: unknown) => {
      throw isGone(err) ? err : toLambda(err);
    });
  }

  /** @returns null when there is one of that name already */
  async create<T>(kind: Kind<T>, object: Manifest<T>): Promise<T | null> {
    try {
      return await this.#deps.kubernetes.create(kind, object, { fieldManager });
    } catch (err) {
      if (isConflict(err)) return null;
      throw toLambda(err);
    }
  }

  /**
   * Changes an object by what `edit` makes of it, again with what is stored then when somebody wrote in between.
   *
   * @param edit may be called several times; what it throws ends the change; the same object back = nothing to write
   * @returns the object as it is stored now, null when there is none
   */
  async change<T extends { readonly metadata: ObjectMeta }>(
    kind: Kind<T>,
    { namespace, name }: { readonly namespace: string; readonly name: string },
    edit: (object: T) => T | Promise<T>,
  ): Promise<T | null> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const before = await this.find(kind, namespace, name);
      if (before === null) return null;
      const after = await edit(before);
      const stored = after === before ? before : await this.#replace(kind, after);
      if (stored !== CONFLICT) return stored;
      await this.#deps.sleep(this.#deps.random() * Math.min(MAX_PAUSE_MS, 4 * 2 ** attempt));
    }
    throw tooBusy(kind.kind, name);
  }

  /** Null = there is none any more. */
  async #replace<T extends { readonly metadata: ObjectMeta }>(
    kind: Kind<T>,
    object: T,
  ): Promise<T | null | typeof CONFLICT> {
    try {
      return await this.#deps.kubernetes.replace(kind, manifestOf(object), { fieldManager });
    } catch (err) {
      if (isConflict(err)) return CONFLICT;
      if (isNotFound(err)) return null;
      throw toLambda(err);
    }
  }

  /** One that is not there counts as removed. @param uid only this one */
  async remove(kind: Kind<unknown>, namespace: string, name: string, uid: string): Promise<void> {
    try {
      await this.#deps.kubernetes.delete(kind, namespace, name, { preconditionUid: uid });
    } catch (err) {
      if (!isConflict(err)) throw toLambda(err); // another one has its name: this one is gone
    }
  }
}

/** The object to write: all that was read. */
function manifestOf<T extends { readonly metadata: ObjectMeta }>(object: T): Manifest<T> {
  return object;
}

function tooBusy(kind: string, name: string): Error {
  return lambdaException(
    'ResourceConflictException',
    `${kind} ${name} is being changed by others at the same time: try again`,
  );
}

function rethrow(err: unknown): never {
  throw toLambda(err);
}

/** What a failure of the Kubernetes API means for the caller. */
function toLambda(err: unknown): unknown {
  if (!(err instanceof KubernetesError)) return err;
  const retryAfterSeconds = Math.ceil(err.retryAfterSeconds ?? 1);
  if (isInvalid(err)) return new InvalidParameterValue(reasonOf(err.message));
  if (isUnavailable(err))
    return new ServiceException('The Kubernetes API does not answer at the moment. Nothing is known to have changed.', {
      retryAfterSeconds,
      cause: err,
    });
  return new ServiceException('The Kubernetes API refused a request of the gateway.', { cause: err });
}

/** `PUT /apis/…: 422 Invalid: Function.kappa.dev "f" is invalid: spec.x: …` → from the first field on. */
function reasonOf(message: string): string {
  const [, reason = message] = / is invalid: (.*)$/s.exec(message) ?? [];
  return reason.slice(0, 1000);
}
