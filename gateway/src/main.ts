/** The gateway process: wiring only. */
import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { defaultAccountId } from '@kappa/crds/accounts';
import { isUnavailable } from '@kappa/crds/client/errors';
import { connect } from '@kappa/crds/client/kubernetes';
import { zipMaxBytes } from '@kappa/crds/limits';
import { functionArn } from '@kappa/crds/names';
import { pino } from 'pino';
import { Registry as MetricRegistry } from 'prom-client';

import { watchAccessKeys } from './auth/access-keys.ts';
import { makeAuthenticator, openDoor } from './auth/authenticator.ts';
import { openBlobStore } from './blobs/blob-store.ts';
import { parseConfig } from './config.ts';
import { startDispatcher } from './dispatch/dispatcher.ts';
import type { Dispatcher, Target } from './dispatch/types.ts';
import { functionUrlHandler } from './function-url/handler.ts';
import { adminRoutes } from './http/admin-routes.ts';
import { blobRoutes } from './http/blob-routes.ts';
import { BufferBudget } from './http/buffer-budget.ts';
import { controlApp } from './http/control-app.ts';
import { makeServer } from './http/server.ts';
import { InFlight } from './in-flight.ts';
import { joinRing, type Membership } from './join-ring.ts';
import { toLambdaError } from './lambda-api/errors.ts';
import { invokeHandler } from './lambda-api/invoke.ts';
import { functionResolver } from './lambda-api/resolve.ts';
import { gatewayMetrics } from './metrics.ts';
import { problemLog } from './problem-log.ts';
import { clusterDoor } from './registry/cluster-door.ts';
import { environmentSource } from './registry/environment.ts';
import { observe } from './registry/observe.ts';
import { Registry } from './registry/registry.ts';
import { RetryQueue } from './registry/retry-queue.ts';
import { sourceReader } from './registry/source-reader.ts';
import { WarmUp } from './registry/warm-up.ts';
import { shutDown } from './shutdown.ts';
import { keepValues } from './snapshot/kept-values.ts';

const config = parseConfig(process.env);
const log = pino({ name: 'gateway', base: {}, level: config.logLevel });
const nowMs = (): number => performance.now();
const problem = problemLog(log, nowMs);
const stopping = new AbortController();
let isStopping = false;
/** `schedule`, `every`: timers that do not keep the process alive. */
const schedule = (ms: number, then: () => void): (() => void) => {
  const timer = setTimeout(then, ms).unref();
  return () => clearTimeout(timer);
};
const every = (ms: number, then: () => void): (() => void) => {
  const timer = setInterval(then, ms).unref();
  return () => clearInterval(timer);
};
const textOf = (err: unknown): string => (err instanceof Error ? err.message : String(err));

const kubernetes = connect(undefined, {
  component: 'kappa-gateway',
  ...(config.snapshotDir === '' ? {} : { snapshots: { directory: config.snapshotDir } }),
  onProblem: (err) =>
    problem(
      `kubernetes ${textOf(err)}`,
      { problem: textOf(err) },
      'the Kubernetes API does not answer as it should; going on',
    ),
});
const blobs = await openBlobStore({
  s3: config.s3 === null ? null : { ...config.s3, forcePathStyle: true, credentials: null },
  dir: config.blobDir,
  maxBlobBytes: zipMaxBytes,
  cacheBytes: config.blobCacheBytes,
  onProblem: (err) =>
    problem(`blobs ${textOf(err)}`, { problem: textOf(err) }, 'the cache of the blob store is in trouble'),
});
const clusterQueue = new RetryQueue({
  concurrency: 8,
  limit: 10_000,
  firstPauseMs: 100,
  maxPauseMs: 10_000,
  isWorthRetrying: isUnavailable,
  onProblem: (key, err, isDropped) =>
    problem(`cluster ${textOf(err)}`, { key, problem: textOf(err), isDropped }, 'the cluster could not be told'),
  random: Math.random,
  schedule,
});
const inFlight = new InFlight();
const budget = new BufferBudget(config.maxBufferedBytes);
const metricRegistry = new MetricRegistry();
const metrics = gatewayMetrics(metricRegistry, {
  dispatch: () => dispatcher.stats(),
  ring: () => membership.stats(),
  inFlight: () => inFlight.count,
  bufferedBytes: () => budget.usedBytes,
  entries: () => ({ ...registry.stats(), ...observation.sizes(), clusterQueue: clusterQueue.size }),
  isRegistered: (key) => registry.has(key),
});
const gatewayId = `${config.name === '' ? 'gateway' : config.name}.${randomUUID().slice(0, 8)}`;
const signingKey = createPrivateKey(readFileSync(config.signingKeyFile));
const clock = { nowMs, after: schedule, every, soon: (then: () => void) => void setImmediate(then) };
let targets: ReadonlyMap<string, Target> = new Map();
const membership: Membership = joinRing({
  config,
  gatewayId,
  signingKey,
  kubernetes,
  clock,
  dispatcher: () => dispatcher,
  targetOf: (versionUid) => targets.get(versionUid),
  onProblem: (key, err) => problem(key, { problem: textOf(err) }, 'another gateway cannot be spoken to'),
  onFatal: (err) => {
    log.fatal({ problem: textOf(err), host: config.podIp, port: config.peerPort }, 'cannot listen for other gateways');
    process.exit(1);
  },
  signal: stopping.signal,
});
const dispatcher: Dispatcher = startDispatcher({
  identity: {
    gatewayId,
    epoch: Date.now(), // agents compare it only among links of the same life
    signingKey,
  },
  ownership: membership.ownership,
  cluster: clusterDoor(kubernetes, config.poolNamespace, {
    queue: clusterQueue,
    schedule,
    tellAfterMs: 100,
    onResizeRefused: (pool, err, isFirst) => {
      metrics.resizeRefused(pool);
      if (isFirst)
        log.warn({ pool, problem: err.message }, 'pods are not resized; functions run with the size of the pool');
    },
  }),
  observer: metrics.observer,
  code: (sha256) => blobs.get(sha256),
  clock,
  zone: membership.zone,
  linkPort: config.linkPort,
  limits: { capacityBudgetMs: config.capacityWaitMs, accountConcurrency: config.accountConcurrency },
});
const arnOf = (accountId: string, name: string): string => functionArn({ region: config.region, accountId, name });
const warmUp = new WarmUp({ readCode: (sha256) => blobs.get(sha256), maxCodeBytes: 256 * 1024 });
const readSource =
  config.snapshotDir === ''
    ? sourceReader(kubernetes)
    : keepValues(sourceReader(kubernetes), {
        directory: config.snapshotDir,
        signal: stopping.signal,
        now: nowMs,
        onProblem: (err) => problem(`values ${textOf(err)}`, { problem: textOf(err) }, 'values are not kept'),
      });
const registry: Registry = new Registry({
  routing: {
    region: config.region,
    arnOf,
    environmentOf: environmentSource({ read: readSource, now: nowMs, schedule }),
  },
  dispatcher: {
    onVersions: (current) => {
      targets = current;
      dispatcher.onVersions(current);
      warmUp.onVersions(current);
    },
  },
  holdMs: config.updateHoldMs,
  startWaitMs: config.startWaitMs,
  now: nowMs,
  schedule,
  defer: (then) => void setImmediate(then),
});
const observation = observe({
  kubernetes,
  registry,
  dispatcher,
  poolNamespace: config.poolNamespace,
  signal: stopping.signal,
});

const onRefused = (err: unknown, requestId: string): void => {
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
const accessKeys =
  config.auth === 'none'
    ? null
    : watchAccessKeys({
        kubernetes,
        namespace: config.namespace,
        signal: stopping.signal,
        onProblem: (text) => problem(`access key ${text}`, { problem: text }, 'an access key is not used'),
      });
const authenticator =
  accessKeys === null ? null : makeAuthenticator({ keys: accessKeys, region: config.region, now: Date.now });
const shared = { dispatcher: membership.router, budget, now: Date.now, onRefused };
const admin = adminRoutes({
  notReadyBecause: () => [
    ...(isStopping ? ['stopping'] : []),
    ...observation.missing().map((kind) => `${kind} not listed yet`),
    ...(accessKeys === null || accessKeys.isKnown() ? [] : ['access keys not listed yet']),
    ...membership.notReadyBecause(),
  ],
  metrics: async () => ({ contentType: metricRegistry.contentType, text: await metricRegistry.metrics() }),
});
const control = controlApp({
  admin: config.adminPort === null ? admin : null,
  blobs: config.auth === 'none' ? blobRoutes(blobs) : null, // for this machine's own callers: see parseConfig
  onError: onRefused,
});
const server = makeServer(
  {
    urlDomain: config.urlDomain,
    maxHeaderBytes: config.maxHeaderBytes,
    headersTimeoutMs: Math.min(10_000, config.requestTimeoutMs),
    requestTimeoutMs: config.requestTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveMs,
    lingerMs: 2000,
  },
  {
    invoke: invokeHandler({
      ...shared,
      authenticator: authenticator ?? openDoor,
      resolve: functionResolver({
        functions: registry,
        region: config.region,
        defaultAccountId,
        arnOf,
        random: Math.random,
      }),
    }),
    functionUrl: functionUrlHandler({
      ...shared,
      authenticator,
      functions: registry,
      urlDomain: config.urlDomain,
      random: Math.random,
    }),
    control,
    newRequestId: randomUUID,
    isStopping: () => isStopping,
    onInFlight: (change) => inFlight.change(change),
    onBug: (err, requestId) => log.error({ requestId, err }, 'a handler threw what it must not throw'),
  },
);
server.on('error', (err) => {
  log.fatal({ problem: err.message, host: config.host, port: config.port }, 'cannot listen');
  process.exit(1);
});
const adminServer =
  config.adminPort === null
    ? null
    : controlApp({ admin, blobs: null, onError: onRefused }).listen(config.adminPort, config.host);
server.listen(config.port, config.host, () => log.info({ address: server.address() }, 'listening'));
observation.whenSynced.then(
  () => log.info(observation.sizes(), 'ready'),
  () => undefined, // aborted: the process ends
);

const end = async (reason: string): Promise<void> => {
  if (isStopping) return;
  log.info({ reason, inFlight: inFlight.count }, 'ending');
  await shutDown(
    {
      failReadiness: () => {
        isStopping = true;
        membership.leave();
      },
      closeServer: () => void server.close(),
      whenIdle: () => inFlight.whenIdle(),
      drain: (signal) => dispatcher.drain(signal),
      closeConnections: () => server.closeAllConnections(),
      stopWatching: async () => {
        await membership.stop();
        adminServer?.close();
        adminServer?.closeAllConnections();
        clusterQueue.close();
        stopping.abort(new Error(reason));
      },
    },
    { lagMs: config.lagMs, graceMs: config.graceMs, sleep: (ms) => sleep(ms, undefined, { ref: ms <= config.lagMs }) },
  );
  log.info('ended');
  setTimeout(() => process.exit(0), 5_000).unref(); // whatever still holds the process: nobody needs it any more
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // The same signal again: at once. One of each is one wish: Ctrl-C reaches the whole group, and then who started
    // this process asks too.
    process.once(signal, () => process.exit(1));
    void end(signal);
  });
}
