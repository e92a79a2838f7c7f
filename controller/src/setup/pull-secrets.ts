import { isNotFound } from '@kappa/crds/client/errors';
import { secrets } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

/**
 * Copies a Secret for private registries to where pool pods find it: a pod uses those of its own namespace only. A copy that is
 * there is brought up to date.
 *
 * @returns false when there is none of that name; one that somebody made in the other namespace then stays as it is
 */
export async function copySecret(
  kubernetes: Pick<Kubernetes, 'get' | 'apply'>,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  try {
    const { type, data } = await kubernetes.get(secrets, from, name);
    const labels = { 'app.kubernetes.io/part-of': 'kappa', 'app.kubernetes.io/managed-by': 'kappa-setup' };
    const content = { ...(type !== undefined && { type }), ...(data !== undefined && { data }) };
    await kubernetes.apply(secrets, { metadata: { name, namespace: to, labels }, ...content }, 'kappa-setup');
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
