import type { FunctionEnvironmentEntry } from '@kappa/crds/function';
import { environmentMaxBytes, reservedVariables } from '@kappa/crds/limits';

import { InvalidParameterValue } from '../../errors.ts';

/**
 * The variables of a request as entries. They take the place of all literal ones; an entry that refers to a Secret or ConfigMap, which
 * Lambda's API cannot say, stays unless the request has one of that name.
 *
 * @throws InvalidParameterValue for reserved names, and above 4 KiB; in Lambda's words
 */
export function environmentEntries(
  variables: Readonly<Record<string, string>>,
  before: readonly FunctionEnvironmentEntry[],
): readonly FunctionEnvironmentEntry[] {
  const names = Object.keys(variables);
  const reserved = names.filter((name) => reservedVariables.includes(name) || name.startsWith('KAPPA_'));
  const unable =
    'Lambda was unable to configure your environment variables because the environment variables you have provided';
  if (reserved.length > 0)
    throw new InvalidParameterValue(
      `${unable} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  const measured = JSON.stringify(variables);
  if (names.length > 0 && Buffer.byteLength(measured) > environmentMaxBytes)
    throw new InvalidParameterValue(`${unable} exceeded the 4KB limit. String measured: ${measured}`);
  const references = before.filter(({ name, valueFrom }) => valueFrom !== undefined && !names.includes(name));
  return [...Object.entries(variables).map(([name, value]) => ({ name, value })), ...references];
}

/** The literal variables, as Lambda's API shows them. What stands in Secrets is not told. */
export function literalVariables(entries: readonly { readonly name: string; readonly value?: string }[]) {
  return Object.fromEntries(entries.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}
