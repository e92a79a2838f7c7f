import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { BuiltImage } from './build-images.ts';
import { cache } from './places.ts';
import { run } from './run.ts';

/**
 * One OCI archive with all the images, each shared layer once: a node reads and unpacks half as much as from the single archives.
 * @returns its absolute path; kept as long as the images stay the same
 */
export async function bundleImages(images: readonly BuiltImage[]): Promise<string> {
  const folder = join(cache, 'bundles');
  const archives = images.map((image) => image.archive).sort();
  const hash = createHash('sha256').update(['named', ...archives.map((path) => basename(path))].join('\n'));
  const bundle = join(folder, `${hash.digest('hex').slice(0, 16)}.tar`);
  if (existsSync(bundle)) return bundle;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    const indexes: string[] = [];
    for (const archive of archives) {
      await run('tar', ['-xf', archive, '-C', work]);
      indexes.push(readFileSync(join(work, 'index.json'), 'utf8'));
    }
    writeFileSync(join(work, 'index.json'), mergeIndexes(indexes));
    await run('tar', ['-cf', `${bundle}.part`, '-C', work, 'oci-layout', 'index.json', 'blobs']);
    renameSync(`${bundle}.part`, bundle);
    return bundle;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Manifest {
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The index of an OCI layout that has the manifests of all. Each gets the name that a kubelet looks for, so that a plain import (`ctr images
 * import`, `kind load image-archive`) is enough.
 */
export function mergeIndexes(indexes: readonly string[]): string {
  const manifests = indexes.flatMap((text) => (JSON.parse(text) as { manifests: readonly Manifest[] }).manifests);
  const named = manifests.map((manifest) => {
    const name = manifest.annotations?.['org.opencontainers.image.ref.name'];
    const annotations = { ...manifest.annotations, 'io.containerd.image.name': `docker.io/${name}` };
    return name === undefined ? manifest : { ...manifest, annotations };
  });
  return JSON.stringify({ schemaVersion: 2, manifests: named });
}
