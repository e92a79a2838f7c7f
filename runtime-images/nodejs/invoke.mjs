import { RuntimeError } from './errors.mjs';

/**
 * @typedef {(event: unknown, context: import('./context.mjs').Context) => Promise<unknown>} Invoke Runs the handler once.
 *   Fulfilled with its result, rejected with whatever it threw.
 */

const CALLBACK_REFUSED =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this ' +
  'function to use a supported handler signature to use Node.js 24 or later. For more information see ' +
  'https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.';

/** First language version without callbacks. */
const FIRST_WITHOUT_CALLBACKS = 24;

/**
 * @param {Function} handler
 * @param {number} version of the language
 * @returns {Invoke}
 * @throws {RuntimeError} for a handler that asks for a callback where there is none
 */
export function makeInvoke(handler, version) {
  if (version < FIRST_WITHOUT_CALLBACKS) return (event, context) => invokeWithCallback(handler, event, context);
  if (handler.length >= 3) throw new RuntimeError('CallbackHandlerDeprecated', CALLBACK_REFUSED);
  return (event, context) => invokeAsync(handler, event, context);
}

/**
 * The contract from nodejs24.x on: what the handler returns, or its promise brings, is the result.
 * @param {Function} handler
 * @param {unknown} event
 * @param {import('./context.mjs').Context} context
 */
async function invokeAsync(handler, event, context) {
  try {
    return await handler(event, context);
  } finally {
    // Rejections that nobody handles are reported by Node before this: they belong to this invocation, not to the next.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * The contract up to nodejs22.x. The result is the first of: the callback, `context.done/succeed/fail`, the returned promise
 * (a returned value that is no promise does not count), or null when nothing is left to do. A callback's success waits
 * until nothing is left to do, unless `callbackWaitsForEmptyEventLoop` is false.
 * @param {Function} handler
 * @param {unknown} event
 * @param {import('./context.mjs').Context} context
 * @returns {Promise<unknown>}
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
function invokeWithCallback(handler, event, context) {
  return new Promise((resolve, reject) => {
    let isFinished = false;
    let isAnswered = false;
    /** @param {(value: any) => void} how @param {unknown} value */
    const settle = (how, value) => {
      process.removeListener('beforeExit', onEmptyLoop);
      isAnswered = true;
      how(value);
    };
    /** @type {() => void} */
    let whenEmpty = () => settle(resolve, null);
    // An immediate keeps the process alive; without one it would end after this event.
    const onEmptyLoop = () => setImmediate(() => whenEmpty());
    process.on('beforeExit', onEmptyLoop);

    /** @param {unknown} error @param {unknown} result @param {boolean} waits */
    const finish = (error, result, waits) => {
      if (isFinished) return;
      isFinished = true;
      if (isAnswered) {
        if (!isFailure(error)) console.error(CALLED_TWICE);
      } else if (isFailure(error)) settle(reject, error);
      else if (waits) whenEmpty = () => settle(resolve, result);
      else settle(resolve, result);
    };
    const legacy = {
      callbackWaitsForEmptyEventLoop: true,
      done: (/** @type {unknown} */ error, /** @type {unknown} */ result) => finish(error, result, false),
      succeed: (/** @type {unknown} */ result) => finish(null, result, false),
      fail: (/** @type {unknown} */ error) => finish(isFailure(error) ? error : 'handled', null, false),
    };
    const context2 = Object.assign(context, legacy);
    /** @param {unknown} error @param {unknown} [result] */
    const callback = (error, result) => finish(error, result, context2.callbackWaitsForEmptyEventLoop);
    try {
      const returned = handler(event, context2, callback);
      if (typeof returned?.then === 'function') returned.then(legacy.succeed, legacy.fail);
    } catch (error) {
      callback(error);
    }
  });
}

const CALLED_TWICE =
  'Invocation has already been reported as done. Cannot call complete more than once per invocation.';

/** @param {unknown} error */
function isFailure(error) {
  return error !== undefined && error !== null;
}
