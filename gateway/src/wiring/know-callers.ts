import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { watchAccessKeys } from '../auth/access-keys.ts';
import { type Authenticator, makeAuthenticator } from '../auth/authenticator.ts';
import type { Context } from './context.ts';

/** Who may call. */
export interface Callers {
  /** null = nobody is asked (local mode). */
  readonly authenticator: Authenticator | null;
  /** False until the access keys have been seen. */
  readonly isKnown: () => boolean;
}

/** Follows the access keys of the install, when callers sign. Runs until the life's signal aborts. */
export function knowCallers(context: Context, kubernetes: Pick<Kubernetes, 'watch'>): Callers {
  const { config, life, problem } = context;
  if (config.auth === 'none') return { authenticator: null, isKnown: () => true };
  const keys = watchAccessKeys({
    kubernetes,
    namespace: config.namespace,
    signal: life.signal,
    onProblem: (text) => problem(`access key ${text}`, { problem: text }, 'an access key is not used'),
  });
  return {
    authenticator: makeAuthenticator({ keys, region: config.region, now: Date.now }),
    isKnown: () => keys.isKnown(),
  };
}
