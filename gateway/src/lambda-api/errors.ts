import { LambdaError, ServiceException } from '../errors.ts';
import type { Answer } from '../http/answer.ts';

/**
 * Exceptions whose JSON has `Message`, not `message`: the service model of AWS says which, and SDKs of typed
 * languages look for exactly that.
 *
 * @see botocore, lambda/2015-03-31/service-2.json
 */
const upperCaseMessage: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'ServiceException',
  'ResourceInUseException',
  'CodeSigningConfigNotFoundException',
  'InvalidRuntimeException',
  'InvalidZipFileException',
  'InvalidSecurityGroupIDException',
  'InvalidSubnetIDException',
  'EC2AccessDeniedException',
  'EC2ThrottledException',
  'EC2UnexpectedException',
  'ENILimitReachedException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
  'SubnetIPAddressLimitReachedException',
  'RecursiveInvocationException',
  'AccessDeniedException',
]);

/** The Lambda API's form of an error: status, `x-amzn-ErrorType`, JSON body, and who is at fault. */
export function renderError(err: LambdaError, requestId: string): Answer {
  const key = upperCaseMessage.has(err.code) ? 'Message' : 'message';
  const Type = err.fault === 'platform' ? 'Service' : 'User';
  const body = JSON.stringify({
    ...(err.reason === undefined ? {} : { Reason: err.reason }),
    Type,
    [key]: err.message,
  });
  const headers = [
    'Content-Type',
    'application/json',
    'x-amzn-RequestId',
    requestId,
    'x-amzn-ErrorType',
    err.code,
    'x-kappa-fault',
    err.fault,
  ];
  if (err.retryAfterSeconds !== undefined) headers.push('Retry-After', String(err.retryAfterSeconds));
  return { status: err.status, headers, body };
}

/** What a caller may see of any failure: a LambdaError as it is, all else as a platform error without its text. */
export function toLambdaError(err: unknown): LambdaError {
  if (err instanceof LambdaError) return err;
  return new ServiceException('The service encountered an internal error. Please try again later.', { cause: err });
}
