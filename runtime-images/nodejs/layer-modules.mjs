import { existsSync, Module, path, pathToFileURL } from './builtins.mjs';

/**
 * Lets `import` find packages of layers. Node looks into NODE_PATH for `require` alone; Lambda's does so for `import`, too. Costs nothing
 * where no folder of NODE_PATH holds packages. Node 20 has no such hook: there `import` does not find them.
 * @param {string} nodePath NODE_PATH
 * @see https://nodejs.org/api/module.html#moduleregisterhooksoptions
 */
export function importFromLayers(nodePath) {
  const folders = nodePath.split(':').filter((folder) => folder.endsWith('/node_modules') && existsSync(folder));
  if (folders.length === 0 || Module.registerHooks === undefined) return;
  // As if a file beside the folder imported it.
  const importers = folders.map((folder) => pathToFileURL(path.join(path.dirname(folder), 'index.mjs')).href);
  Module.registerHooks({
    resolve: (specifier, context, next) => {
      try {
        return next(specifier, context);
      } catch (error) {
        if (!isMissing(error) || !isPackage(specifier)) throw error;
        return resolveFrom(importers, (parentURL) => next(specifier, { ...context, parentURL }), error);
      }
    },
  });
}

/**
 * The first that any importer finds.
 * @template Found
 * @param {readonly string[]} importers
 * @param {(importer: string) => Found} find
 * @param {unknown} error thrown when none does
 */
function resolveFrom(importers, find, error) {
  for (const importer of importers) {
    try {
      return find(importer);
    } catch (second) {
      if (!isMissing(second)) throw second;
    }
  }
  throw error;
}

/** @param {unknown} error */
function isMissing(error) {
  return /** @type {{ code?: string } | null} */ (error)?.code === 'ERR_MODULE_NOT_FOUND';
}

/** Neither a path nor a URL. @param {string} specifier */
function isPackage(specifier) {
  return /^[^./#:][^:]*$/.test(specifier);
}
