import { defaultAccountId, defaultNamespaceIn } from '@kappa/crds/accounts';
import { isAlreadyExists } from '@kappa/crds/client/errors';
import { namespaces } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { accountIdLabel, regionLabel } from '@kappa/crds/labels';

import { InvalidParameterValue, ServiceException } from '../errors.ts';

/** Whoever calls may name regions: there is an end to them. */
const MAX_REGIONS = 40;

/**
 * Makes the namespace that account 000000000000 has in a region which is not the install's own.
 *
 * @returns resolves when there is one @throws LambdaError when the cluster does not let the gateway make it, or there are too many
 */
export function regionNamespaces(kubernetes: Pick<Kubernetes, 'create'>): (region: string) => Promise<void> {
  const made = new Set<string>();
  return async (region) => {
    if (made.has(region)) return;
    if (made.size >= MAX_REGIONS)
      throw new InvalidParameterValue(`This gateway keeps ${MAX_REGIONS} regions apart, and '${region}' is one more.`);
    const labels = { [regionLabel]: region, [accountIdLabel]: defaultAccountId };
    try {
      await kubernetes.create(namespaces, { metadata: { name: defaultNamespaceIn(region), labels } });
    } catch (err) {
      if (!isAlreadyExists(err)) throw cannot(region, err);
    }
    made.add(region);
  };
}

function cannot(region: string, cause: unknown): ServiceException {
  const message = `The namespace for region '${region}' could not be made. Use the install's own region, or have a Namespace made with the label ${regionLabel}=${region}.`;
  return new ServiceException(message, { cause });
}
