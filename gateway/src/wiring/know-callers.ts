import type { KeyObject } from 'node:crypto';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { type AccessKeys, watchAccessKeys } from '../auth/access-keys.ts';
import { AccessReviews } from '../auth/access-reviews.ts';
import { type Authenticator, makeAuthenticator } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly, makeAuthorizer } from '../auth/authorizer.ts';
import { SessionKeys } from '../sts/session-keys.ts';
import type { Context } from './context.ts';

/** Who may call. */
export interface Callers {
  /** null = nobody is asked (local mode). */
  readonly authenticator: Authenticator | null;
  /** The same for STS and IAM. */
  readonly queryAuthenticator: Authenticator | null;
  /** The same for CloudWatch Logs. */
  readonly logsAuthenticator: Authenticator | null;
  /** Makes credentials that end, and knows them again. */
  readonly sessions: SessionKeys;
  /** What they may do. */
  readonly authorizer: Authorizer;
  /** False until the access keys have been seen. */
  readonly isKnown: () => boolean;
}

/** IAM is one for all regions, and signed for the first of them; so may STS be. */
const globalRegion = 'us-east-1';

/**
 * Follows the access keys of the install, when callers sign. Runs until the life's signal aborts.
 *
 * @param installKey the private key that all gateways have
 */
export function knowCallers(
  context: Context,
  kubernetes: Pick<Kubernetes, 'watch' | 'create' | 'get'>,
  installKey: KeyObject,
): Callers {
  const { config, life, problem } = context;
  if (config.auth === 'none') return everybody(installKey);
  const keys = watchAccessKeys({
    kubernetes,
    namespace: config.namespace,
    signal: life.signal,
    onProblem: (text) => problem(`access key ${text}`, { problem: text }, 'an access key is not used'),
  });
  const sessions = new SessionKeys({ installKey, keys, now: Date.now });
  const shared = { keys, sessions, region: config.region, now: Date.now };
  const regions = [config.region, globalRegion];
  return {
    authenticator: makeAuthenticator(shared),
    queryAuthenticator: makeAuthenticator({ ...shared, scopes: { sts: regions, iam: regions } }),
    logsAuthenticator: makeAuthenticator({ ...shared, scopes: { logs: [config.region] } }),
    sessions,
    authorizer: makeAuthorizer(accessReviews(context, kubernetes)),
    isKnown: () => keys.isKnown(),
  };
}

const noKeys: AccessKeys = { find: () => undefined, isKnown: () => true };

/** Nobody is asked; credentials are given out all the same, since tools want some. */
function everybody(installKey: KeyObject): Callers {
  return {
    authenticator: null,
    queryAuthenticator: null,
    logsAuthenticator: null,
    sessions: new SessionKeys({ installKey, keys: noKeys, now: Date.now }),
    authorizer: accountsOnly,
    isKnown: () => true,
  };
}

function accessReviews({ clock, teller }: Context, kubernetes: Pick<Kubernetes, 'create' | 'get'>): AccessReviews {
  return new AccessReviews({
    kubernetes,
    now: clock.nowMs,
    schedule: clock.after,
    onProblem: teller('access reviews', 'the cluster was asked what a caller may do, and did not answer'),
  });
}
