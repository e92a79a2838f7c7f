import { RuntimeError } from './errors.mjs';
import { RuntimeApi } from './runtime-api.mjs';

/** @type {Pick<typeof import('node:async_hooks'), 'AsyncLocalStorage'>} */
const { AsyncLocalStorage } = process.getBuiltinModule('async_hooks');

/*
 * Several invocations at once in one process: as many loops as AWS_LAMBDA_MAX_CONCURRENCY says, each with a connection of its own. They
 * share the thread: others run while a handler waits for something. Only loaded by functions that ask for it.
 */

/** @typedef {import('./console.mjs').LogScope} LogScope */

/**
 * Makes `scope` say what the invocation that reads it has said, whatever else runs.
 * @param {LogScope} scope
 * @returns {<T>(own: LogScope, call: () => Promise<T>) => Promise<T>} runs `call` as an invocation with a scope of its own
 */
export function keepApart(scope) {
  /** @type {import('node:async_hooks').AsyncLocalStorage<LogScope>} */
  const present = new AsyncLocalStorage();
  const outside = scope.requestId;
  Object.defineProperty(scope, 'requestId', { get: () => present.getStore()?.requestId ?? outside });
  Object.defineProperty(scope, 'tenantId', { get: () => present.getStore()?.tenantId });
  return (own, call) => present.run(own, call);
}

/**
 * A callback waits until the event loop has nothing left to do, which never comes while others run.
 * @param {Function} handler
 * @throws {RuntimeError}
 */
export function refuseCallbacks(handler) {
  if (handler.length < 3) return;
  throw new RuntimeError(
    'CallbackHandlerDeprecated',
    'callback handlers are not supported where several invocations run at once: remove the third parameter and return a value or a promise instead',
  );
}

/**
 * Runs so many loops at once, for ever.
 * @param {number} count
 * @param {(api: RuntimeApi) => Promise<void>} loop takes one invocation after another
 * @throws {Error} when the agent is gone
 */
export async function serveAll(count, loop) {
  const address = process.env['AWS_LAMBDA_RUNTIME_API'] ?? '';
  await Promise.all(Array.from({ length: count }, () => loop(new RuntimeApi(address))));
}
