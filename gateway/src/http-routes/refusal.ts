import { type Fault, LambdaError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';

/** A request of a route that no function answers. */
export class RouteRefusal extends LambdaError {
  /** Flat headers that the answer has besides. */
  readonly headers: readonly string[];

  constructor(
    code: string,
    message: string,
    fields: { status: number; fault: Fault; retryAfterSeconds?: number; headers?: readonly string[]; cause?: unknown },
  ) {
    super(code, message, fields);
    this.headers = fields.headers ?? [];
  }
}

/** The path cannot be read, or not in one way only. */
export function badPath(): RouteRefusal {
  const problem =
    "the path is not well encoded, has a segment '.' or '..', or one with '/', '\\' or ';' that may mean another route";
  return new RouteRefusal('BadRequestException', problem, { status: 400, fault: 'caller' });
}

/** No route answers. */
export function noRoute(): RouteRefusal {
  return new RouteRefusal('NotFoundException', 'no route answers this method and path', {
    status: 404,
    fault: 'caller',
  });
}

/** Nobody has shown who he is. @param challenge value of WWW-Authenticate; absent = there is none */
export function unauthorized(problem: string, challenge?: string): RouteRefusal {
  return new RouteRefusal('UnauthorizedException', problem, {
    status: 401,
    fault: 'caller',
    ...(challenge !== undefined && { headers: ['WWW-Authenticate', challenge] }),
  });
}

/** Who he is may not do this. @param challenge as of {@link unauthorized} */
export function forbidden(problem: string, challenge?: string): RouteRefusal {
  return new RouteRefusal('ForbiddenException', problem, {
    status: 403,
    fault: 'caller',
    ...(challenge !== undefined && { headers: ['WWW-Authenticate', challenge] }),
  });
}

/** The route's throttle. */
export function throttled(): RouteRefusal {
  const problem = "more requests than the route's throttle lets through; try again, with growing pauses";
  return new RouteRefusal('LimitExceededException', problem, { status: 429, fault: 'caller', retryAfterSeconds: 1 });
}

/** The authorizer gave no answer that says anything. Fails closed; its owner has to act, and is told more than the caller. */
export class AuthorizerFailed extends RouteRefusal {
  /** For the Function's owner: names, addresses. */
  readonly detail: string;

  constructor(detail: string, cause?: unknown) {
    super('AuthorizerFailureException', 'the authorizer of this route has failed; an event of its Function says why', {
      status: 500,
      fault: 'function',
      cause,
    });
    this.detail = detail;
  }
}

/** In the words of API Gateway. */
const messages: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** The answer as API Gateway gives it; who is at fault, and what it was, stand in headers. */
export function renderRefusal(err: LambdaError): Answer {
  // 409 would tell an HTTP caller that its request is at odds with a resource; it only came too early.
  const isNotReady = err.code === 'ResourceConflictException';
  const status = isNotReady ? 503 : err.status;
  const headers = ['Content-Type', 'application/json', 'x-amzn-ErrorType', err.code, 'x-kappa-fault', err.fault];
  headers.push('x-kappa-error-message', err.message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MESSAGE_CHARS));
  if (err instanceof RouteRefusal) headers.push(...err.headers);
  const retryAfterSeconds = err.retryAfterSeconds ?? (isNotReady ? 1 : undefined);
  if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(retryAfterSeconds));
  return { status, headers, body: JSON.stringify({ message: messages[status] ?? 'Internal Server Error' }) };
}

const MESSAGE_CHARS = 512;
