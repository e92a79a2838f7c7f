import type { FunctionObject } from '@kappa/crds/function';
import { type AliasMeaning, type Provisioned, provisionedShares } from '@kappa/crds/provisioned-shares';

/** What there is of a function. */
export interface ProvisionedSight {
  readonly aliases: readonly { readonly alias: string; readonly meaning: AliasMeaning }[];
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  /** Name of the version that `$LATEST` means. */
  readonly latestVersion: string | null;
  readonly pods: readonly {
    readonly isReady: boolean;
    readonly isTerminating: boolean;
    readonly claim: { readonly versionName: string } | null;
  }[];
}

/** All that spec.concurrency provisions, `$LATEST` first. */
export function provisionedEntries({
  provisioned,
  provisionedByQualifier = [],
}: FunctionObject['spec']['concurrency']): readonly Provisioned[] {
  const others = provisionedByQualifier.map(({ qualifier, executions }) => ({ qualifier, executions }));
  return provisioned === 0 ? others : [{ qualifier: '$LATEST', executions: provisioned }, ...others];
}

/** How many of the execution environments that are provisioned are there. A pod counts once, whoever wants it. */
export function countReady(entries: readonly Provisioned[], sight: ProvisionedSight): number {
  const { aliases, versions, latestVersion, pods } = sight;
  const meaningOf = (name: string): AliasMeaning | undefined => aliases.find(({ alias }) => alias === name)?.meaning;
  const wanted = new Map<string, number>();
  for (const { version, executions } of entries.flatMap((entry) => provisionedShares(entry, meaningOf)))
    wanted.set(version, (wanted.get(version) ?? 0) + executions);
  const ready = pods.filter(({ isReady, isTerminating }) => isReady && !isTerminating);
  return [...wanted].reduce((sum, [version, executions]) => {
    const name = version === '$LATEST' ? latestVersion : versions.find((each) => each.version === version)?.name;
    return sum + Math.min(executions, ready.filter(({ claim }) => claim?.versionName === name).length);
  }, 0);
}
