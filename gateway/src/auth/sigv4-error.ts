import { LambdaError } from '../errors.ts';

/** Names that every AWS service gives to requests that it cannot attribute. @see AWS, Common error types */
type SignatureErrorCode =
  | 'MissingAuthenticationTokenException'
  | 'UnrecognizedClientException'
  | 'ExpiredTokenException'
  | 'InvalidSignatureException'
  | 'IncompleteSignatureException'
  | 'AccessDeniedException';

function refusal(code: SignatureErrorCode, message: string): LambdaError {
  return new LambdaError(code, message, {
    status: code === 'IncompleteSignatureException' ? 400 : 403,
    fault: 'caller',
  });
}

/** The request is not signed at all. */
export function missingToken(message = 'Missing Authentication Token'): LambdaError {
  return refusal('MissingAuthenticationTokenException', message);
}

/** The signature is not in a form that can be checked. */
export function incomplete(problem: string): LambdaError {
  return refusal('IncompleteSignatureException', problem);
}

/** The signature can be checked and is not right, or not any more. */
export function invalid(problem: string): LambdaError {
  return refusal('InvalidSignatureException', problem);
}

/** Nobody has this access key. The text of AWS, which covers session tokens as well. */
export function unrecognized(): LambdaError {
  return refusal('UnrecognizedClientException', 'The security token included in the request is invalid.');
}

/** Session credentials whose time is over. */
export function expiredToken(): LambdaError {
  return refusal('ExpiredTokenException', 'The security token included in the request is expired');
}

/** Known, but not allowed. */
export function accessDenied(message: string): LambdaError {
  return refusal('AccessDeniedException', message);
}
