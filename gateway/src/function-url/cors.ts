import type { IncomingMessage } from 'node:http';

/** Cross-origin rules of a URL or a route. */
export interface CorsRules {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  /** 0 = browsers decide. */
  readonly maxAgeSeconds: number;
}

/** Headers of a request that CORS looks at. */
export interface CorsRequest {
  readonly method: string;
  readonly origin: string | undefined;
  /** Access-Control-Request-Method; only a preflight has it. */
  readonly requestMethod: string | undefined;
  /** Access-Control-Request-Headers. */
  readonly requestHeaders: string | undefined;
}

/** What CORS looks at of a request. */
export function corsRequestOf({ method = 'GET', headers }: IncomingMessage): CorsRequest {
  return {
    method,
    origin: headers.origin,
    requestMethod: headers['access-control-request-method'],
    requestHeaders: headers['access-control-request-headers'],
  };
}

/** A preflight is answered by the gateway, the function is not called. */
export function isPreflight(request: CorsRequest): boolean {
  return request.method === 'OPTIONS' && request.origin !== undefined && request.requestMethod !== undefined;
}

/**
 * Flat headers that answer a preflight. An origin that is not allowed gets none: fails closed, the browser refuses.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function preflightHeaders(cors: CorsRules, request: CorsRequest): readonly string[] {
  const allowed = originHeaders(cors, request.origin);
  if (allowed.length === 0) return vary;
  const headers = [...allowed];
  const methods = allowedList(cors, cors.allowMethods, request.requestMethod);
  if (methods !== '') headers.push('Access-Control-Allow-Methods', methods);
  const names = allowedList(cors, cors.allowHeaders.filter(isHeaderName), request.requestHeaders);
  if (names !== '') headers.push('Access-Control-Allow-Headers', names);
  if (cors.maxAgeSeconds > 0) headers.push('Access-Control-Max-Age', String(cors.maxAgeSeconds));
  return headers;
}

/** With credentials a browser takes `*` for a name: then what it has asked for is said. '' = nothing is allowed. */
function allowedList({ allowCredentials }: CorsRules, allowed: readonly string[], asked: string | undefined): string {
  return allowCredentials && allowed.includes('*') ? (asked ?? '') : allowed.join(',');
}

/**
 * The answer's headers with those of CORS: what the Function says replaces what its code says, as in Lambda. A
 * request without
 * an Origin keeps the code's.
 */
export function withCors(
  cors: CorsRules | null,
  origin: string | undefined,
  headers: readonly string[],
): readonly string[] {
  if (cors === null || origin === undefined) return headers;
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!name.toLowerCase().startsWith('access-control-')) kept.push(name, headers[at + 1] ?? '');
  }
  const allowed = originHeaders(cors, origin);
  if (allowed.length === 0) return [...kept, ...vary];
  const names = cors.exposeHeaders.filter(isHeaderName).join(',');
  const exposed = names === '' ? [] : ['Access-Control-Expose-Headers', names];
  return [...kept, ...allowed, ...exposed];
}

/** Manifests can say no other, what an older gateway has kept of them can: Node would send no answer with it. */
function isHeaderName(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

const vary: readonly string[] = ['Vary', 'Origin'];

/** Empty = the origin is not allowed. */
function originHeaders(cors: CorsRules, origin: string | undefined): readonly string[] {
  const isAny = cors.allowOrigins.includes('*');
  if (origin === undefined || !(isAny || cors.allowOrigins.includes(origin))) return [];
  // With credentials a browser does not take `*`: the origin itself has to be said.
  const allowed = isAny && !cors.allowCredentials ? '*' : origin;
  const credentials = cors.allowCredentials ? ['Access-Control-Allow-Credentials', 'true'] : [];
  return ['Access-Control-Allow-Origin', allowed, ...credentials, ...vary];
}
