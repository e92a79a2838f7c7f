import { cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

import { type BundledPackage, licensesText, packagesOf } from './licenses.ts';
import { httpByRequire, ownSources, packagesWasm, withoutBodyParser } from './sources.ts';

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
 * Bundles the {@link entries} for the images. `folder` gets
 * - `app`, an image's /app: `dist/NAME.js` with the parts that they share or load later, the files that they read, each where it is in the
 *   repository, and the licences of the packages within;
 * - `maps`, source maps for {@link sourcePositions}, which stay out of the images.
 *
 * @param root the repository, with the packages installed
 * @param folder absolute
 * @returns the packages of others that are in the bundles
 * @throws Error of esbuild, which has told on stderr what is wrong
 */
export async function bundle(root: string, folder: string): Promise<readonly BundledPackage[]> {
  const files = new Set(data);
  const beside = new Set<string>();
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: join(root, 'dist'), // as seen from the sources; written elsewhere
    write: false,
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // ES modules first: of those only what is used gets in.
    mainFields: ['module', 'main'],
    banner: { js: banner },
    // The text stays in memory, some of it twice: 5 MiB less. Names stay as they are, and lines are kept short, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none', // they are in THIRD-PARTY-LICENSES
    metafile: true,
    plugins: [
      httpByRequire,
      withoutBodyParser,
      packagesWasm((file) => beside.add(file)),
      ownSources({ root, onData: (path) => files.add(path) }),
    ],
  });
  const app = join(folder, 'app');
  for (const { path, contents } of outputFiles) {
    write(join(folder, path.endsWith('.map') ? 'maps' : 'app/dist', basename(path)), contents);
  }
  for (const path of files) copyData(root, app, path);
  for (const file of beside) cpSync(file, join(app, 'dist', basename(file)));
  const packages = packagesOf(root, Object.keys(metafile.inputs));
  write(join(app, 'THIRD-PARTY-LICENSES'), licensesText(packages));
  write(join(app, 'package.json'), '{ "type": "module" }\n');
  return packages;
}

function write(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A file, or the files of a folder that are no sources. */
function copyData(root: string, app: string, path: string): void {
  cpSync(join(root, path), join(app, path), {
    recursive: true,
    filter: (file) => statSync(file).isDirectory() || !file.endsWith('.ts'),
  });
}
