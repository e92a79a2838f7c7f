/** What Jest writes with `--json`, as far as it is read here. */
export interface JestReport {
  readonly testResults: readonly FileReport[];
}

/** One test file of a report. */
export interface FileReport {
  readonly name: string;
  /** `failed` when one of its tests has, or when it could not be run. */
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

/** The line that says which files are played again. Their tests, which Jest has counted, are counted once more: it says how many, too. */
export function playedAgainLine(files: readonly FileReport[]): string {
  const count = (status: string): number =>
    files.reduce((sum, file) => sum + file.assertionResults.filter((each) => each.status === status).length, 0);
  return `PLAYED AGAIN ${count('failed')} failed, ${count('passed')} passed in ${files.map(({ name }) => name).join(' ')}`;
}

/** Finds such lines, and the three things that they say. */
export const playedAgainPattern = /^PLAYED AGAIN (\d+) failed, (\d+) passed in (.*)$/;
