/** Name of an image, taken apart. */
export interface ImageReference {
  /** Host and port as names say it, e.g. `docker.io` or `registry.example:5000`. */
  readonly registry: string;
  /** Path in the registry, e.g. `library/python`. */
  readonly repository: string;
  /** `latest` when neither tag nor digest is given; null = only a digest is. */
  readonly tag: string | null;
  /** Hex digits of a sha256; null = none is given. */
  readonly sha256: string | null;
}

const hostPattern = /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?$/;
const pathPattern = /^[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Reads the name of an image; null when it is none. A first part without a dot, a colon or the name `localhost` belongs to Docker Hub.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 */
export function parseImageReference(uri: string): ImageReference | null {
  const [name = '', digest, ...more] = uri.split('@');
  const sha256 = digest === undefined ? null : (/^sha256:([0-9a-f]{64})$/.exec(digest)?.[1] ?? '');
  const [, untagged = name, tag] = /^(.*):([^/]*)$/.exec(name) ?? [];
  const { registry, repository } = splitHost(untagged);
  const isName = hostPattern.test(registry) && pathPattern.test(repository);
  const isTag = tag === undefined || tagPattern.test(tag);
  if (!isName || !isTag || sha256 === '' || more.length > 0) return null;
  return { registry, repository, tag: tag ?? (sha256 === null ? 'latest' : null), sha256 };
}

function splitHost(name: string): Pick<ImageReference, 'registry' | 'repository'> {
  const [first = '', ...rest] = name.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (hasHost) return { registry: first, repository: rest.join('/') };
  return { registry: 'docker.io', repository: rest.length === 0 ? `library/${name}` : name };
}

/** Repository with digest: names one image for ever. */
export function pinnedReference({ registry, repository }: ImageReference, sha256: string): string {
  return `${registry}/${repository}@sha256:${sha256}`;
}
