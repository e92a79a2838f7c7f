import type { RouteSite } from '../http-routes/compiled-route.ts';
import type { RouteHosts } from '../http-routes/route-hosts.ts';

/** Where a request goes. Decided once, from the raw target and Host: no later code looks at the path again. */
export type Route =
  | {
      readonly kind: 'invoke';
      /** The function's name as it stands in the path, still percent-encoded. */
      readonly label: string;
      /** Without the question mark. */
      readonly query: string;
    }
  | {
      /** InvokeWithResponseStream. */
      readonly kind: 'invokeStream';
      readonly label: string;
      readonly query: string;
    }
  | {
      readonly kind: 'functionUrl';
      readonly of: UrlReference;
      /** As the function sees it: begins with a slash, still percent-encoded. */
      readonly path: string;
      /** Without the question mark. */
      readonly query: string;
    }
  | {
      /** A route of an HTTP API, if there is one. */
      readonly kind: 'httpRoute';
      readonly site: RouteSite;
      /** Without `/api/NAMESPACE`; begins with a slash, still percent-encoded. */
      readonly path: string;
      readonly query: string;
    }
  | { readonly kind: 'control' }
  | { readonly kind: 'bad'; readonly problem: string };

/** Whose URL was called: by the names in its path or host, or by its ID. */
export type UrlReference =
  | {
      readonly kind: 'named';
      readonly namespace: string;
      /** metadata.name of the Function. */
      readonly name: string;
      /** null = the function without a qualifier. */
      readonly alias: string | null;
    }
  | { readonly kind: 'id'; readonly id: string };

const INVOKE_PREFIX = '/2015-03-31/functions/';
const INVOKE_SUFFIX = '/invocations';
const STREAM_PREFIX = '/2021-11-15/functions/';
const STREAM_SUFFIX = '/response-streaming-invocations';
const URL_PREFIX = '/fn/';
const API_PREFIX = '/api/';
const CONTROL: Route = { kind: 'control' };

/**
 * @param target request target of the request line; only the origin form (`/path?query`) is taken
 * @param host Host header, '' when missing
 * @param urlDomain domain under which functions have names of their own, e.g. `fn.localhost`
 * @param routeHosts hosts that are only for routes of HTTP APIs
 */
export function parseRoute(
  target: string,
  host: string,
  urlDomain: string,
  routeHosts: Pick<RouteHosts, 'hostIn'>,
): Route {
  if (target.charCodeAt(0) !== SLASH) return { kind: 'bad', problem: 'the request target must begin with a slash' };
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const owner = parseUrlHost(host, urlDomain);
  if (owner !== null) return { kind: 'functionUrl', of: owner, path, query };
  const routeHost = routeHosts.hostIn(host);
  if (routeHost !== null) return { kind: 'httpRoute', site: { kind: 'host', host: routeHost }, path, query };
  if (path.startsWith(INVOKE_PREFIX)) {
    const label = labelIn(path, INVOKE_PREFIX, INVOKE_SUFFIX);
    return label === null ? CONTROL : { kind: 'invoke', label, query };
  }
  if (path.startsWith(STREAM_PREFIX)) {
    const label = labelIn(path, STREAM_PREFIX, STREAM_SUFFIX);
    return label === null ? CONTROL : { kind: 'invokeStream', label, query };
  }
  if (path.startsWith(URL_PREFIX)) return parseUrlPath(path, query);
  if (path.startsWith(API_PREFIX)) return parseApiPath(path, query);
  return CONTROL;
}

const SLASH = 0x2f;

/** null = it is not PREFIX LABEL SUFFIX. */
function labelIn(path: string, prefix: string, suffix: string): string | null {
  // Older SDKs end the path with a slash.
  const end = path.endsWith('/') ? path.length - 1 : path.length;
  if (!path.startsWith(suffix, end - suffix.length)) return null;
  const label = path.slice(prefix.length, end - suffix.length);
  return label === '' || label.includes('/') ? null : label;
}

function parseUrlPath(path: string, query: string): Route {
  const nameAt = path.indexOf('/', URL_PREFIX.length) + 1;
  if (nameAt === 0) return CONTROL;
  const pathAt = path.indexOf('/', nameAt);
  const nameEnd = pathAt < 0 ? path.length : pathAt;
  if (nameEnd === nameAt || nameAt - 1 === URL_PREFIX.length) return CONTROL;
  return {
    kind: 'functionUrl',
    of: namedIn(path.slice(URL_PREFIX.length, nameAt - 1), path.slice(nameAt, nameEnd)),
    path: pathAt < 0 ? '/' : path.slice(pathAt),
    query,
  };
}

function parseApiPath(path: string, query: string): Route {
  const pathAt = path.indexOf('/', API_PREFIX.length);
  const namespace = path.slice(API_PREFIX.length, pathAt < 0 ? path.length : pathAt);
  if (namespace === '') return CONTROL;
  return {
    kind: 'httpRoute',
    site: { kind: 'namespace', namespace },
    path: pathAt < 0 ? '/' : path.slice(pathAt),
    query,
  };
}

/** `NAME` or `NAME:ALIAS`; some clients encode the colon. */
function namedIn(namespace: string, text: string): UrlReference {
  const colon = text.indexOf(':');
  const encoded = colon < 0 ? text.search(/%3a/i) : -1;
  const at = Math.max(colon, encoded);
  if (at < 0) return { kind: 'named', namespace, name: text, alias: null };
  return { kind: 'named', namespace, name: text.slice(0, at), alias: text.slice(at + (colon < 0 ? 3 : 1)) };
}

/** `NAME.NAMESPACE.DOMAIN[:port]`, where NAME may have dots and NAMESPACE not; `ID.lambda-url.` and any domain after that. */
function parseUrlHost(host: string, domain: string): UrlReference | null {
  if (host.charCodeAt(ID_CHARS) === DOT && idHost.test(host))
    return { kind: 'id', id: host.slice(0, ID_CHARS).toLowerCase() };
  const colon = host.lastIndexOf(':');
  const end = colon < 0 ? host.length : colon;
  const domainAt = end - domain.length;
  if (domainAt < 4 || host.charCodeAt(domainAt - 1) !== DOT) return null;
  if (host.slice(domainAt, end).toLowerCase() !== domain) return null;
  const owner = host.slice(0, domainAt - 1).toLowerCase();
  const dot = owner.lastIndexOf('.');
  if (dot <= 0 || dot === owner.length - 1) return null;
  return { kind: 'named', name: owner.slice(0, dot), namespace: owner.slice(dot + 1), alias: null };
}

/** Of an ID. @see functionUrlId */
const ID_CHARS = 32;
const idHost = /^[a-z2-7]{32}\.lambda-url\.[^.]/i;

const DOT = 0x2e;
