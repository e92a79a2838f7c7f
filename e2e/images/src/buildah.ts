import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { cache } from './places.ts';
import { run } from './run.ts';

/** What one build needs. */
export interface Build {
  readonly dockerfile: string;
  /** Folder of the build context. */
  readonly context: string;
  readonly tag: string;
  /** Stage to build; absent = the last one. */
  readonly target?: string | undefined;
  readonly args?: Readonly<Record<string, string>>;
  /** Stages that are given as folders instead of built. */
  readonly contexts?: Readonly<Record<string, string>>;
}

/** Own storage: nothing else of this machine is seen or touched. */
const storage = [
  '--root',
  join(cache, 'storage'),
  '--runroot',
  join(cache, 'storage-run'),
  '--storage-driver',
  'vfs',
] as const;

const buildah = (command: string, ...args: string[]): Promise<string> =>
  run('buildah', [...storage, command, ...args], { env: { BUILDAH_ISOLATION: 'chroot' } });

/** Builds an image. All times in it are 1970's, so that the same files give the same layer. */
export async function buildImage(build: Build): Promise<void> {
  const pairs = (option: string, values: Readonly<Record<string, string>> = {}): string[] =>
    Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
  await buildah(
    'build',
    '--timestamp=0',
    '--pull=never',
    '--quiet',
    ...pairs('--build-arg', build.args),
    ...pairs('--build-context', build.contexts),
    ...(build.target === undefined ? [] : ['--target', build.target]),
    '--tag',
    build.tag,
    '--file',
    build.dockerfile,
    build.context,
  );
}

/** Whether the storage has the image. */
export async function hasImage(tag: string): Promise<boolean> {
  const names = await buildah('images', '--format', '{{.Name}}:{{.Tag}}');
  return names.split('\n').includes(tag);
}

/** Writes the image as an OCI archive whose index names it `name`. */
export async function exportImage(tag: string, archive: string, name: string): Promise<void> {
  await buildah('push', '--quiet', tag, `oci-archive:${archive}:${name}`);
}

/** Size of the image's files in bytes, without compression. */
export async function unpackedBytes(tag: string): Promise<number> {
  const listed: unknown = JSON.parse(await buildah('images', '--json', tag));
  const size = Array.isArray(listed) ? String((listed[0] as { size?: unknown })?.size ?? '') : '';
  const [, number = '0', unit = ''] = /^([\d.]+) ?([kMG]?)B/.exec(size) ?? [];
  return Math.round(Number(number) * { k: 1e3, M: 1e6, G: 1e9, '': 1 }[unit as 'k' | 'M' | 'G' | '']);
}

/** Takes an image out of the storage; archives and images built upon it stay. */
export async function removeImage(tag: string): Promise<void> {
  await buildah('rmi', tag);
}

/** Ends what a killed run left behind. A storage that cannot be put right is thrown away: all in it can be built again. */
export async function removeLeftovers(): Promise<void> {
  try {
    await buildah('rm', '--all');
    await buildah('rmi', '--prune');
  } catch {
    for (const name of ['storage', 'storage-run']) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

/** Takes the other tags of `tag`'s repository out of the storage: they are what it was built from another recipe. */
export async function removeOlder(tag: string): Promise<void> {
  const repository = tag.slice(0, tag.lastIndexOf(':'));
  const names = await buildah('images', '--format', '{{.Name}}:{{.Tag}}');
  const older = names.split('\n').filter((name) => name.startsWith(`${repository}:`) && name !== tag);
  // One that others are built upon stays until they are gone.
  for (const name of older) await buildah('rmi', name).catch(() => {});
}
