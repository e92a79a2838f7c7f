import type {
  DeleteFunctionConcurrencyRequest,
  GetFunctionConcurrencyRequest,
  PutFunctionConcurrencyRequest,
} from '@aws-sdk/client-lambda';
import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { functionNotFound, placeOf, requireFunction } from '../functions/find.ts';
import { whenSeen } from '../functions/state.ts';
import { leastUnreserved, provisionedTotal } from './totals.ts';

/** What the operations on reserved concurrency answer. */
export interface Concurrency {
  readonly ReservedConcurrentExecutions?: number;
}

/** PutFunctionConcurrency; 0 stops the function. */
export async function putFunctionConcurrency(
  call: OperationCall<PutFunctionConcurrencyRequest>,
  deps: ApiDeps,
): Promise<Concurrency> {
  const { ReservedConcurrentExecutions: reserved = 0 } = call.input;
  await change(call, deps, (fn) => {
    requireRoom(reserved, fn, call, deps);
    return { ...fn.spec.concurrency, reserved };
  });
  return { ReservedConcurrentExecutions: reserved };
}

/** GetFunctionConcurrency: empty when nothing is reserved. */
export async function getFunctionConcurrency(
  call: OperationCall<GetFunctionConcurrencyRequest>,
  deps: ApiDeps,
): Promise<Concurrency> {
  const { reserved } = (await requireFunction(call, deps)).spec.concurrency;
  return reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved };
}

/** DeleteFunctionConcurrency. */
export async function deleteFunctionConcurrency(
  call: OperationCall<DeleteFunctionConcurrencyRequest>,
  deps: ApiDeps,
): Promise<object> {
  await change(call, deps, ({ spec }) => {
    const { reserved: _gone, ...rest } = spec.concurrency;
    return rest;
  });
  return {};
}

/** Concurrent executions that all functions of an account have reserved, one apart. */
export function reservedOf(accountId: string, { directory }: Pick<ApiDeps, 'directory'>, apart = ''): number {
  return directory
    .ofAccount(accountId)
    .filter(({ uid }) => uid !== apart)
    .reduce((sum, { reserved }) => sum + (reserved ?? 0), 0);
}

function requireRoom(reserved: number, fn: FunctionObject, { accountId }: OperationCall<unknown>, deps: ApiDeps): void {
  const provisioned = provisionedTotal(fn.spec.concurrency);
  if (provisioned > reserved)
    throw new InvalidParameterValue(
      `ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisioned}].`,
    );
  const least = leastUnreserved(deps.accountConcurrency);
  if (deps.accountConcurrency - reservedOf(accountId, deps, fn.metadata.uid) - reserved < least)
    throw new InvalidParameterValue(
      `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`,
    );
}

async function change(
  call: OperationCall<unknown>,
  deps: ApiDeps,
  edit: (fn: FunctionObject) => FunctionObject['spec']['concurrency'],
): Promise<void> {
  if (call.fn.qualifier !== null)
    throw new InvalidParameterValue(
      'Reserved concurrency belongs to the function as a whole: name it without a qualifier.',
    );
  const changed = await deps.objects.change(functions, await placeOf(call, deps), (fn) => ({
    ...fn,
    spec: { ...fn.spec, concurrency: edit(fn) },
  }));
  if (changed === null) throw functionNotFound(call.fn);
  await whenSeen(changed, deps);
}
