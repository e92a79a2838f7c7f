import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './run.ts';

/** npm's package with Node.js for this machine. */
export const nodePackage = `node-linux-${process.arch}`;

/** Digests of npm's packages `node-linux-ARCH`, by version and architecture, as the registry names them (`npm view PACKAGE dist.integrity`). */
export const nodeDigests: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '22.23.3': {
    x64: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    arm64: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  },
  '26.10.0': {
    x64: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    arm64: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
  },
};

/**
 * Writes `FOLDER/node` of that version; npm downloads it.
 *
 * @param work a folder that the download lies in meanwhile
 * @throws Error when the download fails or is not the pinned one
 */
export async function unpackNode(version: string, folder: string, work: string): Promise<void> {
  await run('npm', ['pack', '--silent', '--pack-destination', work, `${nodePackage}@${version}`], { cwd: work });
  const archive = join(work, `${nodePackage}-${version}.tgz`);
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  const pinned = nodeDigests[version]?.[process.arch];
  if (digest !== pinned) throw new Error(`${nodePackage}@${version} has ${digest}, not the pinned ${pinned}`);
  await run('tar', ['-xzf', archive, '-C', folder, '--strip-components=2', 'package/bin/node']);
  rmSync(archive);
}
