import { type FunctionReference, parseFunctionReference } from '@kappa/crds/names';
import { InvalidParameterValue, LambdaError } from '../errors.ts';

/**
 * Reads what a caller wrote where Lambda's API wants a function.
 *
 * @param text percent-decoded
 * @throws InvalidParameterValue when it is no reference to a function
 */
export function readFunctionName(text: string): FunctionReference {
  const reference = parseFunctionReference(text);
  if (reference !== null) return reference;
  throw new InvalidParameterValue(
    `1 validation error detected: Value '${text.slice(0, 200)}' at 'functionName' failed to satisfy constraint: Member must be a function name, a partial ARN or an ARN, with a qualifier or without one`,
  );
}

/**
 * The qualifier of a request: that of the function's name, or that of the query.
 *
 * @param asked of the query; null or empty = none
 * @throws InvalidParameterValue when the two disagree
 */
export function joinQualifiers({ qualifier }: FunctionReference, asked: string | null): string | null {
  const derived = qualifier ?? null;
  if (asked === null || asked === '') return derived;
  if (derived === null || derived === asked) return asked;
  throw new InvalidParameterValue(
    'The derived qualifier from the function name does not match the specified qualifier.',
  );
}

/** @throws LambdaError ResourceNotFound for the ARN of another region */
export function requireRegion({ region: named }: Pick<FunctionReference, 'region'>, region: string): void {
  if (named === undefined || named === region) return;
  throw new LambdaError(
    'ResourceNotFoundException',
    `Functions from '${named}' are not reachable in this region ('${region}')`,
    { status: 404, fault: 'caller' },
  );
}
