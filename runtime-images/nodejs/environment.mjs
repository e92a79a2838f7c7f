import { Module } from './builtins.mjs';

/** Names with this prefix are the platform's own and never reach user code. */
const PLATFORM_PREFIX = 'KAPPA_';

/**
 * Makes `process.env` exactly `wanted`: what is not in it goes, the platform's own names included. Node takes over TZ at the
 * assignment; NODE_PATH needs the module system told.
 * @param {Readonly<Record<string, string>>} wanted
 */
export function replaceEnvironment(wanted) {
  const { NODE_PATH: pathBefore, HOME: homeBefore } = process.env;
  for (const name of Object.keys(process.env)) {
    if (!Object.hasOwn(wanted, name) || name.startsWith(PLATFORM_PREFIX)) delete process.env[name];
  }
  for (const name of Object.keys(wanted)) {
    if (!name.startsWith(PLATFORM_PREFIX) && process.env[name] !== wanted[name]) process.env[name] = wanted[name];
  }
  if (process.env['NODE_PATH'] !== pathBefore || process.env['HOME'] !== homeBefore) {
    // Undocumented, but the only way, and unchanged since Node 0.6: reads NODE_PATH and HOME again.
    /** @type {{ _initPaths?: () => void }} */ (/** @type {unknown} */ (Module))._initPaths?.();
  }
}

/**
 * The rules that changed with nodejs24.x: no callback handlers, returned values count.
 * @param {string | undefined} executionEnvironment AWS_EXECUTION_ENV, e.g. `AWS_Lambda_nodejs22.x`; it decides, not the interpreter,
 *   because a machine without the exact version runs the function on another one
 * @param {string} interpreter `process.versions.node`
 */
export function languageVersion(executionEnvironment, interpreter) {
  const named = /^AWS_Lambda_nodejs(\d+)\.x$/.exec(executionEnvironment ?? '');
  return Number(named?.[1] ?? Number.parseInt(interpreter, 10));
}
