/**
 * The contract up to nodejs22.x. The result is the first of: the callback, `context.done/succeed/fail`, the returned promise
 * (a returned value that is no promise does not count), or null when nothing is left to do. A callback's success waits
 * until nothing is left to do, unless `callbackWaitsForEmptyEventLoop` is false.
 * @param {Function} handler
 * @param {unknown} event
 * @param {import('./context.mjs').Context} context gets the members of that contract
 * @returns {Promise<unknown>}
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
export async function invokeWithCallback(handler, event, context) {
  const invocation = new CallbackInvocation();
  const legacy = Object.assign(context, {
    callbackWaitsForEmptyEventLoop: true,
    done: (/** @type {unknown} */ error, /** @type {unknown} */ result) => invocation.finish(error, result, false),
    succeed: (/** @type {unknown} */ result) => invocation.finish(null, result, false),
    fail: (/** @type {unknown} */ error) => invocation.finish(error ?? 'handled', null, false),
  });
  /** @param {unknown} error @param {unknown} [result] */
  const callback = (error, result) => invocation.finish(error, result, legacy.callbackWaitsForEmptyEventLoop);
  try {
    const returned = handler(event, legacy, callback);
    if (typeof returned?.then === 'function') returned.then(legacy.succeed, legacy.fail);
  } catch (error) {
    callback(error);
  }
  return await invocation.result;
}

const CALLED_TOO_LATE = 'the invocation has been answered already: a second answer is ignored';

/** What a callback handler may still say, and what counts when it says nothing. Only the first word counts. */
class CallbackInvocation {
  /** Settles once. @type {Promise<unknown>} */
  result;
  /** @type {(result: unknown) => void} */
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};
  /** The answer should nothing be left to do. */
  #whenEmpty = /** @type {unknown} */ (null);
  #hasSpoken = false;
  #isSettled = false;
  // An immediate keeps the process alive; without one it would end after this event.
  #onEmptyLoop = () => setImmediate(() => this.#settle(this.#resolve, this.#whenEmpty));

  constructor() {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    process.on('beforeExit', this.#onEmptyLoop);
  }

  /** @param {unknown} error null and undefined mean success @param {unknown} result @param {boolean} waits */
  finish(error, result, waits) {
    if (this.#hasSpoken) return;
    this.#hasSpoken = true;
    if (this.#isSettled) console.error(CALLED_TOO_LATE);
    else if (error !== undefined && error !== null) this.#settle(this.#reject, error);
    else if (waits) this.#whenEmpty = result;
    else this.#settle(this.#resolve, result);
  }

  /** @param {(value: unknown) => void} how @param {unknown} value */
  #settle(how, value) {
    if (this.#isSettled) return;
    process.removeListener('beforeExit', this.#onEmptyLoop);
    this.#isSettled = true;
    how(value);
  }
}
