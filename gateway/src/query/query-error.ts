import { LambdaError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { element } from './xml.ts';

/** An error by its name in the query protocol, e.g. `NoSuchEntity`. */
export function queryError(code: string, message: string, status = 400): LambdaError {
  return new LambdaError(code, message, { status, fault: 'caller' });
}

/** A parameter breaks a rule. @param name as the request has it @param constraint e.g. `Member must not be null` */
export function parameterError(name: string, value: string | null, constraint: string): LambdaError {
  const path = name.charAt(0).toLowerCase() + name.slice(1);
  const shown = value === null ? 'null' : `'${value.slice(0, 100)}'`;
  return queryError(
    'ValidationError',
    `1 validation error detected: Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`,
  );
}

/** The names that the query protocol has for what authentication and the API server say. */
const codes: ReadonlyMap<string, string> = new Map([
  ['MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
  ['IncompleteSignatureException', 'IncompleteSignature'],
  ['UnrecognizedClientException', 'InvalidClientTokenId'],
  ['InvalidSignatureException', 'SignatureDoesNotMatch'],
  ['ExpiredTokenException', 'ExpiredToken'],
  ['AccessDeniedException', 'AccessDenied'],
  ['ServiceException', 'ServiceFailure'],
  ['InvalidParameterValueException', 'InvalidInput'],
  ['ResourceConflictException', 'ConcurrentModification'],
  ['RequestEntityTooLargeException', 'RequestEntityTooLarge'],
]);

/** The error as query clients read it. @param namespace of the service's XML */
export function renderQueryError(err: LambdaError, namespace: string, requestId: string): Answer {
  const type = err.fault === 'platform' ? 'Receiver' : 'Sender';
  const error = { Type: type, Code: codes.get(err.code) ?? err.code, Message: err.message };
  const headers = [...xmlHeaders(requestId), 'x-kappa-fault', err.fault];
  if (err.retryAfterSeconds !== undefined) headers.push('Retry-After', String(err.retryAfterSeconds));
  const body = element('ErrorResponse', { Error: error, RequestId: requestId }, namespace);
  return { status: err.status, headers, body };
}

/** Of every answer of the query protocol. */
export function xmlHeaders(requestId: string): readonly string[] {
  return ['Content-Type', 'text/xml', 'x-amzn-RequestId', requestId];
}
