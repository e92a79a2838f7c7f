import { isNotFound } from '@kappa/crds/client/errors';
import { secrets } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { describeImage, RegistryRefusal } from './registry.ts';
import { findCredentials, type RegistryCredentials } from './registry-credentials.ts';
import { registryGet } from './registry-http.ts';
import type { ImageSources } from './resolve-image.ts';

/** What {@link imageSources} is given. */
export interface ImageSourcesDeps {
  readonly kubernetes: Pick<Kubernetes, 'get'>;
  /** Pods can run images here. */
  readonly isSupported: boolean;
  /** Where the pull secrets are, and their names. */
  readonly namespace: string;
  readonly pullSecrets: readonly string[];
  /** Origins of registries that may be private and plain http, e.g. `http://registry.local:5000`. */
  readonly registries: readonly string[];
  /** For all that is asked about one image, milliseconds. */
  readonly timeoutMs: number;
}

/** Asks registries with the pull secrets that the pods have, too: what one can read, the other can. */
export function imageSources({
  kubernetes,
  isSupported,
  namespace,
  pullSecrets,
  registries,
  timeoutMs,
}: ImageSourcesDeps): ImageSources {
  const getUntil = registryGet({ origins: registries });
  const readSecret = async (name: string): Promise<string> => {
    try {
      const { data } = await kubernetes.get(secrets, namespace, name);
      return Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    } catch (error) {
      if (isNotFound(error)) return '';
      throw error;
    }
  };
  return {
    isSupported,
    describe: async (image, architecture) => {
      const get = getUntil(AbortSignal.timeout(timeoutMs));
      const configs = await Promise.all(pullSecrets.map(readSecret));
      const ask = (credentials: RegistryCredentials | null) =>
        describeImage(image, architecture, { get, originOf: originsOf(registries), credentials });
      return askInTurn(findCredentials(configs, image), ask);
    },
  };
}

/** Who is not let in by one entry of the pull secrets tries the next one. */
async function askInTurn<T>(
  candidates: readonly RegistryCredentials[],
  ask: (credentials: RegistryCredentials | null) => Promise<T>,
): Promise<T> {
  const [first = null, ...others] = candidates;
  try {
    return await ask(first);
  } catch (error) {
    const isDenied = error instanceof RegistryRefusal && error.reason === 'ImageAccessDenied';
    if (!isDenied || others.length === 0) throw error;
    return askInTurn(others, ask);
  }
}

/** Docker Hub has its API elsewhere than its name says. */
function originsOf(registries: readonly string[]): (registry: string) => string {
  return (registry) => {
    if (registry === 'docker.io') return 'https://registry-1.docker.io';
    const isIts = (origin: string) => new URL(`${new URL(origin).protocol}//${registry}`).origin === origin;
    return registries.find(isIts) ?? `https://${registry}`;
  };
}
