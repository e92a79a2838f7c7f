/**
 * @typedef {object} Context The second argument of a handler.
 * @property {string | undefined} functionName
 * @property {string | undefined} functionVersion
 * @property {string | undefined} memoryLimitInMB a text, as in Lambda
 * @property {string | undefined} logGroupName
 * @property {string | undefined} logStreamName
 * @property {unknown} clientContext
 * @property {unknown} identity
 * @property {string} invokedFunctionArn
 * @property {string} awsRequestId
 * @property {string | undefined} tenantId
 * @property {string | undefined} xRayTraceId
 * @property {() => number} getRemainingTimeInMillis may be negative
 */

/**
 * Makes the context of one invocation and puts its trace id where the tracing SDKs look for it.
 * @param {Readonly<Record<string, string>>} headers of the answer of `next`, lower case
 * @param {NodeJS.ProcessEnv} env the process's own: `_X_AMZN_TRACE_ID` is written
 * @returns {Context}
 * @throws {Error} when a header that should be JSON is not
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
export function makeContext(headers, env) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  const traceId = headers['lambda-runtime-trace-id'];
  if (traceId) env['_X_AMZN_TRACE_ID'] = traceId;
  else delete env['_X_AMZN_TRACE_ID'];
  return {
    clientContext: parseHeader(headers, 'lambda-runtime-client-context'),
    identity: parseHeader(headers, 'lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'] ?? '',
    awsRequestId: headers['lambda-runtime-aws-request-id'] ?? '',
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    xRayTraceId: traceId,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
  };
}

/** @param {Readonly<Record<string, string>>} headers @param {string} name @returns {unknown} */
function parseHeader(headers, name) {
  const text = headers[name];
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`cannot parse ${name} as JSON: ${/** @type {Error} */ (error).message}`);
  }
}
