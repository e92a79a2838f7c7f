import { createHash } from 'node:crypto';
import { accountIdLabel, regionLabel } from './labels.ts';

/** The account that the namespace `default` is. */
export const defaultAccountId = '000000000000';

/**
 * The account that a namespace is: its label `kappa.dev/account-id` when that has 12 digits, else 000000000000 for
 * `default`, else 12 digits made from the name's SHA-256 (the same on every gateway and after every restart; never
 * 000000000000; two namespaces meet with a chance of 1 in 10¹², label them when that matters).
 *
 * @param labels labels of the Namespace object; none when it is not known
 */
export function accountIdOf(namespace: string, labels: Readonly<Record<string, string>> = {}): string {
  const label = labels[accountIdLabel];
  if (label !== undefined && /^\d{12}$/.test(label)) return label;
  if (namespace === 'default') return defaultAccountId;
  const digest = createHash('sha256').update(namespace).digest().readBigUInt64BE();
  return String((digest % 999_999_999_999n) + 1n).padStart(12, '0');
}

/** Form of a region's name. */
export const regionPattern = /^[a-z]{2}(-[a-z]+)+-\d$/;

/**
 * The region of a namespace that is another one than the install's, by its label `kappa.dev/region`; undefined = it is in the install's own.
 *
 * @param labels labels of the Namespace object
 */
export function otherRegionOf(labels: Readonly<Record<string, string>>, ownRegion: string): string | undefined {
  const label = labels[regionLabel];
  return label !== undefined && label !== ownRegion && regionPattern.test(label) ? label : undefined;
}

/** The namespace that account 000000000000 has in a region which is not the install's, unless another one is labelled so. */
export function defaultNamespaceIn(region: string): string {
  return `default-${region}`;
}

/** What tells the accounts of all regions apart: the account in the install's own region, else both. @param region undefined = the install's */
export function placeOf(accountId: string, region: string | undefined): string {
  return region === undefined ? accountId : `${accountId} ${region}`;
}
