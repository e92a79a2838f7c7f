/** The API server refused a call, or could not be asked. The only error that `@kappa/crds/client` throws for calls. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** HTTP status; 0 when there was no answer (refused, reset, timed out). */
  readonly code: number;
  /** Kubernetes' own word, for example AlreadyExists, Conflict, Invalid, NotFound; `Unreachable` when `code` is 0. */
  readonly reason: string;
  /** How long the server asks to wait, seconds; null when it did not say. */
  readonly retryAfterSeconds: number | null;

  constructor(
    what: string,
    code: number,
    reason: string,
    options: { readonly cause?: unknown; readonly retryAfterSeconds?: number | null } = {},
  ) {
    super(what, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** The object (or its kind) does not exist. */
export function isNotFound(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && error.code === 404;
}

/** Somebody else wrote first, a precondition does not hold, or the object exists already: read again, then decide. */
export function isConflict(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && error.code === 409;
}

/** `create` of something that is there. Also `isConflict`. */
export function isAlreadyExists(error: unknown): error is KubernetesError {
  return isConflict(error) && error.reason === 'AlreadyExists';
}

/** The resource version is too old for a watch or the next page: list again. */
export function isGone(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && (error.code === 410 || error.reason === 'Expired');
}

/** The caller may not do this, or a quota or an admission rule says no. */
export function isRefused(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && error.code === 403;
}

/** The object was refused by schema, CEL or admission: trying again does not help. */
export function isInvalid(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && (error.code === 422 || error.code === 400);
}

/** The API server is away or overloaded: the same call may work later. */
export function isUnavailable(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && (error.code === 0 || error.code === 429 || error.code >= 500);
}

/** The API server has too much to do and asks to come back later: to ask for more instead makes it worse. */
export function isTooBusy(error: unknown): error is KubernetesError {
  return error instanceof KubernetesError && error.code === 429;
}

/** How long the server asks to wait, milliseconds; 0 when it did not say. */
export function askedPauseMs(error: unknown): number {
  return error instanceof KubernetesError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}

/**
 * The error that an answer is: a `Status` object of Kubernetes when the body is one, else the HTTP status alone.
 *
 * @param what the call, for the message, for example `GET /api/v1/pods`
 */
export function errorOfStatus(what: string, code: number, body: string, retryAfter?: string): KubernetesError {
  const status = readStatus(body);
  const reason = status.reason ?? `Http${code}`;
  const seconds = Number(retryAfter ?? status.details?.retryAfterSeconds);
  const retryAfterSeconds = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  return new KubernetesError(
    `${what}: ${code} ${reason}${status.message === undefined ? '' : `: ${status.message}`}`,
    code,
    reason,
    { retryAfterSeconds },
  );
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

function readStatus(body: string): Status {
  try {
    const parsed: unknown = JSON.parse(body);
    return isStatus(parsed) ? parsed : {};
  } catch {
    return {}; // a proxy's page or an empty body: the status code has to do
  }
}

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}
