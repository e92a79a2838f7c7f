/** Who asks a registry. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Credentials for a registry from pull secrets (`kubernetes.io/dockerconfigjson`); null = none of them is for it. A secret that cannot be
 * read counts as one without entries: the kubelet says the same of it.
 *
 * @param dockerConfigs contents of `.dockerconfigjson`
 */
export function findCredentials(dockerConfigs: readonly string[], registry: string): RegistryCredentials | null {
  for (const text of dockerConfigs) {
    for (const [key, entry] of Object.entries(authsOf(text))) {
      const found = hostOf(key) === registry ? credentialsOf(entry) : null;
      if (found !== null) return found;
    }
  }
  return null;
}

function authsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const config: unknown = JSON.parse(text);
    const auths = isRecord(config) ? config['auths'] : undefined;
    return isRecord(auths) ? auths : {};
  } catch {
    return {};
  }
}

/** Keys are hosts, or addresses as Docker writes them: `https://index.docker.io/v1/` is Docker Hub. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

function credentialsOf(entry: unknown): RegistryCredentials | null {
  if (!isRecord(entry)) return null;
  const { username, password, auth } = entry;
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  const decoded = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString() : '';
  const at = decoded.indexOf(':');
  return at < 1 ? null : { username: decoded.slice(0, at), password: decoded.slice(at + 1) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
