/** Middle and spread of some measurements of one thing. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Value below which `share` (0..1) of `values` lie; nearest rank. @throws RangeError on no values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (found === undefined) throw new RangeError('no values');
  return found;
}

/** @throws RangeError on no values */
export function summarize(values: readonly number[]): Summary {
  return { median: percentile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** `a[i] / b[i]`: rounds that ran side by side are compared with each other, so that a noisy minute hits both. */
export function ratios(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((value, round) => value / (b[round] ?? Number.NaN));
}

/** `12.3 (11.9–14.0)` */
export function show({ median, min, max }: Summary, digits = 1): string {
  const text = (value: number): string => value.toFixed(digits);
  return `${text(median)} (${text(min)}–${text(max)})`;
}
