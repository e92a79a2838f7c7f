import { isNotFound } from '@kappa/crds/client/errors';
import { configMaps, secrets } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import type { KnownSourcesDeps, SourceRef } from './known-sources.ts';

/** Reads Secrets and ConfigMaps by name; null when there is none. */
export function sourceReader(kubernetes: Pick<Kubernetes, 'get'>): KnownSourcesDeps['read'] {
  return async (ref) => {
    try {
      return ref.kind === 'Secret' ? await readSecret(kubernetes, ref) : await readConfigMap(kubernetes, ref);
    } catch (err) {
      if (isNotFound(err)) return null;
      throw err;
    }
  };
}

type Values = Readonly<Record<string, string>>;

async function readSecret(kubernetes: Pick<Kubernetes, 'get'>, { namespace, name }: SourceRef): Promise<Values> {
  const { data = {} } = await kubernetes.get(secrets, namespace, name);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

async function readConfigMap(kubernetes: Pick<Kubernetes, 'get'>, { namespace, name }: SourceRef): Promise<Values> {
  const { data = {} } = await kubernetes.get(configMaps, namespace, name);
  return data;
}
