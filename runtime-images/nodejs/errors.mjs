import { types } from './builtins.mjs';

/**
 * @typedef {object} ErrorBody What the caller of a failed function gets.
 * @property {string} errorType
 * @property {string} errorMessage
 * @property {string[]} trace
 */

/**
 * An error that the runtime itself reports. Its name carries the prefix `Runtime.`: a promise to callers, never reworded.
 */
export class RuntimeError extends Error {
  /**
   * @param {'ImportModuleError' | 'HandlerNotFound' | 'MalformedHandlerName' | 'UserCodeSyntaxError' | 'JSONStringifyError'
   *   | 'CallbackHandlerDeprecated' | 'UnhandledPromiseRejection' | 'MalformedStreamingHandler' | 'InvalidStreamingOperation'} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    // Not enumerable, or the log line of the error would show it twice.
    Object.defineProperty(this, 'name', { value: `Runtime.${kind}`, enumerable: false });
    // The stack's first line was written with the name `Error`.
    Object.assign(this, { stack: this.stack?.replace(/^[^:\n]*/, this.name) });
  }
}

/**
 * The body that describes whatever was thrown. Never throws: objects with hostile getters end in a fixed text.
 * @param {unknown} thrown
 * @returns {ErrorBody}
 */
export function formatError(thrown) {
  try {
    if (isError(thrown)) {
      return {
        errorType: withoutDelete(thrown.name),
        errorMessage: withoutDelete(thrown.message),
        trace: typeof thrown.stack === 'string' ? withoutDelete(thrown.stack).split('\n') : [],
      };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'the thrown error could not be read: its name, message or stack throws itself',
      trace: [],
    };
  }
}

/**
 * The one line that a failed invocation leaves in a text log, after the words that say what failed.
 * @param {unknown} thrown
 */
export function errorLogText(thrown) {
  const error = intoError(thrown);
  try {
    return `\t${JSON.stringify(error, (_key, value) => enumerable(value))}`;
  } catch {
    return `\t${JSON.stringify(formatError(error))}`;
  }
}

/** @param {unknown} thrown @returns {Error} */
export function intoError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Errors of another realm (node:vm) and look-alikes of old libraries count too. @param {unknown} value @returns {value is Error} */
function isError(value) {
  if (types.isNativeError(value) || value instanceof Error) return true;
  if (typeof value !== 'object' || value === null) return false;
  const { name, message, stack } = /** @type {Record<string, unknown>} */ (value);
  return [name, message, stack].every((text) => typeof text === 'string' && text !== '');
}

/** The delete character breaks the trace service's parser. @param {unknown} text */
function withoutDelete(text) {
  return String(text).replaceAll('\x7f', '%7F');
}

/** @param {unknown} value */
function enumerable(value) {
  if (!(value instanceof Error)) return value;
  const { name: errorType, message: errorMessage, stack } = value;
  const { code } = /** @type {{ code?: unknown }} */ (value);
  const shown = { errorType, errorMessage, code, ...value };
  return typeof stack === 'string' ? { ...shown, stack: stack.split('\n') } : shown;
}
