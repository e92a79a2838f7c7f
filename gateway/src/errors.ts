/**
 * Who has to act on an error: the `caller` (bad or too many requests), the owner of the `function` (bad code, bad
 * configuration) or whoever runs the `platform`.
 */
export type Fault = 'caller' | 'function' | 'platform';

/** Lambda's reasons of a throttle that Kappa can give; docs/concurrency.md says when. @see AWS Lambda API, TooManyRequestsException */
export const throttleReasons = [
  'ConcurrentInvocationLimitExceeded',
  'ReservedFunctionConcurrentInvocationLimitExceeded',
  'CallerRateLimitExceeded',
  'ReservedFunctionInvocationRateLimitExceeded',
  'FunctionInvocationRateLimitExceeded',
] as const;

/** One of them. */
export type ThrottleReason = (typeof throttleReasons)[number];

interface LambdaErrorFields {
  readonly status: number;
  readonly fault: Fault;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Base of every error that a caller of the gateway may see. Rendered once at each edge (Lambda API, function URL). */
export class LambdaError extends Error {
  /** Lambda's public exception name (`x-amzn-ErrorType`): a promise, never reworded. */
  readonly code: string;
  /** HTTP status, 400..599. */
  readonly status: number;
  /** Lambda's `Reason` member, only for exceptions that have one. */
  readonly reason: string | undefined;
  /** Whole seconds for a Retry-After header, only where waiting helps. */
  readonly retryAfterSeconds: number | undefined;
  /** Who has to act. */
  readonly fault: Fault;

  constructor(code: string, message: string, fields: LambdaErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = code;
    this.code = code;
    this.status = fields.status;
    this.fault = fields.fault;
    this.reason = fields.reason;
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }
}

/**
 * No concurrency left for the function or its account, too many calls in a second, or the gateway's queue for the function is full.
 * Callers may retry with back-off. `Rate Exceeded.` is the text of AWS.
 */
export class TooManyRequests extends LambdaError {
  /** The same as `reason`, with its closed type. */
  readonly throttle: ThrottleReason;

  constructor(reason: ThrottleReason, message = 'Rate Exceeded.') {
    super('TooManyRequestsException', message, { status: 429, fault: 'caller', reason, retryAfterSeconds: 1 });
    this.throttle = reason;
  }
}

/**
 * The platform failed, not the function. Lambda has one exception for that, with status 500, and every AWS SDK
 * retries it; so does Kappa for every fault of its own, lack of pods included (then with `retryAfterSeconds`).
 * The message says whether the function may have run.
 */
export class ServiceException extends LambdaError {
  constructor(message: string, options: { readonly retryAfterSeconds?: number; readonly cause?: unknown } = {}) {
    super('ServiceException', message, { status: 500, fault: 'platform', ...options });
  }
}

/** The caller went away while its request waited for a pod; it did not run. Nobody reads this answer: 499 as nginx has it. */
export class RequestAbandoned extends LambdaError {
  constructor() {
    super('RequestAbandoned', 'The caller went away while the request waited. It did not run.', {
      status: 499,
      fault: 'caller',
    });
  }
}

/** The function's code is not an acceptable zip (digest, format, paths, sizes). @see AWS Lambda API, InvalidZipFileException */
export class InvalidZipFile extends LambdaError {
  constructor(message: string) {
    super('InvalidZipFileException', message, { status: 502, fault: 'function' });
  }
}

/** No function, version or alias of that name. */
export class ResourceNotFound extends LambdaError {
  constructor(message: string) {
    super('ResourceNotFoundException', message, { status: 404, fault: 'caller' });
  }
}

/** The function exists but cannot be invoked in its present state (Pending, Failed). */
export class ResourceConflict extends LambdaError {
  constructor(message: string) {
    super('ResourceConflictException', message, { status: 409, fault: 'function' });
  }
}

/** The request body is not JSON, or not JSON that the operation takes. */
export class InvalidRequestContent extends LambdaError {
  constructor(message: string) {
    super('InvalidRequestContentException', message, { status: 400, fault: 'caller' });
  }
}

/** A parameter of the request (path, query, header) is not acceptable. */
export class InvalidParameterValue extends LambdaError {
  constructor(message: string) {
    super('InvalidParameterValueException', message, { status: 400, fault: 'caller' });
  }
}

/** The request body is above the limit. */
export class RequestTooLarge extends LambdaError {
  constructor(message: string) {
    super('RequestTooLargeException', message, { status: 413, fault: 'caller' });
  }
}
