/** Why a field was refused; `FieldValue` + reason is the machine-readable cause of a Kubernetes Status. */
export type FieldErrorReason =
  | 'Required'
  | 'Invalid'
  | 'TypeInvalid'
  | 'NotSupported'
  | 'Forbidden'
  | 'TooLong'
  | 'TooMany'
  | 'Duplicate';

/** One refused field, worded as the API server words it. */
export interface FieldError {
  /** Path such as `spec.environment[2].name`; `<nil>` when the server does not know it. */
  readonly field: string;
  readonly reason: FieldErrorReason;
  /** Everything after the field: `Invalid value: 64: spec.memoryMiB in body should be …`. */
  readonly message: string;
  readonly value?: unknown;
}

const titles: Record<FieldErrorReason, string> = {
  Required: 'Required value',
  Invalid: 'Invalid value',
  TypeInvalid: 'Invalid value',
  NotSupported: 'Unsupported value',
  Forbidden: 'Forbidden',
  TooLong: 'Too long',
  TooMany: 'Too many',
  Duplicate: 'Duplicate value',
};

/** Reasons whose message does not repeat the value: it is missing, secret or too long. */
const silent: ReadonlySet<FieldErrorReason> = new Set<FieldErrorReason>(['Required', 'Forbidden', 'TooLong']);

/**
 * Makes a field error.
 *
 * @param value printed as JSON after the title; `undefined` leaves it out
 */
export function fieldError(field: string, reason: FieldErrorReason, detail: string, value?: unknown): FieldError {
  const shown = silent.has(reason) || value === undefined ? '' : `: ${JSON.stringify(value)}`;
  const message = `${titles[reason]}${shown}${detail === '' ? '' : `: ${detail}`}`;
  return value === undefined ? { field, reason, message } : { field, reason, message, value };
}

/** `Unsupported value: "x": supported values: "a", "b"`. */
export function notSupported(field: string, value: unknown, supported: readonly unknown[]): FieldError {
  const values = supported.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)));
  return fieldError(field, 'NotSupported', `supported values: ${values.join(', ')}`, value);
}

/** `Too long: may not be more than 128 bytes`. */
export function tooLong(field: string, max: number): FieldError {
  return fieldError(field, 'TooLong', `may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`);
}

/** `Too many: 101: must have at most 100 items`. */
export function tooMany(field: string, actual: number, max: number): FieldError {
  return fieldError(field, 'TooMany', `must have at most ${max} ${max === 1 ? 'item' : 'items'}`, actual);
}

/** The text after `… is invalid: ` in a Status message; several errors stand in brackets. */
export function describeFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** `details.causes` of a Status with reason Invalid. */
export function statusCauses(errors: readonly FieldError[]): { reason: string; message: string; field: string }[] {
  return errors.map(({ reason, message, field }) => ({ reason: `FieldValue${reason}`, message, field }));
}

/** A child of a field path; a root has the empty path. */
export function childPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
