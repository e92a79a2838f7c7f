import type { IncomingHttpHeaders } from 'node:http';

import type { FunctionReference } from '@kappa/crds/names';
import { InvalidParameterValue, ResourceNotFound } from '../errors.ts';
import { type Functions, type Resolved, resolveQualifier } from '../registry/functions.ts';
import { LATEST, type RoutedFunction } from '../registry/routing.ts';
import { noHeaders } from '../registry/split.ts';
import { joinQualifiers, readFunctionName, requireRegion } from './function-name.ts';

/** What the resolver of function names is made with. */
export interface ResolveDeps {
  readonly functions: Functions;
  readonly region: string;
  /** Account of a plain name. */
  readonly defaultAccountId: string;
  readonly arnOf: (accountId: string, functionName: string) => string;
  /** 0..1, for aliases with weights. */
  readonly random: () => number;
}

/**
 * The version that an Invoke means: name, partial ARN or ARN in the path, qualifier there or in the query.
 *
 * @returns a function of label (still percent-encoded), query, the caller's own account and the call's headers; it throws ResourceNotFound, ResourceConflict or
 * InvalidParameterValue
 */
export function functionResolver(
  deps: ResolveDeps,
): (
  label: string,
  query: string,
  ownAccountId?: string,
  headers?: IncomingHttpHeaders,
) => Resolved | Promise<Resolved> {
  return (label, query, ownAccountId = deps.defaultAccountId, headers = noHeaders) => {
    const reference = referenceOf(label);
    const qualifier = qualifierOf(reference, query);
    requireRegion(reference, deps.region);
    const accountId = reference.accountId ?? ownAccountId;
    const finish = (fn: RoutedFunction | undefined): Resolved => {
      const found = fn === undefined ? null : resolveQualifier(fn, qualifier, deps.random, headers);
      if (found !== null) return found;
      const arn = deps.arnOf(accountId, reference.name);
      throw new ResourceNotFound(`Function not found: ${arn}:${qualifier ?? LATEST}`);
    };
    const fn = deps.functions.byName(accountId, reference.name);
    return fn instanceof Promise ? fn.then(finish) : finish(fn);
  };
}

/** @throws InvalidParameterValue when the label is no reference to a function */
function referenceOf(label: string): FunctionReference {
  return readFunctionName(decode(label) ?? label);
}

/** null = the percent-encoding is broken. */
function decode(label: string): string | null {
  if (!label.includes('%')) return label;
  try {
    return decodeURIComponent(label);
  } catch {
    return null;
  }
}

/** @throws InvalidParameterValue when path and query disagree, or it is not a qualifier */
function qualifierOf(reference: FunctionReference, query: string): string | null {
  const asked = query === '' ? null : new URLSearchParams(query).get('Qualifier');
  const qualifier = joinQualifiers(reference, asked);
  if (asked === null || asked === '') return qualifier;
  if (asked.length > 128 || !/^[a-zA-Z0-9$_.-]+$/.test(asked)) {
    const shown = asked.slice(0, 130);
    throw new InvalidParameterValue(
      `1 validation error detected: Value '${shown}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9$_.-]{1,128}`,
    );
  }
  return qualifier;
}
