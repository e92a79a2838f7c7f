import { createHash } from 'node:crypto';
import type { AliasObject } from '@kappa/crds/alias';
import { aliases } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';

import { holdersOf } from '../../registry/routing.ts';
import type { ApiDeps } from '../call.ts';
import { keyOf } from '../functions/find.ts';

/** The alias of a function, as the API server has it: also one that kubectl named otherwise; null = there is none. */
export async function findAlias(fn: FunctionObject, alias: string, deps: ApiDeps): Promise<AliasObject | null> {
  const { namespace, name } = fn.metadata;
  for (const objectName of new Set(objectNamesOf(fn, alias, deps))) {
    const found = await deps.objects.find(aliases, namespace, objectName);
    if (found?.spec.functionName === name && found.spec.name === alias) return found;
  }
  return null;
}

/** The one that calls are routed by, then the one that the Lambda API makes. */
function objectNamesOf({ metadata }: FunctionObject, alias: string, { directory }: ApiDeps): readonly string[] {
  const seen = [...holdersOf(directory.look(keyOf(metadata)).aliases)].find((view) => view.alias === alias);
  const own = aliasObjectName(metadata.name, alias);
  return seen === undefined ? [own] : [seen.name, own];
}

/**
 * metadata.name of the Alias that the Lambda API makes. No two aliases meet, whatever their functions are called: an alias that is no DNS
 * label, or a long one, is said by its digest.
 */
export function aliasObjectName(functionObjectName: string, alias: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(alias)) return `${functionObjectName}.a.${alias}`;
  const digest = createHash('sha256').update(alias).digest('hex').slice(0, 32);
  return `${functionObjectName}.h.${digest}`;
}
