import { LambdaError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { violation } from '../lambda-api/errors.ts';

const contentType = 'application/x-amz-json-1.1';

/** A parameter is not acceptable. */
export function invalidParameter(message: string): LambdaError {
  return new LambdaError('InvalidParameterException', message, { status: 400, fault: 'caller' });
}

/** The same in AWS's words for one member. @param constraint e.g. `Member must not be null` */
export function invalidMember(name: string, value: unknown, constraint: string): LambdaError {
  const shown = value === undefined ? null : String(value).slice(0, 100);
  return invalidParameter(`1 validation error detected: ${violation(shown, name, constraint)}`);
}

/** @param what e.g. `log group` */
export function notFound(what: 'log group' | 'log stream'): LambdaError {
  return new LambdaError('ResourceNotFoundException', `The specified ${what} does not exist.`, {
    status: 400,
    fault: 'caller',
  });
}

/** The operation cannot be done here. */
export function invalidOperation(message: string): LambdaError {
  return new LambdaError('InvalidOperationException', message, { status: 400, fault: 'caller' });
}

/** SDKs try again by themselves. */
export function throttled(): LambdaError {
  return new LambdaError('ThrottlingException', 'Rate exceeded', { status: 400, fault: 'caller' });
}

/** An answer of AWS's JSON protocol 1.1. */
export function jsonAnswer(output: object, requestId: string): Answer {
  return {
    status: 200,
    headers: ['Content-Type', contentType, 'x-amzn-RequestId', requestId],
    body: JSON.stringify(output),
  };
}

/** An error of it: whose fault it is says the status, and the name is in `__type`. */
export function renderJsonError(err: LambdaError, requestId: string): Answer {
  const code = err.code === 'ServiceException' ? 'ServiceUnavailableException' : err.code;
  const headers = ['Content-Type', contentType, 'x-amzn-RequestId', requestId, 'x-kappa-fault', err.fault];
  if (err.retryAfterSeconds !== undefined) headers.push('Retry-After', String(err.retryAfterSeconds));
  return {
    status: err.status < 500 ? 400 : err.status,
    headers,
    body: JSON.stringify({ __type: code, message: err.message }),
  };
}
