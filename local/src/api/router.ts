import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator, User } from './auth.ts';
import type { Discovery } from './discovery.ts';
import { type Exchange, openExchange, plainJson, send, sendError } from './http-exchange.ts';
import type { OpenApi } from './openapi.ts';
import type { Registry } from './registry.ts';
import { parsePath, type RequestInfo } from './request-info.ts';
import type { ResourceRoutes } from './resource-routes.ts';
import type { Reviews } from './reviews.ts';
import { ApiError, badRequest, methodNotAllowed, noSuchPath } from './status.ts';
import type { SubresourceRoutes } from './subresource-routes.ts';
import type { Target } from './target.ts';
import { versionDocument } from './version.ts';

/** What the router hands requests to. */
export interface RouterDeps {
  readonly authenticator: Authenticator;
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly resources: ResourceRoutes;
  readonly subresources: SubresourceRoutes;
  readonly reviews: Reviews;
  readonly isReady: () => boolean;
  /** Reports a failure of our own; its details never reach the caller. */
  readonly onInternalError: (error: unknown) => void;
}

/** One request, start to end: who → what → handler. Never rejects. */
export async function route(deps: RouterDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const exchange = openExchange(request, response);
  try {
    if (answerHealth(deps, exchange)) return;
    const user = deps.authenticator.authenticate(request.headers.authorization);
    if (user === null) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    if (answerVersion(exchange) || deps.openApi.handle(exchange) || deps.discovery.handle(exchange)) return;
    await routeResource(deps, exchange, user);
  } catch (error) {
    sendError(exchange, error, deps.onInternalError);
  }
}

const healthPaths = /^\/(healthz|readyz|livez)(\/[a-z-]+)?$/;

function answerHealth({ isReady }: RouterDeps, { path, query, response }: Exchange): boolean {
  if (!healthPaths.test(path)) return false;
  const isFine = isReady() || path.startsWith('/livez');
  const verbose = query.has('verbose') ? `[+]ping ok\n${path.slice(1)} check passed\n` : 'ok';
  response.writeHead(isFine ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(isFine ? verbose : 'not ready');
  return true;
}

function answerVersion({ path, response }: Exchange): boolean {
  if (path === '/') {
    send(response, 200, plainJson, {
      paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'],
    });
    return true;
  }
  if (path !== '/version' && path !== '/version/') return false;
  send(response, 200, plainJson, versionDocument);
  return true;
}

async function routeResource(deps: RouterDeps, exchange: Exchange, user: User): Promise<void> {
  const asked = parsePath(exchange.path);
  if (asked === null) throw noSuchPath();
  if (await deps.reviews.handle(exchange, asked, user)) return;
  const target = targetOf(deps.registry, asked);
  if (await deps.subresources.handle(exchange, target, user)) return;
  if (target.subresource !== '' && !target.type.subresources.has(target.subresource)) throw noSuchPath();
  await deps.resources.handle(exchange, checkedPost(exchange, target), user);
}

function targetOf(registry: Registry, { group, version, plural, namespace, name, subresource }: RequestInfo): Target {
  const type = registry.find(group, version, plural);
  if (type === undefined) throw noSuchPath();
  if (!type.isNamespaced && namespace !== '') throw noSuchPath();
  if (type.isNamespaced && namespace === '' && name !== '')
    throw badRequest('namespace is required for a namespaced object');
  return { type, namespace, name, subresource };
}

/** POST to all namespaces means nothing for a namespaced kind. */
function checkedPost({ request }: Exchange, target: Target): Target {
  if (request.method === 'POST' && target.type.isNamespaced && target.namespace === '') throw methodNotAllowed();
  return target;
}
