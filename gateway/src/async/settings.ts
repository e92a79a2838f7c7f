import { LATEST } from '../registry/routing.ts';
import type { FunctionView } from '../registry/views.ts';

/** How asynchronous invocations of one qualifier of a function are handled. */
export interface AsyncSettings {
  /** Further tries after a function error, 0..2. */
  readonly maxRetryAttempts: number;
  /** An event that is older is not tried any more, milliseconds, 60,000..21,600,000. */
  readonly maxAgeMs: number;
  /** ARN that is told of what went well; null = nobody is. */
  readonly onSuccess: string | null;
  /** ARNs that are told of what was given up: the destination on failure, then the dead-letter queue. */
  readonly onFailure: readonly FailureTarget[];
}

/** Who is told of an event that was given up, and in which form. */
export interface FailureTarget {
  readonly kind: 'destination' | 'deadLetter';
  readonly arn: string;
}

/** Lambda's defaults. */
export const defaultSettings: AsyncSettings = Object.freeze({
  maxRetryAttempts: 2,
  maxAgeMs: 21_600_000,
  onSuccess: null,
  onFailure: [],
});

/**
 * The settings of a qualifier. As on Lambda an alias or version has its own configuration or none: that of `$LATEST` is not inherited. The
 * dead-letter queue is one for the whole function.
 *
 * @param qualifier undefined = none was given, which is `$LATEST`
 */
export function settingsOf(
  { eventInvoke, deadLetterTarget }: Pick<FunctionView, 'eventInvoke' | 'deadLetterTarget'>,
  qualifier: string | undefined,
): AsyncSettings {
  const entry = eventInvoke.find((each) => each.qualifier === (qualifier ?? LATEST));
  if (entry === undefined && deadLetterTarget === null) return defaultSettings;
  const targets: FailureTarget[] = [];
  if (entry?.onFailure !== undefined) targets.push({ kind: 'destination', arn: entry.onFailure });
  if (deadLetterTarget !== null) targets.push({ kind: 'deadLetter', arn: deadLetterTarget });
  return {
    maxRetryAttempts: entry?.maximumRetryAttempts ?? defaultSettings.maxRetryAttempts,
    maxAgeMs: (entry?.maximumEventAgeSeconds ?? defaultSettings.maxAgeMs / 1000) * 1000,
    onSuccess: entry?.onSuccess ?? null,
    onFailure: targets,
  };
}
