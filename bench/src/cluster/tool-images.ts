import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@kappa/e2e/cluster';
import { writeImage } from '@kappa/e2e/cluster/images';
import { tool } from '../tools.ts';

const names = ['http-stub', 'reverse-proxy'] as const;

/** Reference of the image of one of the bench's Go programs; says by its tag what is in it. */
export function toolImage(name: (typeof names)[number]): string {
  const hash = createHash('sha256')
    .update(readFileSync(tool(name)))
    .digest('hex');
  return `localhost/kappa-bench-${name}:${hash.slice(0, 12)}`;
}

/** Puts those programs on the nodes, each as an image of nothing else. */
export async function loadToolImages(cluster: Cluster): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-bench-images-'));
  try {
    const archives = names.map((name) => join(folder, `${name}.tar`));
    for (const [index, name] of names.entries())
      await writeImage({ reference: toolImage(name), programPath: tool(name), args: [] }, archives[index] ?? '');
    await cluster.load(archives);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
