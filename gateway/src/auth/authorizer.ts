import type { ResourceAttributes } from '@kappa/crds/client/reviews';

import type { Target } from '../dispatch/types.ts';
import type { AccessReviews } from './access-reviews.ts';
import type { Right } from './lambda-rights.ts';
import { arnOfPrincipal, type Principal } from './principal.ts';
import { accessDenied } from './sigv4-error.ts';

/** What a caller wants to do with one object, or with all of a kind. */
export interface Asked {
  readonly right: Right;
  readonly accountId: string;
  /** The account's. */
  readonly namespace: string;
  /** metadata.name; empty = no single one, as for lists and what is yet to be made. */
  readonly name: string;
  /** AWS's name of the action, for the refusal, e.g. `lambda:InvokeFunction`. */
  readonly action: string;
  /** ARN, for the refusal. */
  readonly resource: string;
}

/** Says what known callers may do. */
export interface Authorizer {
  /** Whether the caller itself has the right; policies of resources are another question. At once when it is known. */
  allows(principal: Principal, asked: Asked): boolean | Promise<boolean>;
  /** The same for objects that are not Kappa's. */
  allowsIn(principal: Principal, accountId: string, wanted: ResourceAttributes): boolean | Promise<boolean>;
}

/**
 * Asks the cluster for callers that are somebody there; all others may do everything with their accounts.
 *
 * @param reviews null = there is nobody to ask: then who is somebody in the cluster may do nothing
 */
export function makeAuthorizer(reviews: Pick<AccessReviews, 'allows'> | null): Authorizer {
  const allowsIn: Authorizer['allowsIn'] = ({ accounts, identity }, accountId, wanted) => {
    if (accounts !== null && !accounts.includes(accountId)) return false;
    if (identity === undefined) return true;
    return reviews?.allows(identity, wanted) ?? false;
  };
  return {
    allowsIn,
    allows: (principal, { right, accountId, namespace, name }) =>
      allowsIn(principal, accountId, { ...attributesOf(right), namespace, name }),
  };
}

/** For servers without access keys that name somebody in the cluster. */
export const accountsOnly: Authorizer = makeAuthorizer(null);

/** What a call of a function asks for. */
export function toInvoke(
  { accountId, namespace, functionObjectName }: Pick<Target, 'accountId' | 'namespace' | 'functionObjectName'>,
  resource: string,
  action: 'lambda:InvokeFunction' | 'lambda:InvokeFunctionUrl' = 'lambda:InvokeFunction',
): Asked {
  return { right: 'create functions/invoke', accountId, namespace, name: functionObjectName, action, resource };
}

/** AWS's words. */
export function denied(principal: Principal, { action, resource }: Pick<Asked, 'action' | 'resource'>): Error {
  return accessDenied(
    `User: ${arnOfPrincipal(principal)} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

/** Made once for each right: this is asked for every call of a function. */
const attributes = new Map<Right, Pick<ResourceAttributes, 'verb' | 'group' | 'resource' | 'subresource'>>();

function attributesOf(right: Right): Pick<ResourceAttributes, 'verb' | 'group' | 'resource' | 'subresource'> {
  const known = attributes.get(right);
  if (known !== undefined) return known;
  const [verb = '', path = ''] = right.split(' ');
  const [resource = '', subresource = ''] = path.split('/');
  const made = { verb, group: 'kappa.dev', resource, subresource };
  attributes.set(right, made);
  return made;
}
