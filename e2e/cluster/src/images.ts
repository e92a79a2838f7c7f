import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from './run.ts';

/** An image of one static program and nothing else. */
export interface ProgramImage {
  /** Full reference, e.g. `localhost/pause:1`. */
  readonly reference: string;
  readonly programPath: string;
  /** Arguments of the entry point, the program itself excluded. */
  readonly args: readonly string[];
}

const platform = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' };

/** Writes an OCI archive of the image to `file`; the program runs as user 65532 from the root directory. */
export async function writeImage(image: ProgramImage, file: string): Promise<void> {
  const directory = `${file}.parts`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'root'), { recursive: true });
  mkdirSync(join(directory, 'layout/blobs/sha256'), { recursive: true });
  copyFileSync(image.programPath, join(directory, 'root/program'));
  chmodSync(join(directory, 'root/program'), 0o755);
  const layer = join(directory, 'layer.tar');
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  await runOk(['tar', '-cf', layer, ...owner, '-C', join(directory, 'root'), 'program']);
  writeLayout(image, join(directory, 'layout'), readFileSync(layer));
  await runOk(['tar', '-cf', file, ...owner, '-C', join(directory, 'layout'), 'oci-layout', 'index.json', 'blobs']);
  rmSync(directory, { recursive: true });
}

function writeLayout(image: ProgramImage, layout: string, layer: Buffer): void {
  const put = (mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } => {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const kind = (name: string): string => `application/vnd.oci.image.${name}`;
  const layerEntry = put(kind('layer.v1.tar'), layer);
  const config = { User: '65532:65532', Entrypoint: ['/program', ...image.args], WorkingDir: '/' };
  const rootfs = { type: 'layers', diff_ids: [layerEntry.digest] };
  const configEntry = put(kind('config.v1+json'), json({ ...platform, config, rootfs }));
  const manifest = {
    schemaVersion: 2,
    mediaType: kind('manifest.v1+json'),
    config: configEntry,
    layers: [layerEntry],
  };
  const manifestEntry = put(kind('manifest.v1+json'), json(manifest));
  const annotations = {
    'io.containerd.image.name': image.reference,
    'org.opencontainers.image.ref.name': image.reference,
  };
  const index = { schemaVersion: 2, manifests: [{ ...manifestEntry, platform, annotations }] };
  writeFileSync(join(layout, 'index.json'), json(index));
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

/** Names an archive gives its images, as the kubelet will look for them (`a/b:1` is `docker.io/a/b:1`). */
export function parseArchiveNames(indexJson: string): readonly string[] {
  const index: { readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[] } =
    JSON.parse(indexJson);
  const names = (index.manifests ?? []).map(
    ({ annotations }) =>
      annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'],
  );
  return names.filter((name) => name !== undefined);
}

/**
 * An image reference with its registry: a first part without a dot, a colon or the name `localhost` belongs to Docker
 * Hub, and a name without a slash to its `library`.
 */
export function resolveReference(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const withRegistry = isRegistry ? name : `docker.io/${rest.length === 0 ? 'library/' : ''}${name}`;
  return /[:@][^/]+$/.test(withRegistry) ? withRegistry : `${withRegistry}:latest`;
}

/** Imports an OCI archive into a node's containerd under the names the kubelet will look for. */
export async function importArchive(ctr: string, socket: string, file: string): Promise<void> {
  if (!existsSync(file) || !statSync(file).isFile()) throw new Error(`${file} is no image archive`);
  const base = [ctr, '--address', socket, '--namespace', 'k8s.io', 'images'];
  const names = parseArchiveNames(await runOk(['tar', '-xOf', file, 'index.json']));
  if (names.length === 0) throw new Error(`${file} names no image: give it a reference when you push it`);
  await runOk([...base, 'import', '--digests=false', file], { timeoutMs: 300_000 });
  for (const name of names) {
    const resolved = resolveReference(name);
    if (resolved !== name) await runOk([...base, 'tag', '--force', name, resolved]);
  }
}
