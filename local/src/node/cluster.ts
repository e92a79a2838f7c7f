import { isConflict, isNotFound } from '@kappa/crds/client/errors';
import { configMaps, pods, secrets } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { ReadKeys } from './environment.ts';
import type { PodApi } from './node.ts';
import { type PodView, projectPod } from './pod.ts';

/** Field manager of everything the node writes. */
export const fieldManager = 'kappa-node';

/** The node's door to the API. A pod that is gone meanwhile, or was replaced under its name, is never an error. */
export function makePodApi(kubernetes: Kubernetes): PodApi {
  return {
    async bind(pod, nodeName) {
      // The version makes the first of two nodes win: a pod that somebody else has bound is refused here.
      const metadata = { uid: pod.uid, resourceVersion: pod.resourceVersion };
      const bound = await unlessGone(kubernetes.patch(pods, pod.namespace, pod.name, { metadata, spec: { nodeName } }));
      return bound === null ? null : projectPod(bound);
    },
    async writeStatus(pod, status) {
      const patch = { metadata: { uid: pod.uid }, status };
      await unlessGone(kubernetes.patch(pods, pod.namespace, pod.name, patch, { subresource: 'status' }));
    },
    async remove(pod) {
      const options = { preconditionUid: pod.uid, graceSeconds: 0 };
      await unlessGone(kubernetes.delete(pods, pod.namespace, pod.name, options));
    },
    warn(pod, reason, message) {
      void kubernetes.event(referenceTo(pod), { type: 'Warning', reason, message });
    },
  };
}

/** Reads ConfigMaps and Secrets for the variables of pods. */
export function makeReadKeys(kubernetes: Kubernetes): ReadKeys {
  return async (kind, namespace, name) => {
    if (kind === 'configMap') return (await unlessGone(kubernetes.get(configMaps, namespace, name)))?.data ?? null;
    const secret = await unlessGone(kubernetes.get(secrets, namespace, name));
    if (secret === null) return null;
    const decoded = Object.entries(secret.data ?? {}).map(([key, value]) => [key, fromBase64(value)]);
    return Object.fromEntries(decoded);
  };
}

function referenceTo({ namespace, name, uid }: PodView) {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

async function unlessGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return null;
    throw error;
  }
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
