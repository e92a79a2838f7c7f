import type { AliasView, FunctionView, QualifiedExecutions, VersionView } from './views.ts';

/** The name of the version that changes. */
const LATEST = '$LATEST';

/** Execution environments that one version has to keep. */
export interface Share {
  /** `$LATEST` or digits. */
  readonly version: string;
  readonly executions: number;
}

/**
 * Which versions keep the execution environments that are provisioned for a qualifier: the version itself, or those that the alias means,
 * by its weights.
 *
 * Worked: 5 for an alias with 30 % for a second version: 4 and 1 (1.5 would be its part; who has most of the calls gets the rest).
 *
 * @param aliases by which calls are routed; an alias that is not there keeps none
 */
export function sharesOf(
  { qualifier, executions }: QualifiedExecutions,
  aliases: readonly AliasView[],
): readonly Share[] {
  if (/^[1-9]\d*$/.test(qualifier)) return [{ version: qualifier, executions }];
  const alias = aliases.find((view) => view.alias === qualifier);
  if (alias === undefined) return [];
  const { additional } = alias;
  if (additional === null) return [{ version: alias.version, executions }];
  const second = secondShare(executions, additional.weight);
  return [
    { version: alias.version, executions: executions - second },
    { version: additional.version, executions: second },
  ];
}

function secondShare(executions: number, weight: number): number {
  const part = executions * weight;
  return weight > 0.5 ? Math.ceil(part) : Math.floor(part);
}

/** Execution environments that a version keeps for all who want some of it. */
export function provisionedOf(version: VersionView, fn: FunctionView, aliases: readonly AliasView[]): number {
  if (version.version === LATEST && version.name !== fn.latestVersion) return 0;
  const shares = fn.provisionedByQualifier.flatMap((entry) => sharesOf(entry, aliases));
  const own = version.version === LATEST ? fn.provisioned : 0;
  return shares
    .filter((share) => share.version === version.version)
    .reduce((sum, { executions }) => sum + executions, own);
}
