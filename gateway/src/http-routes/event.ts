import { clfTime, eventBody, isHidden, readHeaders, readQuery, type UrlRequest } from '../function-url/event.ts';
import { DEFAULT_STAGE } from './compiled-route.ts';
import type { RouteMatch } from './table.ts';

/** A request of a route, as events need it. */
export interface RouteRequest extends Omit<UrlRequest, 'caller'> {
  readonly match: RouteMatch;
  /** Of its path, see readPath. */
  readonly segments: readonly string[];
  /** Twelve digits. */
  readonly accountId: string;
  /** Of the function. */
  readonly region: string;
  /** Name under which it was asked, lower case, without a port. */
  readonly domainName: string;
  readonly port: number;
}

/** What an authorizer has found out, as events have it. */
export type Authorization =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'jwt';
      readonly claims: Readonly<Record<string, string>>;
      /** Those of the route that the token has; null = the route asks for none. */
      readonly scopes: readonly string[] | null;
    }
  | {
      readonly kind: 'lambda';
      readonly principalId: string | null;
      readonly context: Readonly<Record<string, unknown>>;
    };

/** Nobody was asked. */
export const noAuthorization: Authorization = { kind: 'none' };

/** `GET /pets/{id}`: the method as the route declares it. */
export function routeKeyOf({ route, method }: RouteMatch): string {
  return `${method} ${route.spec.path}`;
}

/** The event of a request as UTF-8 JSON, in the payload format of its route. */
export function makeRouteEvent(request: RouteRequest, authorization: Authorization): Buffer {
  const event =
    request.match.route.spec.payloadFormat === '2.0'
      ? makeEvent2(request, authorization)
      : makeEvent1(request, authorization);
  return Buffer.from(JSON.stringify(event));
}

/**
 * Payload format 2.0. `rawPath` begins with the stage, unless that is `$default`.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function makeEvent2(request: RouteRequest, authorization: Authorization): Readonly<Record<string, unknown>> {
  const { match, path, requestId, timeMs } = request;
  const { headers, cookies } = readHeaders(request, request.port);
  const routeKey = routeKeyOf(match);
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: request.query,
    cookies,
    headers,
    queryStringParameters: readQuery(request.query),
    requestContext: {
      accountId: request.accountId,
      apiId: match.route.apiId,
      ...authorizer2(authorization),
      ...domainOf(request),
      http: {
        method: request.method,
        path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey,
      stage: match.route.spec.stage,
      time: clfTime(timeMs),
      timeEpoch: timeMs,
    },
    ...(match.params !== null && { pathParameters: match.params }),
    ...eventBody(request.body, headers['content-type']),
  };
}

function authorizer2(authorization: Authorization): object {
  if (authorization.kind === 'none') return {};
  if (authorization.kind === 'lambda') return { authorizer: { lambda: authorization.context } };
  return { authorizer: { jwt: { claims: authorization.claims, scopes: authorization.scopes } } };
}

/**
 * Payload format 1.0. `path` is without the stage, `requestContext.path` with it, as with a REST API.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function makeEvent1(request: RouteRequest, authorization: Authorization): Readonly<Record<string, unknown>> {
  const { match, method, path, requestId, timeMs } = request;
  const { spec } = match.route;
  const headers = readHeaders1(request);
  const query = readQuery1(request.query);
  const { body = null, isBase64Encoded } = eventBody(request.body, headerOf(headers.last, 'content-type'));
  return {
    version: '1.0',
    resource: spec.path,
    path: withoutStage(path, spec.stage),
    httpMethod: method,
    headers: headers.last,
    multiValueHeaders: headers.all,
    queryStringParameters: query?.last ?? null,
    multiValueQueryStringParameters: query?.all ?? null,
    pathParameters: match.params,
    stageVariables: null,
    requestContext: {
      accountId: request.accountId,
      apiId: match.route.apiId,
      ...authorizer1(authorization),
      ...domainOf(request),
      extendedRequestId: requestId,
      httpMethod: method,
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: request.sourceIp,
        user: null,
        userAgent: headerOf(headers.last, 'user-agent') ?? '',
        userArn: null,
      },
      path,
      protocol: request.protocol,
      requestId,
      requestTime: clfTime(timeMs),
      requestTimeEpoch: timeMs,
      resourceId: routeKeyOf(match),
      resourcePath: spec.path,
      stage: spec.stage,
    },
    body,
    isBase64Encoded,
  };
}

function authorizer1(authorization: Authorization): object {
  if (authorization.kind === 'none') return {};
  if (authorization.kind === 'jwt')
    return { authorizer: { claims: authorization.claims, scopes: authorization.scopes } };
  const texts = Object.entries(authorization.context).map(([name, value]) => [name, textOfContext(value)]);
  const { principalId } = authorization;
  return { authorizer: { ...Object.fromEntries(texts), ...(principalId !== null && { principalId }) } };
}

/** REST APIs hand on texts only. */
function textOfContext(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function domainOf({ domainName }: RouteRequest): { readonly domainName: string; readonly domainPrefix: string } {
  return { domainName, domainPrefix: domainName.split('.', 1)[0] ?? '' };
}

function withoutStage(path: string, stage: string): string {
  if (stage === DEFAULT_STAGE) return path;
  const at = path.indexOf('/', path.search(/[^/]/));
  return at < 0 ? '/' : path.slice(at);
}

interface Multi {
  /** The last value of each name. */
  readonly last: Record<string, string>;
  readonly all: Record<string, string[]>;
}

/** Names as the caller has spelt them first. */
function readHeaders1({ rawHeaders, sourceIp, traceId, port }: RouteRequest): Multi {
  const spelling = new Map<string, string>();
  const pairs: [name: string, value: string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (isHidden(lower) || lower === TRACE) continue;
    const first = spelling.get(lower) ?? name;
    spelling.set(lower, first);
    pairs.push([first, rawHeaders[at + 1] ?? '']);
  }
  pairs.push(['X-Amzn-Trace-Id', traceId], ['X-Forwarded-For', sourceIp]);
  pairs.push(['X-Forwarded-Port', String(port)], ['X-Forwarded-Proto', 'http']);
  return multi(pairs);
}

const TRACE = 'x-amzn-trace-id';

function readQuery1(query: string): Multi | null {
  return query === '' ? null : multi(new URLSearchParams(query));
}

function multi(pairs: Iterable<readonly [name: string, value: string]>): Multi {
  // Without a prototype, so that a name __proto__ is one like any other.
  const last: Record<string, string> = Object.create(null);
  const all: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    last[name] = value;
    const values = all[name] ?? [];
    values.push(value);
    all[name] = values;
  }
  return { last, all };
}

function headerOf(headers: Readonly<Record<string, string>>, lower: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === lower)?.[1];
}
