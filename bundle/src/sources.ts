import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** What {@link ownSources} takes. */
export interface SourceOptions {
  /** The repository: absolute, no slash at the end. */
  readonly root: string;
  /** Told of each file or folder that a source names beside itself; relative to `root`. */
  readonly onData: (path: string) => void;
}

/**
 * Kappa's own sources name files by where they are themselves, but a bundle is elsewhere. So each `import.meta.url` becomes the address of its
 * source as seen from a folder below the root, and what is named so is reported, to be put into the same place. And
 * `createRequire(import.meta.url)('x')`, by which sources load what is seldom used, becomes `require('x')`, which esbuild knows.
 */
export function ownSources({ root, onData }: SourceOptions): Plugin {
  return {
    name: 'own-sources',
    setup: (build) => {
      build.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
        const path = relative(root, file);
        const text = readFileSync(file, 'utf8').replaceAll('createRequire(import.meta.url)(', 'require(');
        const data = dataOf(text, path);
        const errors = [...data.filter((name) => !existsSync(join(root, name))), ...strangers(text)];
        if (errors.length > 0)
          return { errors: errors.map((what) => ({ text: `${path}: ${what} is not in a bundle` })) };
        data.forEach(onData);
        const here = `new URL(${JSON.stringify(`../${path}`)}, import.meta.url).href`;
        return { contents: text.replaceAll('import.meta.url', here), loader: 'ts' };
      });
    },
  };
}

/**
 * WebAssembly of packages, which they read from beside their own module: it gets beside the bundles.
 *
 * @param onFile told of each such file, absolute
 */
export function packagesWasm(onFile: (file: string) => void): Plugin {
  return {
    name: 'packages-wasm',
    setup: (build) => {
      build.onLoad({ filter: /node_modules\/.*wasm[^/]*\/.*\.m?js$/ }, ({ path }) => {
        const named = /new URL\('([^']+\.wasm)', import\.meta\.url\)/g;
        const contents = readFileSync(path, 'utf8').replaceAll(named, (_whole, name: string) => {
          onFile(join(dirname(path), name));
          return `new URL('./${basename(name)}', import.meta.url)`;
        });
        return { contents, loader: 'js' };
      });
    },
  };
}

/** Express loads it for bodies that Kappa reads by itself: 3 MiB, most of them tables of encodings. Who uses it all the same hears of it. */
export const withoutBodyParser: Plugin = {
  name: 'without-body-parser',
  setup: (build) => {
    build.onResolve({ filter: /^body-parser$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    build.onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
      contents: `export function json() { throw new Error('${path} is not in the bundle'); }
        export { json as raw, json as text, json as urlencoded };`,
    }));
  },
};

/** Whoever imports `node:http` as an ES module has Node.js 24 call all its getters, and so load undici, which nobody uses: 2 MiB. `require` does not. */
export const httpByRequire: Plugin = {
  name: 'http-by-require',
  setup: (build) => {
    build.onResolve({ filter: /^(node:)?http$/ }, ({ kind, path }) =>
      kind === 'import-statement' ? { path, namespace: 'by-require' } : null,
    );
    build.onLoad({ filter: /./, namespace: 'by-require' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
  },
};

/** What the source names: a file, or the folder that a template begins with. */
function dataOf(text: string, path: string): string[] {
  const found = text.matchAll(/new URL\(\s*(?:'([^']+)'|`([^`$]+)[^`]*`),\s*import\.meta\.url,?\s*\)/g);
  return [...found].map(([, file, folder = '']) => join(dirname(path), file ?? folder));
}

/** Ways to name a file that would mean another one in a bundle, and packages that are loaded late: of one in CommonJS a bundle has no names there. */
function strangers(text: string): string[] {
  return text.match(/import\.meta\.(?!url\b)\w+|\b__(dir|file)name\b|\bawait import\('(?![./]|node:)[^']+'\)/g) ?? [];
}
