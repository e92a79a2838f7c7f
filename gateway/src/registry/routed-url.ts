import { type FunctionUrlOwner, functionUrlId } from '@kappa/crds/function-url';

import { allowsUrl, grantsOf, type ResourcePolicy } from '../auth/resource-policy.ts';
import type { HttpView } from './views.ts';

/** The URL of a function or an alias, as requests need it. */
export interface RoutedUrl extends HttpView {
  /** First part of its host name. @see functionUrlId */
  readonly id: string;
  /** null = the function without a qualifier. */
  readonly alias: string | null;
  /** Whether anybody may call it, without being asked: decided here, once. */
  readonly isOpen: boolean;
}

/** A URL with what its function's policy says about it. Pure. */
export function routeUrl(http: HttpView, owner: FunctionUrlOwner, policy: ResourcePolicy): RoutedUrl {
  const grants = grantsOf(policy, owner.alias);
  return {
    ...http,
    id: functionUrlId(owner),
    alias: owner.alias,
    isOpen: http.auth !== 'AwsIam' && allowsUrl(grants, { kind: 'anybody' }, 'None'),
  };
}
