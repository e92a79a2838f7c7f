import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from './run.ts';

/** An image as a folder of files, and how a container of it starts. */
export interface UnpackedImage {
  /** Absolute path of its root file system. */
  readonly root: string;
  /** Program and arguments. */
  readonly entrypoint: readonly string[];
  /** User and group by number, `65532:65532`. */
  readonly user: string;
  /** `NAME=VALUE` each. */
  readonly environment: readonly string[];
}

/** Unpacks an OCI archive with one image into a new folder below the system's temporary one. The caller removes it. */
export async function unpackImage(archive: string): Promise<UnpackedImage> {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-image-'));
  const layout = join(folder, 'layout');
  const root = join(folder, 'root');
  for (const each of [layout, root]) mkdirSync(each);
  await run('tar', ['-xf', archive, '-C', layout]);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as Index;
  const [entry] = index.manifests;
  if (entry === undefined) throw new Error(`${archive} has no image`);
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const manifest = JSON.parse(readFileSync(blob(entry.digest), 'utf8')) as Manifest;
  const { config } = JSON.parse(readFileSync(blob(manifest.config.digest), 'utf8')) as Config;
  // No image of ours removes what one of its lower layers has.
  for (const { digest } of manifest.layers) await run('tar', ['-xf', blob(digest), '-C', root]);
  rmSync(layout, { recursive: true });
  return { root, entrypoint: config.Entrypoint ?? [], user: config.User ?? '', environment: config.Env ?? [] };
}

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

interface Config {
  readonly config: { readonly Entrypoint?: string[]; readonly User?: string; readonly Env?: string[] };
}
