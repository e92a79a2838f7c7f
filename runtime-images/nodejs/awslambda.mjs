/** What a handler that streams is marked with, and its buffer's size: names that libraries look for, too. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response';
/** Between the prelude and the body. */
const SEPARATOR_BYTES = 8;

/**
 * Gives user code the global `awslambda`, unless its environment says that it does not want one.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
export function defineAwsLambda(env) {
  if (/^(1|true)$/.test(env['AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA'] ?? '')) return;
  Object.assign(globalThis, { awslambda: { streamifyResponse, HttpResponseStream } });
}

/**
 * Marks `handler(event, responseStream, context)` as one that writes its answer.
 * @param {Function} handler
 * @param {{ highWaterMark?: number }} [options] bytes that may wait in the stream
 */
function streamifyResponse(handler, options) {
  const marks = { [STREAMING]: 'response', [HIGH_WATER_MARK]: options?.highWaterMark };
  return Object.assign(handler, marks);
}

/** An answer over HTTP with a status, headers and cookies of its own. */
const HttpResponseStream = {
  /**
   * @param {import('./response-stream.mjs').ResponseStream} stream nothing has been written yet
   * @param {{ statusCode?: number, headers?: object, cookies?: string[] }} prelude
   */
  from(stream, prelude) {
    stream.setContentType(HTTP_INTEGRATION);
    const text = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(text);
      write(new Uint8Array(SEPARATOR_BYTES));
    };
    return stream;
  },
};

/** @param {Function} handler */
export function isStreaming(handler) {
  return /** @type {any} */ (handler)[STREAMING] === 'response';
}

/** @param {Function} handler @returns {number | undefined} */
export function highWaterMarkOf(handler) {
  const mark = Number(/** @type {any} */ (handler)[HIGH_WATER_MARK]);
  return Number.isSafeInteger(mark) && mark >= 0 ? mark : undefined;
}
