import { createHash } from 'node:crypto';
import { accountIdLabel } from './labels.ts';

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
