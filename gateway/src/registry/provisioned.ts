import { provisionedShares, type Share } from '@kappa/crds/provisioned-shares';

import type { AliasView, FunctionView, QualifiedExecutions, VersionView } from './views.ts';

export type { Share } from '@kappa/crds/provisioned-shares';

/** The name of the version that changes. */
const LATEST = '$LATEST';

/**
 * Which versions keep the execution environments that are provisioned for a qualifier.
 *
 * @param aliases by which calls are routed; an alias that is not there keeps none
 */
export function sharesOf(entry: QualifiedExecutions, aliases: readonly AliasView[]): readonly Share[] {
  return provisionedShares(entry, (name) => aliases.find(({ alias }) => alias === name));
}

/** Execution environments that a version keeps for all who want some of it; none where each runs several invocations at once. */
export function provisionedOf(version: VersionView, fn: FunctionView, aliases: readonly AliasView[]): number {
  if (version.version === LATEST && version.name !== fn.latestVersion) return 0;
  if (version.perInstance > 1) return 0;
  const shares = fn.provisionedByQualifier.flatMap((entry) => sharesOf(entry, aliases));
  const own = version.version === LATEST ? fn.provisioned : 0;
  return shares
    .filter((share) => share.version === version.version)
    .reduce((sum, { executions }) => sum + executions, own);
}
