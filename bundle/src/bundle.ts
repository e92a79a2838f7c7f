import { cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

import { type BundledPackage, licensesText, packagesOf } from './licenses.ts';
import { ownSources } from './sources.ts';

/** What the images run, by the name of its bundle. */
export const entries = {
  gateway: 'gateway/src/main.ts',
  controller: 'controller/src/main.ts',
  setup: 'controller/src/setup/main.ts',
  publish: 'controller/src/setup/publish.ts',
  uninstall: 'controller/src/setup/uninstall.ts',
} as const;

/** Read by paths that the settings name. */
const data = ['LICENSE', 'runtime-images/runtimes.yaml'];

/** What CommonJS packages expect to be there. */
const banner = `import { createRequire as bundleRequire } from 'node:module';
const require = bundleRequire(import.meta.url);`;

/**
 * Writes what an image has in its /app into `folder`: `dist/NAME.js` for each of the {@link entries} with the parts that they share or load
 * later, the files that they read, each where it is in the repository, and the licences of the packages within.
 * Names stay as they are, for stack traces.
 *
 * @param root the repository, with the packages installed
 * @returns the packages of others that are in the bundles
 * @throws Error of esbuild, which has told on stderr what is wrong
 */
export async function bundle(root: string, folder: string): Promise<readonly BundledPackage[]> {
  const files = new Set(data);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: join(folder, 'dist'),
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // ES modules first: of those only what is used gets in.
    mainFields: ['module', 'main'],
    banner: { js: banner },
    legalComments: 'none', // they are in THIRD-PARTY-LICENSES
    metafile: true,
    plugins: [ownSources({ root, onData: (path) => files.add(path) })],
  });
  for (const path of files) copyData(root, folder, path);
  const packages = packagesOf(root, Object.keys(metafile.inputs));
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), licensesText(packages));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  return packages;
}

/** A file, or the files of a folder that are no sources. */
function copyData(root: string, folder: string, path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  cpSync(join(root, path), join(folder, path), {
    recursive: true,
    filter: (file) => statSync(file).isDirectory() || !file.endsWith('.ts'),
  });
}
