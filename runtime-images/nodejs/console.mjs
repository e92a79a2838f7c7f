import { format } from './builtins.mjs';
import { errorLogText, intoError, RuntimeError } from './errors.mjs';

/** In the order of severity; the names are part of each line. */
const LEVELS = /** @type {const} */ (['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']);

/** @typedef {(typeof LEVELS)[number]} Level */
/**
 * @typedef {object} LogScope What each line says about where it came from; changes with each invocation.
 * @property {string | undefined} requestId
 * @property {string | undefined} tenantId
 */
/**
 * @typedef {object} LogSettings
 * @property {boolean} json
 * @property {Level} minLevel lines below are dropped
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {LogSettings}
 */
export function parseLogSettings(env) {
  const level = env['AWS_LAMBDA_LOG_LEVEL']?.toUpperCase();
  return {
    json: env['AWS_LAMBDA_LOG_FORMAT']?.toUpperCase() === 'JSON',
    minLevel: LEVELS.find((known) => known === level) ?? 'TRACE',
  };
}

/**
 * Makes the console write Lambda's lines to standard output, one line per call: line ends inside a message become carriage
 * returns, so that whoever reads lines keeps the message whole.
 * @param {Console} console
 * @param {LogSettings} settings
 * @param {LogScope} scope read at each call
 * @param {(line: string) => void} write
 */
export function patchConsole(console, { json, minLevel }, scope, write) {
  const makeLine = json ? jsonLine : textLine;
  /** @param {Level} level */
  const method = (level) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(minLevel)) return () => {};
    return (/** @type {unknown} */ message, /** @type {unknown[]} */ ...rest) => {
      write(`${makeLine(new Date().toISOString(), level, scope, message, rest).replaceAll('\n', '\r')}\n`);
    };
  };
  const info = method('INFO');
  Object.assign(console, {
    trace: method('TRACE'),
    debug: method('DEBUG'),
    info,
    log: info,
    warn: method('WARN'),
    error: method('ERROR'),
    fatal: method('FATAL'),
  });
}

/**
 * Logs that an init or an invocation failed, in the form of the current format.
 * @param {Console} console patched
 * @param {LogSettings} settings
 * @param {string} what e.g. `Invoke Error`
 * @param {unknown} thrown
 */
export function logFailure(console, { json }, what, thrown) {
  if (json) console.error(intoError(thrown));
  else console.error(what, errorLogText(thrown));
}

/** @param {string} timestamp @param {Level} level @param {LogScope} scope @param {unknown} message @param {unknown[]} rest */
function textLine(timestamp, level, { requestId }, message, rest) {
  return `${timestamp}\t${requestId}\t${level}\t${format(message, ...rest)}`;
}

/** @param {string} timestamp @param {Level} level @param {LogScope} scope @param {unknown} message @param {unknown[]} rest */
function jsonLine(timestamp, level, { requestId, tenantId }, message, rest) {
  /** @type {Record<string, unknown>} */
  const line = { timestamp, level, requestId, ...(tenantId ? { tenantId } : {}) };
  if (rest.length === 0) {
    try {
      return JSON.stringify({ ...line, message }, (_key, value) => (value instanceof Error ? describe(value) : value));
    } catch {
      return JSON.stringify({ ...line, message: format(message) });
    }
  }
  const error = rest.find((value) => value instanceof Error);
  return JSON.stringify({ ...line, message: format(message, ...rest), ...(error ? fieldsOf(error) : {}) });
}

/** @param {Error} error */
function describe(error) {
  return { ...fieldsOf(error), ...error };
}

/** @param {Error} error */
function fieldsOf(error) {
  return {
    // The name of the class; the runtime's own errors are known without their prefix here.
    errorType:
      error instanceof RuntimeError ? error.name.slice('Runtime.'.length) : (error.constructor?.name ?? 'UnknownError'),
    errorMessage: error.message,
    stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
  };
}
