/** One row of docs/benchmarks.md. */
export interface Row {
  readonly figure: string;
  readonly measured: string;
  /** What the figure is compared with, measured in the same run. */
  readonly floor: string;
  readonly target: string;
  readonly isMet: boolean;
}
