import { LambdaError, ServiceException } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { type ExceptionName, lambdaModel } from './model/model.ts';
import type { ExceptionRow } from './model/table.ts';

/** An exception that the service model declares, with the members that it has besides `Type` and its message. */
export class ModelError extends LambdaError {
  /** By name in the model; the model says which of them travel in headers. */
  readonly more: Readonly<Record<string, string>>;

  constructor(code: ExceptionName, row: ExceptionRow, message: string, more: Readonly<Record<string, string>>) {
    super(code, message, { status: row.status, fault: row.sender ? 'caller' : 'function' });
    this.more = more;
  }
}

/**
 * An exception of the service model with its status, for all that have no class of their own in `errors.ts` of the gateway.
 *
 * @param more further members, e.g. `{ EC2ErrorCode }`
 * @throws Error for a name that the model does not have (a bug: names are typed)
 */
export function lambdaException(
  code: Exclude<ExceptionName, 'ServiceException' | 'TooManyRequestsException'>,
  message: string,
  more: Readonly<Record<string, string>> = {},
): ModelError {
  const row = lambdaModel.exceptions.get(code);
  if (row === undefined) throw new Error(`the model has no exception ${code}`);
  return new ModelError(code, row, message, more);
}

/**
 * The input breaks rules of the service model, or rules that Lambda words the same way. Not declared by any operation, and
 * answered by all.
 *
 * @param violations one text of `violation` each, at least one
 */
export function validationError(violations: readonly string[]): LambdaError {
  const count = violations.length === 1 ? '1 validation error' : `${violations.length} validation errors`;
  const message = `${count} detected: ${violations.join('; ')}`;
  return new LambdaError('ValidationException', message, { status: 400, fault: 'caller' });
}

/**
 * One violation in AWS's words.
 *
 * @param shown the value as AWS writes it (see `showValue`), `null` for a missing one, `hidden` for what must not be shown
 * @param path members from the input down, each with its first letter in lower case
 * @param constraint e.g. `Member must not be null`
 */
export function violation(shown: string | null | typeof hidden, path: string, constraint: string): string {
  const value = shown === hidden ? '' : shown === null ? ' null' : ` '${shown}'`;
  return `Value${value} at '${path}' failed to satisfy constraint: ${constraint}`;
}

/** In place of a sensitive value. */
export const hidden = Symbol('hidden');

/** The request cannot be read: not JSON, or a value of the wrong type. Not declared by any operation. */
export function serializationError(message: string): LambdaError {
  return new LambdaError('SerializationException', message, { status: 400, fault: 'caller' });
}

/** No operation has this path and method: AWS says so with 403, and no SDK ever sees it. */
export function unknownOperation(): LambdaError {
  const message = 'Unable to determine service/operation name to be authorized';
  return new LambdaError('AccessDeniedException', message, { status: 403, fault: 'caller' });
}

/** The Lambda API's form of an error: status, `x-amzn-ErrorType`, JSON body, and who is at fault. */
export function renderError(err: LambdaError, requestId: string): Answer {
  const row = exceptionRow(err.code);
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
  const members: Record<string, string> = {};
  for (const [name, value] of err instanceof ModelError ? Object.entries(err.more) : []) {
    const header = row?.more?.[name];
    if (typeof header === 'string') headers.push(header, value);
    else members[name] = value;
  }
  if (err.reason !== undefined) members['Reason'] = err.reason;
  members['Type'] = err.fault === 'platform' ? 'Service' : 'User';
  members[messageKey(err.code, row)] = err.message;
  return { status: err.status, headers, body: JSON.stringify(members) };
}

/**
 * Whether the text is in `message` or `Message`: the model says it for its own exceptions, and SDKs of typed languages look
 * for exactly that. Of the undeclared ones AWS writes this in upper case.
 */
function messageKey(code: string, row: ExceptionRow | undefined): 'message' | 'Message' {
  return row?.message ?? (code === 'AccessDeniedException' ? 'Message' : 'message');
}

/** Errors have any code; the model has a row for those it declares. */
function exceptionRow(code: string): ExceptionRow | undefined {
  const rows: ReadonlyMap<string, ExceptionRow> = lambdaModel.exceptions;
  return rows.get(code);
}

/** What a caller may see of any failure: a LambdaError as it is, all else as a platform error without its text. */
export function toLambdaError(err: unknown): LambdaError {
  if (err instanceof LambdaError) return err;
  return new ServiceException('The service encountered an internal error. Please try again later.', { cause: err });
}
