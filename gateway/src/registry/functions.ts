import type { Target } from '../dispatch/types.ts';
import { ResourceConflict } from '../errors.ts';
import { LATEST, type RoutedAlias, type RoutedFunction } from './routing.ts';

/** One version to run, and under which name it was called. */
export interface Resolved {
  readonly target: Target;
  /** ARN with the qualifier that the caller used, none when it used none. */
  readonly invokedArn: string;
}

/** Where request handlers find functions. Answers at once, except while an update is under way (see Registry). */
export interface Functions {
  /** By Lambda's name; undefined = no such function or account. */
  byName(accountId: string, functionName: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined>;
  /** By the object's name, as URLs have it. */
  byObject(namespace: string, name: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined>;
}

/**
 * The version that a qualifier means.
 *
 * @param qualifier `$LATEST`, digits or an alias; null = none given
 * @param random 0..1, for aliases with weights
 * @returns null when there is no such version or alias
 * @throws ResourceConflict while the function has no version at all
 */
export function resolveQualifier(fn: RoutedFunction, qualifier: string | null, random: () => number): Resolved | null {
  if (qualifier === null) return { target: latestOf(fn), invokedArn: fn.arn };
  const invokedArn = `${fn.arn}:${qualifier}`;
  if (qualifier === LATEST) return { target: latestOf(fn), invokedArn };
  const version = fn.versions?.get(qualifier);
  if (version !== undefined) return { target: version, invokedArn };
  const alias = fn.aliases?.get(qualifier);
  return alias === undefined ? null : { target: choose(alias, random), invokedArn };
}

function latestOf(fn: RoutedFunction): Target {
  if (fn.latest !== null) return fn.latest;
  const why = fn.stateReason === '' ? '' : ` (${fn.stateReason})`;
  throw new ResourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${fn.state}${why}`,
  );
}

function choose(alias: RoutedAlias, random: () => number): Target {
  return alias.additional !== null && random() < alias.additional.weight ? alias.additional.target : alias.target;
}
