/** What came of giving a batch to the function. */
export type BatchOutcome =
  /** It answered. */
  | { readonly kind: 'ran'; readonly answer: Buffer; readonly executedVersion: string }
  /** It failed: an error of the function, its time-out included. */
  | { readonly kind: 'failed'; readonly executedVersion: string }
  /** It did not run, or nobody knows: no capacity (429), a fault of the platform (5xx), no version to run yet (409). */
  | { readonly kind: 'refused'; readonly statusCode: number }
  /** There is no such function, version or alias. */
  | { readonly kind: 'missing' }
  /** The chain of calls came back too often; it will never run. */
  | { readonly kind: 'looped' };
