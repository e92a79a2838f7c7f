import type { AliasRoutingConfiguration } from '@aws-sdk/client-lambda';
import type { AliasObject } from '@kappa/crds/alias';

import { InvalidParameterValue } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';

type Additional = NonNullable<AliasObject['spec']['additionalVersion']>;

/**
 * The second version that a request gives a share of the calls.
 *
 * @param version that the alias means
 * @returns null = none
 * @throws InvalidParameterValue for what Lambda refuses, and for shares that are no whole percents
 */
export function additionalOf(version: string, routing: AliasRoutingConfiguration | undefined): Additional | null {
  const [first, ...more] = Object.entries(routing?.AdditionalVersionWeights ?? {});
  if (first === undefined) return null;
  const [functionVersion, weight] = first;
  if (more.length > 0)
    throw new InvalidParameterValue('Number of items in AdditionalVersionWeights cannot be greater than 1');
  if (version === LATEST || functionVersion === LATEST)
    throw new InvalidParameterValue('$LATEST is not supported for an alias pointing to more than 1 version');
  if (functionVersion === version)
    throw new InvalidParameterValue(
      `Invalid function version ${functionVersion}. Function version ${functionVersion} is already included in routing configuration.`,
    );
  const weightPercent = Math.round(weight * 100);
  if (Math.abs(weight * 100 - weightPercent) > 1e-9)
    throw new InvalidParameterValue(`The weight ${weight} is not a whole percent: this install takes 0.00 to 1.00.`);
  return { functionVersion, weightPercent };
}

/** The same as Lambda's API says it. */
export function routingConfig(additional: Additional | undefined): { RoutingConfig?: AliasRoutingConfiguration } {
  if (additional === undefined) return {};
  const { functionVersion, weightPercent } = additional;
  return { RoutingConfig: { AdditionalVersionWeights: { [functionVersion]: weightPercent / 100 } } };
}
