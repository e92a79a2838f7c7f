import { isNotFound } from '@kappa/crds/client/errors';
import { serviceAccounts } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type ResourceAttributes, subjectAccessReviews } from '@kappa/crds/client/reviews';
import { LRUCache } from 'lru-cache';

import { ServiceException } from '../errors.ts';
import type { Identity } from './principal.ts';

/** What {@link AccessReviews} works with. */
export interface AccessReviewsDeps {
  readonly kubernetes: Pick<Kubernetes, 'create' | 'get'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
  /** Hears why the cluster could not be asked. */
  readonly onProblem: (problem: unknown) => void;
}

/** An allowance is used so long without a question. */
const FRESH_MS = 10_000;
/** And so long while the question is asked beside the request: so a right that was taken away ends within a minute. */
const USABLE_MS = 60_000;
/** Somebody may be about to get the right. */
const DENIED_MS = 3_000;
/** A request waits so long for an answer. */
const WAIT_MS = 2_000;
/** After a question without an answer what is known is used for so long, whatever its age. */
const AWAY_MS = 5_000;
/** Answers that are remembered. */
const MAX_ANSWERS = 10_000;

interface Known {
  readonly isAllowed: boolean;
  readonly atMs: number;
}

/**
 * What the cluster's own authorization (RBAC, or whatever it has) lets somebody do, by SubjectAccessReview. Answers are remembered, and used
 * however old they are while the API server is away: callers who were let in stay in, and those who were not stay out. Fails closed: what
 * was never answered is refused, as a fault of the platform that clients try again.
 */
export class AccessReviews {
  readonly #deps: AccessReviewsDeps;
  readonly #known = new LRUCache<string, Known>({ max: MAX_ANSWERS });
  readonly #asking = new Map<string, Promise<boolean>>();
  #awayUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: AccessReviewsDeps) {
    this.#deps = deps;
  }

  /** At once when it is known. @throws (rejects with) ServiceException when nothing is known and nobody answers */
  allows(identity: Identity, wanted: ResourceAttributes): boolean | Promise<boolean> {
    const { namespace, verb, group, resource, subresource, name } = wanted;
    const key = `${keyOf(identity)}\n${verb} ${group}/${resource}/${subresource} ${namespace}/${name}`;
    const known = this.#known.get(key);
    const nowMs = this.#deps.now();
    if (known === undefined) return this.#ask(key, identity, wanted);
    const ageMs = nowMs - known.atMs;
    if (ageMs < (known.isAllowed ? FRESH_MS : DENIED_MS) || nowMs < this.#awayUntilMs) return known.isAllowed;
    const asking = this.#ask(key, identity, wanted).catch(() => known.isAllowed);
    return known.isAllowed && ageMs < USABLE_MS ? true : asking;
  }

  /** One question at a time for one answer. */
  #ask(key: string, identity: Identity, wanted: ResourceAttributes): Promise<boolean> {
    const under = this.#asking.get(key);
    if (under !== undefined) return under;
    const late = Promise.withResolvers<never>();
    const cancel = this.#deps.schedule(WAIT_MS, () =>
      late.reject(new Error(`the Kubernetes API did not answer within ${WAIT_MS / 1000} s`)),
    );
    const asking = Promise.race([this.#review(identity, wanted), late.promise])
      .then(
        (isAllowed) => {
          this.#known.set(key, { isAllowed, atMs: this.#deps.now() });
          return isAllowed;
        },
        (cause: unknown) => {
          this.#awayUntilMs = this.#deps.now() + AWAY_MS;
          this.#deps.onProblem(cause);
          throw new ServiceException('The cluster cannot be asked what the caller may do. The request did not run.', {
            retryAfterSeconds: 1,
            cause,
          });
        },
      )
      .finally(() => {
        cancel();
        this.#asking.delete(key);
      });
    this.#asking.set(key, asking);
    return asking;
  }

  async #review({ user, groups, boundTo }: Identity, resourceAttributes: ResourceAttributes): Promise<boolean> {
    const { kubernetes } = this.#deps;
    const spec = { user, groups, resourceAttributes };
    const review = kubernetes.create(subjectAccessReviews, { metadata: {}, spec });
    const [{ status }, isThere] = await Promise.all([review, boundTo === undefined || this.#isThere(boundTo)]);
    return status.allowed && isThere;
  }

  async #isThere({ namespace, name, uid }: NonNullable<Identity['boundTo']>): Promise<boolean> {
    try {
      return (await this.#deps.kubernetes.get(serviceAccounts, namespace, name)).metadata.uid === uid;
    } catch (err) {
      if (isNotFound(err)) return false;
      throw err;
    }
  }
}

/** The same for everybody who has the same rights: the sessions of a role share their answers. */
const keys = new WeakMap<Identity, string>();

function keyOf(identity: Identity): string {
  const known = keys.get(identity);
  if (known !== undefined) return known;
  const key = JSON.stringify([identity.user, identity.groups, identity.boundTo?.uid ?? '']);
  keys.set(identity, key);
  return key;
}
