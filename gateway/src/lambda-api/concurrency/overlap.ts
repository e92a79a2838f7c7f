import type { FunctionObject } from '@kappa/crds/function';

import { ResourceConflict } from '../../errors.ts';
import { holdersOf } from '../../registry/routing.ts';
import type { QualifiedExecutions } from '../../registry/views.ts';
import { findAlias } from '../aliases/find.ts';
import type { ApiDeps } from '../call.ts';
import { entryOf } from '../functions/change.ts';
import { keyOf } from '../functions/find.ts';
import { isNumber } from '../functions/resolve.ts';

/**
 * Lambda provisions for a version or for aliases of it, not for both.
 *
 * @throws LambdaError ResourceConflict
 */
export async function requireNoOverlap(
  { qualifier }: QualifiedExecutions,
  fn: FunctionObject,
  deps: ApiDeps,
): Promise<void> {
  const { provisionedByQualifier: entries } = fn.spec.concurrency;
  if (!isNumber(qualifier)) {
    const alias = await findAlias(fn, qualifier, deps);
    const versions = [alias?.spec.functionVersion, alias?.spec.additionalVersion?.functionVersion];
    if (versions.some((version) => version !== undefined && entryOf(entries, version) !== undefined))
      throw new ResourceConflict(
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
      );
    return;
  }
  const aliases = [...holdersOf(deps.directory.look(keyOf(fn.metadata)).aliases)];
  const isMeant = aliases.some(
    ({ alias, version, additional }) =>
      (version === qualifier || additional?.version === qualifier) && entryOf(entries, alias) !== undefined,
  );
  if (isMeant) throw new ResourceConflict('Version is pointed by a Provisioned Concurrency alias');
}
