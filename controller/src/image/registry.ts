import { hash } from 'node:crypto';
import type { ImageReference } from './reference.ts';
import type { RegistryCredentials } from './registry-credentials.ts';
import type { RegistryGet, RegistryResponse } from './registry-http.ts';

/** What a registry says of an image. */
export interface ImageFacts {
  /** Of the manifest that the name leads to, or of the list of manifests for several platforms; hex digits. */
  readonly sha256: string;
  /** ENTRYPOINT of the image; empty = none. */
  readonly entryPoint: readonly string[];
  /** CMD of the image; empty = none. */
  readonly command: readonly string[];
}

/** Why an image cannot be had: reasons are Lambda's, but for `FetchFailed`, which may be over in a moment. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly reason: 'InvalidImage' | 'ImageAccessDenied' | 'FetchFailed';
  constructor(reason: RegistryRefusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What a registry is asked with. */
export interface RegistryAccess {
  readonly get: RegistryGet;
  /** Where the API of a registry is, e.g. `https://registry.example`. */
  readonly originOf: (registry: string) => string;
  readonly credentials: RegistryCredentials | null;
}

const indexTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const accept = [
  ...indexTypes,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const maxRedirects = 3;
/** A Function's status has room for 1,024 characters, with the name of the image and what is said around it. */
const maxMessageChars = 400;

/**
 * Asks a registry what an image is: its digest, and what it starts. Nothing of its files is read. Everything that is used is what its digest
 * says.
 *
 * @param architecture as images name it: `amd64`, `arm64`
 * @throws RegistryRefusal
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export async function describeImage(
  image: ImageReference,
  architecture: string,
  access: RegistryAccess,
): Promise<ImageFacts> {
  const registry = new Registry(image, access);
  const first = await registry.manifest(image.sha256 === null ? (image.tag ?? 'latest') : `sha256:${image.sha256}`);
  const manifest = isIndex(first) ? await registry.manifest(pickPlatform(first.content, architecture)) : first;
  const { config } = await registry
    .json(`blobs/${digestOf(manifest.content['config'])}`)
    .then(({ content }) => content);
  const settings = isRecord(config) ? config : {};
  const entryPoint = words('ENTRYPOINT', settings['Entrypoint']);
  return { sha256: first.sha256, entryPoint, command: words('CMD', settings['Cmd']) };
}

interface Document {
  readonly sha256: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly mediaType: string;
}

function isIndex({ content, mediaType }: Document): boolean {
  return indexTypes.has(mediaType) || Array.isArray(content['manifests']);
}

function pickPlatform(index: Document['content'], architecture: string): string {
  const entries: readonly unknown[] = Array.isArray(index['manifests']) ? index['manifests'] : [];
  const found = entries.find((entry) => {
    const platform = isRecord(entry) ? entry['platform'] : undefined;
    return isRecord(platform) && platform['os'] === 'linux' && platform['architecture'] === architecture;
  });
  if (found === undefined) throw new RegistryRefusal('InvalidImage', `has no image for linux/${architecture}`);
  return digestOf(found);
}

function digestOf(descriptor: unknown): string {
  const digest = isRecord(descriptor) ? descriptor['digest'] : undefined;
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new RegistryRefusal('InvalidImage', 'has a manifest without the digests that are needed');
}

/** One conversation with a registry about one repository: who was let in once, stays so. */
class Registry {
  readonly #image: ImageReference;
  readonly #access: RegistryAccess;
  readonly #origin: string;
  #authorization: string | null = null;

  constructor(image: ImageReference, access: RegistryAccess) {
    this.#image = image;
    this.#access = access;
    this.#origin = new URL(access.originOf(image.registry)).origin; // without a usual port, as a URL says its own
  }

  manifest(name: string): Promise<Document> {
    return this.json(`manifests/${name}`);
  }

  /** A document by tag or digest; one by digest is checked against it. */
  async json(path: string): Promise<Document> {
    const { body, headers } = await this.#read(path);
    const sha256 = hash('sha256', body, 'hex');
    const wanted = /sha256:([0-9a-f]{64})$/.exec(path)?.[1] ?? sha256;
    if (wanted !== sha256)
      throw new RegistryRefusal('InvalidImage', `has other contents at ${path} than its digest says`);
    try {
      const content: unknown = JSON.parse(body.toString());
      if (isRecord(content)) return { sha256, content, mediaType: (headers['content-type'] ?? '').split(';')[0] ?? '' };
    } catch {
      // said below
    }
    throw new RegistryRefusal('InvalidImage', `has something at ${path} that is no manifest`);
  }

  async #read(path: string): Promise<RegistryResponse> {
    const url = new URL(`/v2/${this.#image.repository}/${path}`, this.#origin);
    const first = await this.#ask(url);
    let { answer } = first;
    if (answer.status === 401 && this.#authorization === null && first.isHere) {
      this.#authorization = await this.#logIn(answer.headers['www-authenticate'] ?? '');
      ({ answer } = await this.#ask(url));
    }
    if (answer.status === 200) return answer;
    throw refusalOf(answer, this.#access.credentials !== null);
  }

  /** Contents may lie elsewhere; who is asked there does not get to know the credentials, nor may say where to bring them. */
  async #ask(url: URL): Promise<{ readonly answer: RegistryResponse; readonly isHere: boolean }> {
    let at = url;
    for (let hop = 0; ; hop += 1) {
      const isHere = at.origin === this.#origin;
      const authorization = isHere && this.#authorization !== null ? { authorization: this.#authorization } : {};
      const answer = await this.#get(at, { accept, ...authorization });
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status >= 400 || location === undefined || hop === maxRedirects)
        return { answer, isHere };
      at = new URL(location, at);
    }
  }

  /** @param challenge value of WWW-Authenticate @see https://distribution.github.io/distribution/spec/auth/token/ */
  async #logIn(challenge: string): Promise<string | null> {
    const { credentials } = this.#access;
    const basic =
      credentials === null
        ? null
        : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
    if (!/^bearer /i.test(challenge)) return basic;
    const parameter = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
    const realm = parameter('realm');
    if (!URL.canParse(realm)) throw new RegistryRefusal('FetchFailed', 'asks for a token from nowhere');
    const url = new URL(realm);
    url.searchParams.set('service', parameter('service'));
    url.searchParams.set('scope', `repository:${this.#image.repository}:pull`);
    const answer = await this.#get(url, basic === null ? {} : { authorization: basic });
    if (answer.status !== 200) throw refusalOf(answer, credentials !== null);
    return `Bearer ${tokenOf(answer.body)}`;
  }

  async #get(url: URL, headers: Readonly<Record<string, string>>): Promise<RegistryResponse> {
    try {
      return await this.#access.get(url, headers);
    } catch (error) {
      throw new RegistryRefusal(
        'FetchFailed',
        `cannot be asked for: ${error instanceof Error ? error.message : error}`.slice(0, maxMessageChars),
      );
    }
  }
}

function refusalOf({ status }: RegistryResponse, hasCredentials: boolean): RegistryRefusal {
  if (status === 404) return new RegistryRefusal('InvalidImage', 'does not exist');
  if (status === 401 || status === 403) {
    const message = hasCredentials
      ? 'may not be read with the pull secret of this install'
      : 'may not be read: this install has no pull secret for its registry, or it does not exist';
    return new RegistryRefusal('ImageAccessDenied', message);
  }
  return new RegistryRefusal('FetchFailed', `cannot be asked for: its registry answered ${status}`);
}

function tokenOf(body: Buffer): string {
  try {
    const answer: unknown = JSON.parse(body.toString());
    const token = isRecord(answer) ? (answer['token'] ?? answer['access_token']) : undefined;
    if (typeof token === 'string') return token;
  } catch {
    // said below
  }
  throw new RegistryRefusal('FetchFailed', 'cannot be asked for: its registry gave no token');
}

/** As much as a FunctionVersion has room for: words, and characters of each. */
const maxWords = 200;
const maxWordChars = 4096;

function words(name: string, value: unknown): readonly string[] {
  const found = Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
  const longest = Math.max(0, ...found.map(({ length }) => length));
  if (found.length > maxWords)
    throw new RegistryRefusal('InvalidImage', `has ${found.length} words in its ${name}, at most ${maxWords} are kept`);
  if (longest > maxWordChars)
    throw new RegistryRefusal(
      'InvalidImage',
      `has a word of ${longest} characters in its ${name}, at most ${maxWordChars} are kept`,
    );
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
