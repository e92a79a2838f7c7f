import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@kappa/e2e/cluster';
import { writeImage } from '@kappa/e2e/cluster/images';
import { tool } from '../tools.ts';

const names = ['http-stub', 'reverse-proxy'] as const;

/**
 * A runtime that the test install has no image of: here its image is the stub agent, which speaks the link and answers every event with the
 * event. So the platform itself makes, claims and calls pods that cost next to nothing.
 */
export const stubRuntime = 'nodejs22.x';
const stubImage = 'kappa/runtime-nodejs:22';

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
    const images = [
      ...names.map((name) => ({ reference: toolImage(name), programPath: tool(name), args: [] })),
      { reference: stubImage, programPath: tool('stub-agent'), args: [] },
    ];
    const archives = images.map((_, index) => join(folder, `${index}.tar`));
    for (const [index, image] of images.entries()) await writeImage(image, archives[index] ?? '');
    await cluster.load(archives);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
