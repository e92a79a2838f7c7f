import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the nodes of the tests' own cluster look for a registry without TLS. @see e2e/cluster/src/node-files.ts */
export const registryPort = 5000;

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly mediaType: string }[];
}

interface ImageDocument {
  readonly config: object;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

interface Repository {
  readonly directory: string;
  /** Digests by tag. */
  readonly tags: Map<string, string>;
}

/**
 * A registry that gives what OCI archives hold, as far as a pull asks for it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
 */
export class ImageRegistry {
  /** As names of images say it. */
  readonly host: string;
  readonly #server: Server;
  readonly #repositories = new Map<string, Repository>();

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.host = host;
    server.on('request', (req, res) => this.#answer(req, res));
  }

  /** @param address that the nodes and the controller reach */
  static async start(address: string, port = registryPort): Promise<ImageRegistry> {
    const server = createServer();
    await new Promise<void>((done, failed) => server.once('error', failed).listen(port, address, done));
    return new ImageRegistry(server, `${address}:${port}`);
  }

  /** Offers the one image of an archive under a tag; answers its digest. */
  async push(repository: string, tag: string, archive: string): Promise<string> {
    const known = this.#repositories.get(repository);
    const directory = known?.directory ?? mkdtempSync(join(tmpdir(), 'kappa-registry-'));
    const tags = known?.tags ?? new Map<string, string>();
    await run('tar', ['-xf', archive, '-C', directory]);
    const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as {
      readonly manifests: readonly { readonly digest: string }[];
    };
    const digest = index.manifests[0]?.digest ?? '';
    this.#repositories.set(repository, { directory, tags: tags.set(tag, digest) });
    return digest;
  }

  /**
   * Makes another image of the one that `digest` names, and has the tag lead there; answers its digest.
   *
   * @param config settings that take the place of its own, e.g. Cmd
   * @param extraLayers digests of further layers, which need not be there
   */
  derive(repository: string, digest: string, tag: string, config: object, extraLayers: readonly string[] = []): string {
    const found = this.#repositories.get(repository);
    if (found === undefined) throw new Error(`nothing was pushed to ${repository}`);
    const blobs = join(found.directory, 'blobs/sha256');
    const read = <T>(name: string): T =>
      JSON.parse(readFileSync(join(blobs, name.replace('sha256:', '')), 'utf8')) as T;
    const write = (content: object) => {
      const text = JSON.stringify(content);
      const hex = hash('sha256', text, 'hex');
      writeFileSync(join(blobs, hex), text);
      return { digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
    };
    const manifest = read<Manifest>(digest);
    const old = read<ImageDocument>(manifest.config.digest);
    const diffIds = [...old.rootfs.diff_ids, ...extraLayers];
    const image = write({ ...old, config: { ...old.config, ...config }, rootfs: { ...old.rootfs, diff_ids: diffIds } });
    const layers = extraLayers.map((layer) => ({
      mediaType: manifest.layers[0]?.mediaType,
      digest: layer,
      size: 1000,
    }));
    const derived = write({
      ...manifest,
      config: { ...manifest.config, ...image },
      layers: [...manifest.layers, ...layers],
    });
    found.tags.set(tag, derived.digest);
    return derived.digest;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
    for (const { directory } of this.#repositories.values()) rmSync(directory, { recursive: true, force: true });
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const [, name = '', kind, reference = ''] = /^\/v2\/(.*)\/(manifests|blobs)\/([^/]+)$/.exec(req.url ?? '') ?? [];
    const found = this.#repositories.get(name);
    const digest = kind === 'manifests' ? (found?.tags.get(reference) ?? reference) : reference;
    const path = join(found?.directory ?? '', 'blobs/sha256', digest.replace('sha256:', ''));
    if (req.url === '/v2/') res.end('{}');
    else if (found === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest) || !isFile(path)) {
      res.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    } else this.#send(req, res, { path, digest, isManifest: kind === 'manifests' });
  }

  #send(
    { method }: IncomingMessage,
    res: ServerResponse,
    { path, digest, isManifest }: { readonly path: string; readonly digest: string; readonly isManifest: boolean },
  ): void {
    res.writeHead(200, {
      'content-type': isManifest ? mediaTypeOf(path) : 'application/octet-stream',
      'content-length': statSync(path).size,
      'docker-content-digest': digest,
    });
    if (method === 'HEAD') res.end();
    else createReadStream(path).pipe(res);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function mediaTypeOf(path: string): string {
  const { mediaType } = JSON.parse(readFileSync(path, 'utf8')) as { readonly mediaType?: string };
  return mediaType ?? 'application/vnd.oci.image.manifest.v1+json';
}
