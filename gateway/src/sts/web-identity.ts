import { isInvalid } from '@kappa/crds/client/errors';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type TokenReview, tokenReviews } from '@kappa/crds/client/reviews';

import { ServiceException } from '../errors.ts';

/** What a ServiceAccount's token must be for, so that tokens for others are worth nothing here and the other way round. */
export const webIdentityAudience = 'sts.kappa.dev';

/** Whose token it is: a ServiceAccount. */
export interface TokenOwner {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** As the token names it. */
  readonly subject: string;
}

/** Questions at one time: whoever reaches the gateway can make it ask. */
const MAX_ASKING = 16;

/**
 * Makes the function that asks the cluster whose token it is; nobody has signed for these questions, so they are few at a time.
 *
 * @returns of a token null = nobody's, not for this audience, or not a ServiceAccount's. It rejects with ServiceException when the cluster does
 * not answer, or is asked too much already
 */
export function tokenReviewer(kubernetes: Pick<Kubernetes, 'create'>): (token: string) => Promise<TokenOwner | null> {
  let asking = 0;
  return async (token) => {
    if (!isForUs(token)) return null;
    if (asking >= MAX_ASKING)
      throw new ServiceException('Too many tokens are being checked at this moment.', { retryAfterSeconds: 1 });
    asking += 1;
    try {
      return await review(kubernetes, token);
    } finally {
      asking -= 1;
    }
  };
}

/** What the token itself says: not believed, but what says something else need not be asked about. */
function isForUs(token: string): boolean {
  const [, payload = ''] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
  try {
    const { aud } = Object(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return [aud].flat().includes(webIdentityAudience);
  } catch {
    return false;
  }
}

async function review(kubernetes: Pick<Kubernetes, 'create'>, token: string): Promise<TokenOwner | null> {
  const spec = { token, audiences: [webIdentityAudience] };
  const { status } = await kubernetes.create(tokenReviews, { metadata: {}, spec }).catch((cause: unknown) => {
    if (isInvalid(cause)) return { status: nobody };
    throw new ServiceException('The cluster cannot be asked whose token it is.', { retryAfterSeconds: 1, cause });
  });
  if (!status.authenticated || !status.audiences.includes(webIdentityAudience)) return null;
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(status.username) ?? [];
  if (namespace === undefined || name === undefined) return null;
  return { namespace, name, uid: status.uid, subject: status.username };
}

const nobody: TokenReview['status'] = { authenticated: false, audiences: [], username: '', uid: '' };
