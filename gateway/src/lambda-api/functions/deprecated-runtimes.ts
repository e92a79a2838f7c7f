import { InvalidParameterValue } from '../../errors.ts';

/** Runtimes that no new function may have, and no function that had another one: as of the day that runtime-images/runtimes.yaml names. */
export const blockedForNew: ReadonlySet<string> = new Set([
  'nodejs20.x',
  'python3.9',
  'ruby3.2',
  'provided.al2',
  'provided',
]);

/** Those of them whose functions cannot be changed either, but for getting another runtime. */
export const blockedForUpdates: ReadonlySet<string> = blockedForNew;

/**
 * Refuses what Lambda refuses of deprecated runtimes. Functions that have one run on.
 *
 * @param before of the function so far; of a new one any that is not blocked
 * @param wanted what it is to have
 * @throws LambdaError InvalidParameterValueException
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
 */
export function checkDeprecated(before: string, wanted: string): void {
  if (!(before === wanted ? blockedForUpdates : blockedForNew).has(wanted)) return;
  throw new InvalidParameterValue(
    `The runtime parameter of ${wanted} is no longer supported for creating or updating AWS Lambda functions. ` +
      'We recommend you use a supported runtime while creating or updating functions.',
  );
}
