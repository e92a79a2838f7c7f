/** Execution environments that are kept for a published version, by its number, or for those that an alias means. */
export interface Provisioned {
  readonly qualifier: string;
  readonly executions: number;
}

/** What an alias means. */
export interface AliasMeaning {
  /** `$LATEST` or digits. */
  readonly version: string;
  /** `weight` is 0..1. */
  readonly additional: { readonly version: string; readonly weight: number } | null;
}

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
 * @param meaningOf an alias; one that is not there keeps none
 */
export function provisionedShares(
  { qualifier, executions }: Provisioned,
  meaningOf: (alias: string) => AliasMeaning | undefined,
): readonly Share[] {
  if (/^([1-9]\d*|\$LATEST)$/.test(qualifier)) return [{ version: qualifier, executions }];
  const meaning = meaningOf(qualifier);
  if (meaning === undefined) return [];
  const { version, additional } = meaning;
  if (additional === null) return [{ version, executions }];
  const second = secondShare(executions, additional.weight);
  return [
    { version, executions: executions - second },
    { version: additional.version, executions: second },
  ];
}

function secondShare(executions: number, weight: number): number {
  const part = executions * weight;
  return weight > 0.5 ? Math.ceil(part) : Math.floor(part);
}
