import type { FunctionObject } from '@kappa/crds/function';

import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps } from '../call.ts';
import { reservedOf } from './reserved.ts';
import { leastUnreserved, provisionedTotal } from './totals.ts';

/**
 * Provisioned concurrency is part of what the function has reserved, else of what the account has not.
 *
 * @param fn as it would be
 * @throws InvalidParameterValue in Lambda's words
 */
export function requireProvisionedRoom(fn: FunctionObject, accountId: string, deps: ApiDeps): void {
  const { reserved } = fn.spec.concurrency;
  const wanted = provisionedTotal(fn.spec.concurrency);
  if (reserved !== undefined) {
    if (wanted <= reserved) return;
    throw new InvalidParameterValue(
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    );
  }
  const unreserved = deps.accountConcurrency - reservedOf(accountId, deps);
  if (wanted > unreserved)
    throw new InvalidParameterValue(
      `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${unreserved}].`,
    );
  const least = leastUnreserved(deps.accountConcurrency);
  if (unreserved - wanted < least)
    throw new InvalidParameterValue(
      `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
    );
}
