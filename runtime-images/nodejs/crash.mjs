import { logFailure } from './console.mjs';
import { formatError, RuntimeError } from './errors.mjs';

/** Exit statuses of Lambda's own client, kept because users see them in Runtime.ExitError. */
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;

/**
 * @typedef {object} Crashes
 * @property {string | null | undefined} current request id that a crash belongs to; null between invocations, undefined during init
 * @property {boolean} isEnding a crash was seen: nothing else may be posted any more
 */

/**
 * From now on an uncaught exception or an unhandled rejection is reported as the failure of what runs, and ends the process: its
 * state can no longer be trusted. When the answer is on its way already, or nothing runs, the process only ends.
 * @param {import('./runtime-api.mjs').RuntimeApi} api
 * @param {import('./console.mjs').LogSettings} settings
 * @returns {Crashes}
 */
export function reportCrashes(api, settings) {
  /** @type {Crashes} */
  const crashes = { current: undefined, isEnding: false };
  /** @param {string} what @param {unknown} error @param {number} status */
  const end = async (what, error, status) => {
    crashes.isEnding = true;
    logFailure(console, settings, what, error);
    if (!api.isBusy && crashes.current !== null) {
      const body = formatError(error);
      await (crashes.current === undefined ? api.failInit(body) : api.fail(crashes.current, body));
    }
    process.exit(status);
  };
  /** @param {string} what @param {unknown} error @param {number} status */
  const endOnce = (what, error, status) => {
    // The connection to the agent may be what broke: then there is nobody to tell.
    end(what, error, status).catch(() => process.exit(status));
  };
  process.on('uncaughtException', (error) => endOnce('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION));
  process.on('unhandledRejection', (reason, promise) => {
    const error = Object.assign(new RuntimeError('UnhandledPromiseRejection', String(reason)), { reason, promise });
    endOnce('Unhandled Promise Rejection', error, EXIT_UNHANDLED_REJECTION);
  });
  return crashes;
}
