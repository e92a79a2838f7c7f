import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { watchAccessKeys } from '../auth/access-keys.ts';
import { AccessReviews } from '../auth/access-reviews.ts';
import { type Authenticator, makeAuthenticator } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly, makeAuthorizer } from '../auth/authorizer.ts';
import type { Context } from './context.ts';

/** Who may call. */
export interface Callers {
  /** null = nobody is asked (local mode). */
  readonly authenticator: Authenticator | null;
  /** What they may do. */
  readonly authorizer: Authorizer;
  /** False until the access keys have been seen. */
  readonly isKnown: () => boolean;
}

/** Follows the access keys of the install, when callers sign. Runs until the life's signal aborts. */
export function knowCallers(context: Context, kubernetes: Pick<Kubernetes, 'watch' | 'create' | 'get'>): Callers {
  const { config, life, problem, clock, teller } = context;
  if (config.auth === 'none') return { authenticator: null, authorizer: accountsOnly, isKnown: () => true };
  const keys = watchAccessKeys({
    kubernetes,
    namespace: config.namespace,
    signal: life.signal,
    onProblem: (text) => problem(`access key ${text}`, { problem: text }, 'an access key is not used'),
  });
  const reviews = new AccessReviews({
    kubernetes,
    now: clock.nowMs,
    schedule: clock.after,
    onProblem: teller('access reviews', 'the cluster was asked what a caller may do, and did not answer'),
  });
  return {
    authorizer: makeAuthorizer(reviews),
    authenticator: makeAuthenticator({ keys, region: config.region, now: Date.now }),
    isKnown: () => keys.isKnown(),
  };
}
