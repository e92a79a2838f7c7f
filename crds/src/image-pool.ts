import { createHash } from 'node:crypto';
import type { FunctionVersionObject } from './function-version.ts';
import type { PoolObject } from './pool.ts';

/** What the pods of an image's pool run, and whose they are. */
export type PoolImage = NonNullable<PoolObject['spec']['image']>;

/** Value of `KAPPA_RUNTIME` of pods that run a user's image, and of `runtime` in SPECIALIZE. */
export const imageRuntime = 'image';

/** Name of the Pool of an image: all function versions of one namespace with that image and that much memory share it. */
export function imagePoolName({ namespace, reference, memoryMiB }: PoolImage): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([namespace, reference, memoryMiB]))
    .digest('hex');
  return `image-${digest.slice(0, 24)}`; // 96 bits: nobody finds a second image with the same name
}

/** Whether a Pool of that name is one of an image; no runtime is called so. */
export function isImagePool(name: string): boolean {
  return name.startsWith('image-');
}

/** The image that pods of a function version run; null = it is none from an image. */
export function poolImageOf(namespace: string, { code, memoryMiB }: FunctionVersionObject['spec']): PoolImage | null {
  return code.image === undefined ? null : { namespace, reference: code.image.reference, memoryMiB };
}
