import { describeFieldErrors, type FieldError, statusCauses } from './schema/field-error.ts';

/** One field that is wrong, as `details.causes` of a Status shows it. */
export interface Cause {
  /** Machine word: FieldValueInvalid, FieldValueRequired, UnexpectedServerResponse … */
  readonly reason: string;
  readonly message: string;
  /** Path such as `spec.containers[0].image`; absent when the cause is not about a field. */
  readonly field?: string;
}

/** What a Status says beside its message. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** The object that the Kubernetes API answers for every failure, and for a deletion that is done. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** A refusal: thrown anywhere in a handler, rendered once at the edge as a Status object. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): Status {
    const details = this.details === undefined ? {} : { details: this.details };
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...details,
      code: this.code,
    };
  }
}

/** Enough of a resource to name it in a message. */
export interface Named {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** `functions.kappa.dev`, or `pods` for the core group. */
export function qualified(resource: Pick<Named, 'group' | 'plural'>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

function about(resource: Named, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

/** 404: the object is not there. */
export function notFound(resource: Named, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name));
}

/** 404: the path means nothing to this server. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: an object of that name exists. */
export function alreadyExists(resource: Named, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name));
}

/** 409: somebody else was quicker, or a precondition does not hold. */
export function conflict(resource: Named, name: string, why: string, causes?: readonly Cause[]): ApiError {
  const details = { ...about(resource, name), ...(causes === undefined ? {} : { causes }) };
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    details,
  );
}

/** 403: nobody may do this. */
export function forbidden(resource: Named, name: string, why: string, causes?: readonly Cause[]): ApiError {
  const details = { ...about(resource, name), ...(causes === undefined ? {} : { causes }) };
  return new ApiError(403, 'Forbidden', `${qualified(resource)} "${name}" is forbidden: ${why}`, details);
}

/** 400: the request cannot be read. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

/** 410: the history before that version is gone; list again. */
export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

/** 405: this resource has no such verb. */
export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** 422: the object breaks its schema or a rule; every error is one cause. */
export function invalid(resource: Named, name: string, errors: readonly FieldError[]): ApiError {
  const subject = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  const details = {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.kind,
    causes: statusCauses(errors),
  };
  return new ApiError(422, 'Invalid', `${subject} "${name}" is invalid: ${describeFieldErrors(errors)}`, details);
}

/** The Status of a deletion that left nothing behind. */
export function deletedStatus(resource: Named, name: string, uid: string): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...about(resource, name), uid },
    code: 200,
  };
}
