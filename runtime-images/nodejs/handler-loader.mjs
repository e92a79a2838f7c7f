import { createRequire, existsSync, path, pathToFileURL, readFileSync, statSync } from './builtins.mjs';
import { RuntimeError } from './errors.mjs';

/** What a handler's `require` failures name as the requiring file: Lambda's path, wherever this file is. */
const require = createRequire('/var/runtime/index.mjs');

/**
 * Imports the user's module and finds the handler in it. CommonJS is required, which is faster than importing it and gives the
 * same value; ES modules (by ending, package.json or syntax) are imported.
 * @param {string} taskRoot
 * @param {string} handler `dir/file.export`, `file.object.method`
 * @returns {Promise<Function>}
 * @throws {RuntimeError} what Lambda has a name for; what the module itself throws passes through
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
export async function loadHandler(taskRoot, handler) {
  if (handler.includes('..')) {
    const reason = 'Use absolute paths when specifying root directories in handler names.';
    throw new RuntimeError('MalformedHandlerName', `'${handler}' is not a valid handler name. ${reason}`);
  }
  const name = path.basename(handler);
  const folder = handler.slice(0, handler.indexOf(name));
  const dot = name.indexOf('.');
  if (dot < 0) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const module = await importModule(taskRoot, folder, name.slice(0, dot));
  const exportName = name.slice(dot + 1);
  const found = findIn(module, exportName) ?? findIn(/** @type {any} */ (module)?.default, exportName);
  if (!found) throw new RuntimeError('HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new RuntimeError('HandlerNotFound', `${handler} is not a function`);
  return found;
}

/** @param {string} taskRoot @param {string} folder @param {string} name @returns {Promise<unknown>} */
async function importModule(taskRoot, folder, name) {
  const base = path.resolve(taskRoot, folder, name);
  try {
    for (const [ending, isModule] of ENDINGS) {
      const file = base + ending;
      if (isFile(file)) return await (isModule(file) ? importFile(file) : requireFile(file));
    }
    if (existsSync(base)) return await requireFile(base); // a folder with an index.js
    return await requireFile(require.resolve(name, { paths: [taskRoot, path.join(taskRoot, folder)] }));
  } catch (error) {
    throw named(error);
  }
}

/** Where the module may be, in Lambda's order, and whether the file there is an ES module. @type {[string, (file: string) => boolean][]} */
const ENDINGS = [
  ['', () => false],
  ['.js', (file) => isInModulePackage(path.dirname(file))],
  ['.mjs', () => true],
  ['.cjs', () => false],
];

/** @param {string} file */
function isFile(file) {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** @param {string} file @returns {Promise<unknown>} */
function importFile(file) {
  return import(pathToFileURL(file).href);
}

/** @param {string} file @returns {unknown} */
function requireFile(file) {
  try {
    return require(file);
  } catch (error) {
    // ES module syntax without any sign of it outside, or with a top-level await: nothing of it has run yet.
    const { code } = /** @type {{ code?: string }} */ (error);
    if (code === 'ERR_REQUIRE_ASYNC_MODULE' || code === 'ERR_REQUIRE_ESM') return importFile(file);
    throw error;
  }
}

/** Whether the nearest package.json says `"type": "module"`. @param {string} folder @returns {boolean} */
function isInModulePackage(folder) {
  if (folder.endsWith('/node_modules')) return false;
  const file = path.join(folder, 'package.json');
  if (existsSync(file)) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).type === 'module';
    } catch {
      return false; // loading the module finds the words for it
    }
  }
  const parent = path.dirname(folder);
  return parent === folder ? false : isInModulePackage(parent);
}

/** @param {unknown} error @returns {unknown} */
function named(error) {
  if (error instanceof SyntaxError) {
    const fault = new RuntimeError('UserCodeSyntaxError', String(error));
    // The user's stack shows the line; the runtime's own says nothing.
    if (typeof error.stack === 'string') fault.stack = error.stack;
    return fault;
  }
  if (error instanceof Error && /** @type {{ code?: string }} */ (error).code === 'MODULE_NOT_FOUND') {
    return new RuntimeError('ImportModuleError', String(error));
  }
  return error;
}

/** @param {unknown} module @param {string} exportName a path with dots @returns {any} */
function findIn(module, exportName) {
  /** @type {any} */
  let found = module;
  for (const key of exportName.split('.')) {
    if (found === null || (typeof found !== 'object' && typeof found !== 'function')) return undefined;
    found = found[key];
  }
  return found;
}
