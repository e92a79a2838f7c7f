import { functions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import { toObjectName } from '@kappa/crds/names';

import { ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, CallOfFunction, NamedFunction } from '../call.ts';

/** Where an object is. */
export interface Place {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Where the function of a call is, or would be: where this gateway has seen one of that name, also one that kubectl named
 * otherwise; else where the Lambda API of any gateway puts it.
 */
export async function placeOf({ accountId, namespace, fn }: CallOfFunction, { directory }: ApiDeps): Promise<Place> {
  const seen = await directory.locate(accountId, fn.name);
  return seen ?? { namespace, name: toObjectName(fn.name) };
}

/** The function of a call, as the API server has it; null = there is none. */
export async function findFunction(call: CallOfFunction, deps: ApiDeps): Promise<FunctionObject | null> {
  const place = await placeOf(call, deps);
  const found = await deps.objects.find(functions, place.namespace, place.name);
  return found === null || found.metadata.deletionTimestampMs !== null ? null : found;
}

/** The same. @throws ResourceNotFound */
export async function requireFunction(call: CallOfFunction, deps: ApiDeps): Promise<FunctionObject> {
  const found = await findFunction(call, deps);
  if (found === null) throw functionNotFound(call.fn);
  return found;
}

/** @param fn named with the qualifier that the caller gave, if it gave one */
export function functionNotFound({ arn, qualifier }: NamedFunction): ResourceNotFound {
  return new ResourceNotFound(`Function not found: ${arn}${qualifier === null ? '' : `:${qualifier}`}`);
}

/** Key of a function in the directory. */
export function keyOf({ namespace, name }: Place): string {
  return `${namespace}/${name}`;
}
