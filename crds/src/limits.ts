/**
 * Every limit of Kappa that others must know, each with its unit in its name. Values without another source are AWS Lambda's.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */

/** Largest event and largest answer of a synchronous invocation, bytes: 6 MiB + 100. Source: Lambda's runtime interface emulator. */
export const syncPayloadMaxBytes = 6_291_556;

/** Event of an asynchronous invocation. @see AWS Lambda quotas */
export const asyncPayloadMaxBytes = 1_048_576;
/** The same by the old operation InvokeAsync. */
export const invokeAsyncMaxBytes = 262_144;
/** Largest streamed answer where the install does not say, bytes: 20 MiB, which Lambda had until it raised it. */
export const streamPayloadDefaultBytes = 20_971_520;
/** Largest request line and headers together, bytes: 1 MiB. */
export const requestHeadersMaxBytes = 1_048_576;
/** What `X-Amz-Log-Result` carries of the end of the log, bytes before base64. */
export const logTailBytes = 4_096;
/** Longest `X-Amz-Client-Context` as it is sent, in base64, bytes. */
export const clientContextMaxBytes = 3_583;

/** Time for the init phase of an on-demand execution environment, milliseconds; afterwards init runs again inside the invocation. */
export const initTimeoutMs = 10_000;
/** Shortest time-out of a function, seconds. */
export const timeoutMinSeconds = 1;
/** Longest time-out of a function, seconds. */
export const timeoutMaxSeconds = 900;
/** Time-out of a function that does not say, seconds. */
export const timeoutDefaultSeconds = 3;

/** Least memory of a function, MiB. */
export const memoryMinMiB = 128;
/** Most memory of a function, MiB. */
export const memoryMaxMiB = 10_240;
/** Memory of a function that does not say, MiB. */
export const memoryDefaultMiB = 128;
/** Memory at which a function has one vCPU, MiB; CPU is in proportion. */
export const memoryPerVcpuMiB = 1_769;

/** Largest zip that is uploaded directly, bytes: 50 MiB. */
export const zipMaxBytes = 52_428_800;
/** Largest body of a request that brings code in base64, bytes. Source: measured, localstack/localstack#7074. */
export const codeRequestMaxBytes = 69_905_067;
/** Code and layers together, unpacked, bytes: 250 MiB. */
export const unpackedMaxBytes = 262_144_000;
/** Inline files of a manifest together, bytes: 512 KiB (Kappa's own; an object in etcd may have about 1.5 MiB). */
export const inlineCodeMaxBytes = 524_288;
/** Inline files of a manifest (Kappa's own). */
export const inlineFilesMax = 100;
/** Longest path of an inline file, characters (Kappa's own). */
export const inlinePathMaxChars = 256;
/** Files in a zip (Kappa's own: a bound on what unpacking may cost). */
export const zipEntriesMax = 65_535;

/** Layers of one function. */
export const layersMax = 5;

/** Names and values of all environment variables together, bytes. */
export const environmentMaxBytes = 4_096;
/** Environment variables of one function (Kappa's own: keeps the CEL rules cheap). */
export const environmentEntriesMax = 256;

/** Longest Lambda name of a function, characters. */
export const functionNameMaxChars = 64;
/** Longest `metadata.name` of a Function, characters (Kappa's own: room for `-<revision>` and for label values). */
export const objectNameMaxChars = 150;
/** Longest alias name, characters. */
export const aliasNameMaxChars = 128;
/** Longest handler, characters. */
export const handlerMaxChars = 128;
/** Longest description, characters. */
export const descriptionMaxChars = 256;

/** Concurrent executions of an account when nobody says otherwise. */
export const accountConcurrencyDefault = 1_000;
/** Largest `concurrency.reserved` and `.provisioned` (Kappa's own). */
export const concurrencyMax = 100_000;
/** Requests per second for one unit of concurrency, synchronous calls. */
export const requestsPerSecondPerConcurrency = 10;
/** Execution environments that a function may get in `scaleOutSeconds`. */
export const scaleOutEnvironments = 1_000;
/** See there. */
export const scaleOutSeconds = 10;
/** `concurrency.maxQueueSeconds` of a function that does not say (Kappa's own). */
export const limitQueueDefaultSeconds = 10;
/** Largest `concurrency.maxQueueSeconds` (Kappa's own). */
export const limitQueueMaxSeconds = 300;
/** `concurrency.maxQueued` of a function that does not say (Kappa's own). */
export const limitQueueDefaultCalls = 100;
/** Largest `concurrency.maxQueued` (Kappa's own). */
export const limitQueueMaxCalls = 10_000;

/** Shortest `idleTimeoutSeconds` (Kappa's own). */
export const idleTimeoutMinSeconds = 1;
/** Longest `idleTimeoutSeconds` (Kappa's own). */
export const idleTimeoutMaxSeconds = 86_400;
/** `idleTimeoutSeconds` of a function that does not say (Kappa's own). */
export const idleTimeoutDefaultSeconds = 300;

/** Longest time that a preflight answer may be kept, seconds. */
export const corsMaxAgeMaxSeconds = 86_400;

/** Largest `Pool.spec.replicas` (Kappa's own). */
export const poolReplicasMax = 1_000;
/** `Pool.spec.maxPods` of a pool that does not say (Kappa's own). */
export const poolPodsDefault = 200;
/** `Pool.spec.idleSeconds` of a pool that does not say (Kappa's own). */
export const poolIdleDefaultSeconds = 60;

/**
 * Environment variables that a user may not set: the platform does. Names that begin with `KAPPA_` or are not
 * `[a-zA-Z][a-zA-Z0-9_]+` are refused too.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export const reservedVariables: readonly string[] = [
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_LAMBDA_MAX_CONCURRENCY',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
];
