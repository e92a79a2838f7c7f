import type { DeleteFunctionRequest, DeleteFunctionResponse } from '@aws-sdk/client-lambda';
import { aliases, functions, functionVersions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import { InvalidParameterValue, ResourceConflict } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { findVersion } from '../versions/find.ts';
import { functionNotFound, keyOf, requireFunction } from './find.ts';
import { forgetQualifier } from './forget-qualifier.ts';
import { isNumber } from './resolve.ts';
import { whenSight } from './state.ts';

/** DeleteFunction: the function with all versions and aliases, or with a qualifier one version. */
export async function deleteFunction(
  call: OperationCall<DeleteFunctionRequest>,
  deps: ApiDeps,
): Promise<DeleteFunctionResponse> {
  const { qualifier } = call.fn;
  if (qualifier === LATEST)
    throw new InvalidParameterValue('$LATEST version cannot be deleted without deleting the function.');
  if (qualifier !== null && !isNumber(qualifier))
    throw new InvalidParameterValue('Deletion of aliases is not currently supported.');
  const fn = await requireFunction(call, deps);
  if (qualifier === null) await deleteAll(fn, deps);
  else await deleteVersion(fn, qualifier, call, deps);
  return { StatusCode: 204 };
}

/** Versions go with their owner; so do aliases that the Lambda API made, others are deleted here. */
async function deleteAll({ metadata }: FunctionObject, { objects, directory, ...deps }: ApiDeps): Promise<void> {
  const { namespace, name, uid } = metadata;
  const key = keyOf(metadata);
  await objects.remove(functions, namespace, name, uid);
  for (const alias of directory.look(key).aliases) await objects.remove(aliases, namespace, alias.name, alias.uid);
  await whenSight({ objects, directory, ...deps }, () => directory.look(key).fn?.uid !== uid);
}

async function deleteVersion(
  fn: FunctionObject,
  number: string,
  call: OperationCall<DeleteFunctionRequest>,
  deps: ApiDeps,
): Promise<void> {
  const version = await findVersion(fn, number, deps);
  if (version === null) throw functionNotFound(call.fn);
  const key = keyOf(fn.metadata);
  const user = deps.directory
    .look(key)
    .aliases.find((alias) => alias.version === number || alias.additional?.version === number);
  if (user !== undefined)
    throw new ResourceConflict(
      `Version ${number} of ${call.fn.arn} is used by the alias ${user.alias}: change it first.`,
    );
  const { namespace, name, uid } = version.metadata;
  await forgetQualifier(fn, number, deps); // first: what is left of a broken-off deletion must grant nothing
  await deps.objects.remove(functionVersions, namespace, name, uid);
  await whenSight(deps, () => deps.directory.look(key).versions.every((view) => view.uid !== uid));
}
