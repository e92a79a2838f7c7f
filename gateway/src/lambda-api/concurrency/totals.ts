import type { FunctionObject } from '@kappa/crds/function';

/** So much of the account's concurrency stays for functions without a reserve, where the account has more than that. */
const MIN_UNRESERVED = 100;

/** The least that has to stay unreserved. */
export function leastUnreserved(accountConcurrency: number): number {
  return Math.min(MIN_UNRESERVED, accountConcurrency);
}

/** Execution environments that a function keeps for all its versions. */
export function provisionedTotal(concurrency: FunctionObject['spec']['concurrency']): number {
  const { provisioned, provisionedByQualifier = [] } = concurrency;
  return provisionedByQualifier.reduce((sum, { executions }) => sum + executions, provisioned);
}
