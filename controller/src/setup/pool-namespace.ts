import { isNotFound } from '@kappa/crds/client/errors';
import { namespaces } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { Waiting } from './waiting.ts';

/**
 * Waits while a namespace of that name is being deleted: what would be installed into it would be refused.
 *
 * @throws Error when it is still there in the end
 */
export async function waitWhileTerminating(
  kubernetes: Pick<Kubernetes, 'get'>,
  name: string,
  waiting: Waiting,
): Promise<void> {
  await waiting.until(`the namespace ${name} of an earlier install is gone`, async () => {
    try {
      return (await kubernetes.get(namespaces, null, name)).status?.phase !== 'Terminating';
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  });
}
