import type { IncomingHttpHeaders } from 'node:http';

import { type Grant, grantsOf } from '../auth/resource-policy.ts';
import type { Target } from '../dispatch/types.ts';
import { ResourceConflict } from '../errors.ts';
import type { LoopGuard } from '../loops/loop-guard.ts';
import type { RoutedUrl } from './routed-url.ts';
import { LATEST, type RoutedFunction } from './routing.ts';
import { chooseVersion, noHeaders } from './split.ts';

/** One version to run, and under which name it was called. */
export interface Resolved {
  readonly target: Target;
  /** ARN with the qualifier that the caller used, none when it used none. */
  readonly invokedArn: string;
  /** Of its resource policy what counts for this call. */
  readonly grants: readonly Grant[];
  /** Of the function, whatever the version. */
  readonly loops: LoopGuard;
}

/** A function and the URL by which it is called. */
export interface FoundUrl {
  readonly fn: RoutedFunction;
  /** null = it has none, or no such alias. */
  readonly url: RoutedUrl | null;
}

/** Where request handlers find functions. Answers at once, except while an update is under way (see Registry). */
export interface Functions {
  /** By Lambda's name; undefined = no such function or account. */
  byName(accountId: string, functionName: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined>;
  /** By the object's name, as URLs have it. */
  byObject(namespace: string, name: string): RoutedFunction | undefined | Promise<RoutedFunction | undefined>;
  /** By the ID of its URL, as host names have it; undefined = no such URL. */
  byUrlId(id: string): FoundUrl | undefined | Promise<FoundUrl | undefined>;
}

/**
 * The version that a qualifier means.
 *
 * @param qualifier `$LATEST`, digits or an alias; null = none given
 * @param random 0..1, for aliases with weights
 * @param headers of the call: they may have a key that decides instead; absent = none
 * @returns null when there is no such version or alias
 * @throws ResourceConflict while the function has no version at all
 */
export function resolveQualifier(
  fn: RoutedFunction,
  qualifier: string | null,
  random: () => number,
  headers: IncomingHttpHeaders = noHeaders,
): Resolved | null {
  const { loops } = fn;
  const grants = grantsOf(fn.policy, qualifier);
  if (qualifier === null) return { target: latestOf(fn), invokedArn: fn.arn, grants, loops };
  const invokedArn = `${fn.arn}:${qualifier}`;
  if (qualifier === LATEST) return { target: latestOf(fn), invokedArn, grants, loops };
  const version = fn.versions?.get(qualifier);
  if (version !== undefined) return { target: version, invokedArn, grants, loops };
  const alias = fn.aliases?.get(qualifier);
  if (alias === undefined) return null;
  return { target: chooseVersion(alias, invokedArn, random, headers), invokedArn, grants, loops };
}

/** The URL of a function or one of its aliases. @param alias null = the function without a qualifier */
export function urlOf(fn: RoutedFunction, alias: string | null): RoutedUrl | null {
  return alias === null ? fn.http : (fn.aliases?.get(alias)?.http ?? null);
}

function latestOf(fn: RoutedFunction): Target {
  if (fn.latest !== null) return fn.latest;
  const why = fn.stateReason === '' ? '' : ` (${fn.stateReason})`;
  throw new ResourceConflict(
    `The operation cannot be performed at this time. The function is currently in the following state: ${fn.state}${why}`,
  );
}
