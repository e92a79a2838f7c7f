import type { ImageReference } from './reference.ts';

/** Who asks a registry. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Credentials for an image from pull secrets (`kubernetes.io/dockerconfigjson`), in the order in which they are tried, as the kubelet does:
 * those of the longest path first, where `*` and `?` stand for any characters of one part of a host. Empty = none is for it. A secret that
 * cannot be read counts as one without entries: the kubelet says the same of it.
 *
 * @param dockerConfigs contents of `.dockerconfigjson`
 * @see https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function findCredentials(
  dockerConfigs: readonly string[],
  { registry, repository }: Pick<ImageReference, 'registry' | 'repository'>,
): readonly RegistryCredentials[] {
  return dockerConfigs
    .flatMap((text) => Object.entries(authsOf(text)))
    .map(([key, entry]) => ({ ...parseKey(key), entry }))
    .filter(({ host, path }) => isHost(host, registry) && `/${repository}`.startsWith(path))
    .sort((a, b) => b.path.length - a.path.length)
    .flatMap(({ entry }) => credentialsOf(entry) ?? []);
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

/** Keys are hosts, with a path or without, or addresses as Docker writes them: `https://index.docker.io/v1/` is Docker Hub. */
function parseKey(key: string): { readonly host: string; readonly path: string } {
  const [, host = '', path = ''] = /^(?:https?:\/\/)?([^/]*)(.*)$/.exec(key) ?? [];
  const isHub = host === 'index.docker.io' || host === 'registry-1.docker.io';
  return { host: isHub ? 'docker.io' : host, path: path.replace(/^\/v[12](?=\/)/, '') };
}

/** Parts of a name are compared one by one, the port as it is written. */
function isHost(pattern: string, registry: string): boolean {
  const [patternParts, parts] = [pattern, registry].map((host) => host.split('.'));
  if (patternParts === undefined || parts === undefined || patternParts.length !== parts.length) return false;
  return patternParts.every((part, index) => isPart(part, parts[index] ?? ''));
}

function isPart(pattern: string, part: string): boolean {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '[^:]*').replaceAll('?', '[^:]')}$`).test(part);
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
