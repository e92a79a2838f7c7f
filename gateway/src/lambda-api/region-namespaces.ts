import { accountIdOf, defaultAccountId, defaultNamespaceIn } from '@kappa/crds/accounts';
import { isAlreadyExists } from '@kappa/crds/client/errors';
import { namespaces } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { accountIdLabel, regionLabel } from '@kappa/crds/labels';

import { InvalidParameterValue, ServiceException } from '../errors.ts';

/** Whoever calls may name regions: there is an end to them. */
const MAX_REGIONS = 40;

/** What {@link regionNamespaces} works with. */
export interface RegionNamespacesDeps {
  readonly kubernetes: Pick<Kubernetes, 'create' | 'get'>;
  /** Whether account 000000000000 has a namespace in the region, as far as is known. */
  readonly isThere: (region: string) => Promise<boolean>;
}

/**
 * Makes the namespace that account 000000000000 has in a region which is not the install's own, where there is none.
 *
 * @returns resolves when there is one @throws LambdaError when the cluster does not let the gateway make it, another one has its name, or there are
 *   too many
 */
export function regionNamespaces({ kubernetes, isThere }: RegionNamespacesDeps): (region: string) => Promise<void> {
  const made = new Set<string>();
  return async (region) => {
    if (await isThere(region)) return;
    const isNew = !made.has(region);
    if (isNew && made.size >= MAX_REGIONS)
      throw new InvalidParameterValue(`This gateway keeps ${MAX_REGIONS} regions apart, and '${region}' is one more.`);
    made.add(region); // counts before it is made: others are made meanwhile
    try {
      await make(kubernetes, region);
    } catch (err) {
      if (isNew) made.delete(region);
      throw err;
    }
  };
}

async function make(kubernetes: RegionNamespacesDeps['kubernetes'], region: string): Promise<void> {
  const name = defaultNamespaceIn(region);
  const labels = { [regionLabel]: region, [accountIdLabel]: defaultAccountId };
  try {
    await kubernetes.create(namespaces, { metadata: { name, labels } });
  } catch (err) {
    if (!isAlreadyExists(err)) throw cannot(region, err);
    const { metadata } = await kubernetes.get(namespaces, null, name).catch((cause: unknown) => {
      throw cannot(region, cause);
    });
    if (metadata.labels[regionLabel] !== region || accountIdOf(name, metadata.labels) !== defaultAccountId)
      throw isOther(region, name);
  }
}

function cannot(region: string, cause: unknown): ServiceException {
  const message = `The namespace for region '${region}' could not be made. Use the install's own region, or have a Namespace made with the labels ${regionLabel}=${region} and ${accountIdLabel}=${defaultAccountId}.`;
  return new ServiceException(message, { cause });
}

function isOther(region: string, name: string): InvalidParameterValue {
  return new InvalidParameterValue(
    `The Namespace ${name} is not region '${region}' of account ${defaultAccountId}. Use the install's own region, or have a Namespace labelled ${regionLabel}=${region} and ${accountIdLabel}=${defaultAccountId}.`,
  );
}
