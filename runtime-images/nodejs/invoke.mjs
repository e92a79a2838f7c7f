import { isStreaming } from './awslambda.mjs';
import { RuntimeError } from './errors.mjs';

/**
 * @typedef {(event: unknown, context: import('./context.mjs').Context) => Promise<unknown>} Invoke Runs the handler once.
 *   Fulfilled with its result, or when its streamed answer is posted; rejected with whatever it threw.
 */

const CALLBACK_REFUSED =
  'callback handlers are not supported from nodejs24.x on: remove the third parameter and return a value or a promise instead';

/** First language version with the rules of today: no callbacks, returned values count. */
export const MODERN = 24;

/**
 * The older contract, and that of handlers that stream, are only loaded by those who need them, which saves every other waiting pod
 * its memory.
 * @param {Function} handler
 * @param {number} version of the language
 * @param {import('./runtime-api.mjs').RuntimeApi} api where a streamed answer goes
 * @returns {Promise<Invoke>}
 * @throws {RuntimeError} for a handler that asks for a callback where there is none
 */
export async function makeInvoke(handler, version, api) {
  if (isStreaming(handler)) {
    const { makeStreamingInvoke } = await import('./response-stream.mjs');
    return makeStreamingInvoke(handler, api);
  }
  if (version < MODERN) {
    const { invokeWithCallback } = await import('./callback-invocation.mjs');
    return (event, context) => invokeWithCallback(handler, event, context);
  }
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
