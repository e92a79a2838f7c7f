import { type KeyObject, randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { Registry as MetricRegistry } from 'prom-client';

import { openDoor } from '../auth/authenticator.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Dispatcher } from '../dispatch/types.ts';
import { functionUrlHandler } from '../function-url/handler.ts';
import { adminRoutes } from '../http/admin-routes.ts';
import { blobRoutes } from '../http/blob-routes.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { controlApp } from '../http/control-app.ts';
import { InFlight } from '../http/in-flight.ts';
import { makeServer, type ServerDeps, type ServerOptions } from '../http/server.ts';
import { codeRequestBytes } from '../lambda-api/code-limits.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { invokeHandler } from '../lambda-api/invoke.ts';
import { invokeStreamHandler } from '../lambda-api/invoke-stream.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import type { AllLogs } from '../logs/all-logs.ts';
import { RecursiveInvocation } from '../loops/recursive-invocation.ts';
import { loopTeller } from '../loops/tell-loops.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Directory } from '../registry/directory.ts';
import type { Functions } from '../registry/functions.ts';
import type { Place } from '../registry/places.ts';
import { type Context, textOf } from './context.ts';
import type { Callers } from './know-callers.ts';
import { openApis } from './open-apis.ts';
import type { Events } from './open-events.ts';
import type { Push } from './open-push.ts';
import type { Routes } from './open-routes.ts';
import { doorsByRegion } from './regions.ts';

/** The HTTP servers. */
export interface Doors {
  /** Counts and tells of what no function answered. */
  readonly onRefused: OnRefused;
  /** Callers' requests without an answer yet. */
  readonly inFlight: InFlight;
  /** Bytes of requests that are held. */
  readonly budget: BufferBudget;
  /** Takes no new connections of callers and closes idle ones; health and metrics stay. */
  readonly close: () => void;
  /** Ends what is left of callers' connections. */
  readonly closeConnections: () => void;
  /** Ends the port of health and metrics, where there is one. */
  readonly closeAdmin: () => void;
}

/** What {@link openDoors} connects. */
export interface DoorParts {
  readonly functions: Functions & Directory;
  /** The same for another region than the install's own. */
  readonly functionsIn: (region: string) => Functions & Directory;
  /** What a namespace is. */
  readonly placeOf: (namespace: string) => Place;
  /** Settles when what there is of them has been listed once; rejects when that takes too long. */
  readonly whenListed: () => Promise<void>;
  /** Routes of HTTP APIs. */
  readonly routes: Routes;
  readonly kubernetes: Kubernetes;
  readonly signingKey: KeyObject;
  readonly callers: Callers;
  /** Where requests go. */
  readonly router: Pick<Dispatcher, 'invoke'>;
  /** Asynchronous invocations. */
  readonly events: Pick<Events, 'accept' | 'queue' | 'keep'>;
  /** Mappings that are not polled. */
  readonly push: Push;
  readonly blobs: BlobStore;
  /** null = no recent logs are kept. */
  readonly logs: AllLogs | null;
  readonly metrics: GatewayMetrics;
  readonly metricRegistry: MetricRegistry;
  /** Why callers should not come yet, the end of the process apart; empty = they should. */
  readonly notReadyBecause: () => readonly string[];
}

/** Opens the port of callers, and that of health and metrics where it is another one. A port that is taken ends the process. */
export function openDoors(context: Context, parts: DoorParts): Doors {
  const { config, log, fail } = context;
  const budget = new BufferBudget(config.maxBufferedBytes);
  const inFlight = new InFlight();
  const onRefused = refusalTeller(context, parts);
  const admin = adminOf(context, parts);
  const control = controlApp({
    admin: config.adminPort === null ? admin : null,
    blobs: config.auth === 'none' ? blobRoutes(parts.blobs, config.codeLimits.zippedBytes) : null, // for this machine's own callers: see parseConfig
    ...openApis(context, parts, { budget, inFlight, onRefused }),
    onError: onRefused,
  });
  const server = makeServer(serverOptions(context, parts), {
    ...handlers(context, parts, { budget, onRefused }),
    control,
    newRequestId: randomUUID,
    isStopping: () => context.life.isEnding,
    onInFlight: (change) => inFlight.change(change),
    onBug: (err, requestId) => log.error({ requestId, err }, 'a handler threw what it must not throw'),
  });
  server.on('error', (err) => fail(err, { host: config.host, port: config.port }, 'cannot listen'));
  const adminServer: Server | null =
    config.adminPort === null
      ? null
      : controlApp({ admin, blobs: null, code: null, lambdaApi: null, onError: onRefused }).listen(
          config.adminPort,
          config.host,
        );
  server.listen(config.port, config.host, () => log.info({ address: server.address() }, 'listening'));
  return {
    onRefused,
    inFlight,
    budget,
    close: () => void server.close(),
    closeConnections: () => server.closeAllConnections(),
    closeAdmin: () => {
      adminServer?.close();
      adminServer?.closeAllConnections();
    },
  };
}

function serverOptions({ config }: Context, { routes }: DoorParts): ServerOptions {
  return {
    urlDomain: config.urlDomain,
    routeHosts: routes.hosts,
    maxBodyBytes: codeRequestBytes(config.codeLimits.zippedBytes),
    maxHeaderBytes: config.maxHeaderBytes,
    headersTimeoutMs: Math.min(10_000, config.requestTimeoutMs),
    requestTimeoutMs: config.requestTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveMs,
    lingerMs: 2000,
    stallMs: 120_000,
  };
}

type OnRefused = (err: unknown, requestId: string) => void;

/** The ways in to functions: Lambda's Invoke, whole and streamed, function URLs, and routes. */
function handlers(
  context: Context,
  parts: DoorParts,
  { budget, onRefused }: { readonly budget: BufferBudget; readonly onRefused: OnRefused },
): Pick<ServerDeps, 'invoke' | 'invokeStream' | 'functionUrl' | 'httpRoute'> {
  const { region, urlDomain, streamMaxBytes } = context.config;
  const { functions, callers, router, events, routes, whenListed } = parts;
  const { authenticator, authorizer } = callers;
  const stream = { windowBytes: STREAM_WINDOW_BYTES, maxBytes: streamMaxBytes };
  const shared = { authorizer, dispatcher: router, budget, now: Date.now, onRefused };
  const forInvoke = { ...shared, authenticator: authenticator ?? openDoor };
  const forUrls = { ...shared, authenticator, functions, urlDomain, region, random: Math.random, stream };
  const doorsOf = doorsByRegion(context, parts, ({ resolve }) => ({
    invoke: invokeHandler({ ...forInvoke, resolve, accept: events.accept }),
    invokeStream: invokeStreamHandler({ ...forInvoke, resolve, stream }),
  }));
  return {
    invoke: (call, route) => doorsOf(call.req).invoke(call, route),
    invokeStream: (call, route) => doorsOf(call.req).invokeStream(call, route),
    functionUrl: functionUrlHandler(forUrls),
    httpRoute: routes.handler({ functions, dispatcher: router, budget, onRefused, whenListed }),
  };
}

function adminOf({ life }: Context, { metricRegistry, notReadyBecause }: DoorParts): ReturnType<typeof adminRoutes> {
  return adminRoutes({
    notReadyBecause: () => [...(life.isEnding ? ['stopping'] : []), ...notReadyBecause()],
    metrics: async () => ({ contentType: metricRegistry.contentType, text: await metricRegistry.metrics() }),
  });
}

/** Counts requests that no function answered, and tells of those that are the platform's fault, or a loop. */
function refusalTeller({ problem }: Context, parts: DoorParts): OnRefused {
  const { metrics, metricRegistry, kubernetes, functions } = parts;
  const tellLoop = loopTeller({ metrics: metricRegistry, kubernetes, directory: functions });
  return (err, requestId) => {
    if (err instanceof RecursiveInvocation) tellLoop(err.guard);
    const { code, fault, message, cause } = toLambdaError(err);
    metrics.refused(code, fault);
    if (fault !== 'platform') return;
    const why = cause === undefined ? undefined : textOf(cause);
    problem(
      `${code} ${message} ${why}`,
      { requestId, code, problem: message, why },
      'a request failed by a fault of the platform',
    );
  };
}
