import { functionVersions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';

import type { ApiDeps } from '../call.ts';
import { keyOf } from '../functions/find.ts';
import { isOwnedBy, versionObjectName } from './publish.ts';

/** A published version by its number, as the API server has it: also one that kubectl named otherwise; null = there is none. */
export async function findVersion(
  fn: FunctionObject,
  version: string,
  { objects, directory }: ApiDeps,
): Promise<FunctionVersionObject | null> {
  const { namespace, name, uid } = fn.metadata;
  const seen = directory.look(keyOf(fn.metadata)).versions.find((view) => view.version === version);
  const found = await objects.find(functionVersions, namespace, seen?.name ?? versionObjectName(name, version));
  return found?.spec.functionName === name && found.spec.version === version && isOwnedBy(found, uid) ? found : null;
}
