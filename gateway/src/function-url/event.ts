import { isUtf8 } from 'node:buffer';

import { arnOfPrincipal, ownAccountOf, type Principal } from '../auth/principal.ts';

/** A request as events of payload format 2.0 need it; nothing of `node:http`, so that it can be made from text. */
export interface UrlRequest {
  readonly method: string;
  /** Begins with a slash; as it came, percent-encoded. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** e.g. `HTTP/1.1`. */
  readonly protocol: string;
  readonly sourceIp: string;
  readonly requestId: string;
  /** What the function sees as its trace id, whatever came in. */
  readonly traceId: string;
  /** Epoch milliseconds. */
  readonly timeMs: number;
  /** Who signed it; null = nobody was asked. */
  readonly caller: Principal | null;
}

/** Whose URL it is. */
export interface UrlOwner {
  readonly accountId: string;
  /** ID of the URL: the prefix of its domain. */
  readonly id: string;
  /** Domain of all IDs, e.g. `lambda-url.us-east-1.fn.localhost`. */
  readonly domain: string;
  readonly port: number;
}

/**
 * The event of a function URL, payload format 2.0, as UTF-8 JSON.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
 */
export function makeUrlEvent(request: UrlRequest, owner: UrlOwner): Buffer {
  const { headers, cookies } = readHeaders(request, owner.port);
  const queryStringParameters = readQuery(request.query);
  const { method, path, requestId } = request;
  return Buffer.from(
    JSON.stringify({
      version: '2.0',
      routeKey: '$default',
      rawPath: path,
      rawQueryString: request.query,
      cookies,
      headers,
      queryStringParameters,
      requestContext: {
        accountId: owner.accountId,
        apiId: owner.id,
        ...authorizerOf(request.caller),
        domainName: `${owner.id}.${owner.domain}`,
        domainPrefix: owner.id,
        http: {
          method,
          path,
          protocol: request.protocol,
          sourceIp: request.sourceIp,
          userAgent: headers['user-agent'] ?? null,
        },
        requestId,
        routeKey: '$default',
        stage: '$default',
        time: clfTime(request.timeMs),
        timeEpoch: request.timeMs,
      },
      ...eventBody(request.body, headers['content-type']),
    }),
  );
}

/** What a signed caller is, in the words of AWS. */
function authorizerOf(caller: Principal | null): object {
  if (caller === null) return {};
  const { accessKeyId } = caller;
  const iam = {
    accessKey: accessKeyId,
    accountId: ownAccountOf(caller),
    callerId: accessKeyId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: arnOfPrincipal(caller),
    userId: accessKeyId,
  };
  return { authentication: null, authorizer: { iam } };
}

/** A body as events have it: text where its type says so and it is UTF-8, else base64. Without a body there is no member for it. */
export function eventBody(
  body: Buffer,
  contentType: string | undefined,
): { readonly body?: string; readonly isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const isText = isTextType(contentType) && isUtf8(body);
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

/** What belongs to the connection, not to the request; and what only Kappa may say. @see RFC 9110, 7.6.1 */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'x-forwarded-for',
  'x-forwarded-port',
  'x-forwarded-proto',
]);

/** Headers and cookies as payload format 2.0 has them. */
export interface ReadHeaders {
  /** Lower case; the values of a repeated name are joined by commas. */
  readonly headers: Record<string, string>;
  /** undefined = no cookie. */
  readonly cookies: readonly string[] | undefined;
}

/** Whether functions do not see a header of a request. @param name lower case */
export function isHidden(name: string): boolean {
  return dropped.has(name) || name.startsWith('x-kappa-');
}

/** What a function sees of the headers. @param port where the request came in */
export function readHeaders(
  { rawHeaders, sourceIp, traceId }: Pick<UrlRequest, 'rawHeaders' | 'sourceIp' | 'traceId'>,
  port: number,
): ReadHeaders {
  // Without a prototype, so that a header named __proto__ is one like any other.
  const headers: Record<string, string> = Object.create(null);
  const cookies: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (isHidden(name)) continue;
    const isCookie = name === 'cookie';
    if (isCookie) cookies.push(...splitCookies(value));
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${isCookie ? '; ' : ','}${value}`;
  }
  headers['x-forwarded-for'] = sourceIp;
  headers['x-forwarded-port'] = String(port);
  headers['x-forwarded-proto'] = 'http';
  headers['x-amzn-trace-id'] = traceId;
  return { headers, cookies: cookies.length === 0 ? undefined : cookies };
}

function splitCookies(value: string): string[] {
  return value
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '');
}

/** Decoded; the values of a repeated name are joined by commas. undefined = no query. */
export function readQuery(query: string): Record<string, string> | undefined {
  if (query === '') return undefined;
  const parameters: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters[name];
    parameters[name] = before === undefined ? value : `${before},${value}`;
  }
  return parameters;
}

const textType = /^(?:text\/|application\/(?:[a-z0-9.-]+\+)?(?:json|xml|javascript)\s*(?:;|$))/i;

/** Types whose body is handed over as text, as in Lambda (which encodes forms, too). */
function isTextType(contentType: string | undefined): boolean {
  return contentType !== undefined && textType.test(contentType);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Common log format, e.g. `12/Mar/2020:19:03:58 +0000`. @param timeMs epoch milliseconds */
export function clfTime(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return `${iso.slice(8, 10)}/${months[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
