import { type FunctionReference, parseFunctionReference } from '@kappa/crds/names';
import { InvalidParameterValue, LambdaError, ResourceNotFound } from '../errors.ts';
import { type Functions, type Resolved, resolveQualifier } from '../registry/functions.ts';
import { LATEST, type RoutedFunction } from '../registry/routing.ts';

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
 * @returns a function of label (still percent-encoded) and query; it throws ResourceNotFound, ResourceConflict or
 * InvalidParameterValue
 */
export function functionResolver(deps: ResolveDeps): (label: string, query: string) => Resolved | Promise<Resolved> {
  return (label, query) => {
    const reference = referenceOf(label);
    const qualifier = qualifierOf(reference, query);
    checkRegion(reference, deps.region);
    const accountId = reference.accountId ?? deps.defaultAccountId;
    const finish = (fn: RoutedFunction | undefined): Resolved => {
      const found = fn === undefined ? null : resolveQualifier(fn, qualifier, deps.random);
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
  const text = decode(label);
  const reference = text === null ? null : parseFunctionReference(text);
  if (reference !== null) return reference;
  const shown = (text ?? label).slice(0, 200);
  throw new InvalidParameterValue(
    `1 validation error detected: Value '${shown}' at 'functionName' failed to satisfy constraint: Member must be a function name, a partial ARN or an ARN, with a qualifier or without one`,
  );
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
  const derived = reference.qualifier ?? null;
  if (asked === null || asked === '') return derived;
  if (derived !== null && derived !== asked) {
    throw new InvalidParameterValue(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
  if (asked.length > 128 || !/^[a-zA-Z0-9$_.-]+$/.test(asked)) {
    const shown = asked.slice(0, 130);
    throw new InvalidParameterValue(
      `1 validation error detected: Value '${shown}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9$_.-]{1,128}`,
    );
  }
  return asked;
}

function checkRegion(reference: FunctionReference, region: string): void {
  if (reference.region === undefined || reference.region === region) return;
  throw new LambdaError(
    'ResourceNotFoundException',
    `Functions from '${reference.region}' are not reachable in this region ('${region}')`,
    { status: 404, fault: 'caller' },
  );
}
