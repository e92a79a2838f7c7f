/** The controller process: wiring only. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isNotFound } from '@kappa/crds/client/errors';
import { layers, namespaces } from '@kappa/crds/client/kinds';
import { connect } from '@kappa/crds/client/kubernetes';
import { functionUrlAddress } from '@kappa/crds/function-url';
import { openBlobStore } from '@kappa/gateway/blobs';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { reconcileAlias } from './alias/reconcile.ts';
import { startCollector } from './collect/collector.ts';
import { parseConfig } from './config.ts';
import { codeFetcher } from './function/fetch-code.ts';
import { reconcileFunction } from './function/reconcile.ts';
import { resolveCode } from './function/resolve-code.ts';
import { healthServer } from './health-server.ts';
import { imageSources } from './image/image-sources.ts';
import { trialIn } from './image/trial.ts';
import { reconcileLayer } from './layer/reconcile.ts';
import { LayerView } from './layer-view.ts';
import { LeaderGate } from './leader-gate.ts';
import { controllerMetrics } from './metrics.ts';
import { reconcilePool } from './pool/reconcile.ts';
import { parseRuntimes } from './runtimes.ts';
import { SplitQueue } from './split-queue.ts';
import { View } from './view.ts';
import { type Requeue, WorkQueue } from './work-queue.ts';

const config = parseConfig(process.env);
const leaseName = 'kappa-controller';
const log = pino({ name: 'controller', base: {} });
const registry = new Registry();
const metrics = controllerMetrics(registry, () => ({
  function: functionQueue.depth,
  alias: aliasQueue.depth,
  layer: layerQueue.depth,
  pool: poolQueue.depth,
}));
const stopping = new AbortController();
const kubernetes = connect(undefined, {
  component: 'kappa-controller',
  onProblem: (problem) => {
    metrics.watchRestarts.inc();
    logOnce(problem);
  },
});
const runtimes = parseRuntimes(readFileSync(config.runtimesFile, 'utf8'));
const blobs = await openBlobStore({
  s3: config.s3 === null ? null : { ...config.s3, forcePathStyle: true, credentials: null },
  dir: config.blobDir,
  maxBlobBytes: config.codeLimits.zippedBytes,
  cacheBytes: config.blobCacheBytes,
  onProblem: (err) => log.warn({ problem: textOf(err) }, 'the cache of the blob store is in trouble'),
});
const nowMs = (): number => Date.now();

const gate = new LeaderGate();
const guarded = gate.guard(kubernetes);

/** A problem is told when it is new, not at each try. */
let lastProblem = '';
function logOnce(problem: unknown): void {
  const text = textOf(problem);
  if (text !== lastProblem) log.warn({ problem: text }, 'the Kubernetes API does not answer as it should; going on');
  lastProblem = text;
}

function textOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

const queueOf = (
  kind: 'function' | 'alias' | 'layer' | 'pool',
  reconcile: (key: string) => Promise<Requeue>,
): WorkQueue =>
  new WorkQueue({
    reconcile: async (key) => {
      const end = metrics.reconcileSeconds.startTimer({ kind });
      try {
        return await reconcile(key);
      } finally {
        end();
      }
    },
    onError: (key, error, retryInMs) => {
      metrics.reconcileErrors.inc({ kind });
      log.warn({ [kind]: key, error: textOf(error), retryInMs }, 'will be tried again');
    },
    parallel: 4,
    minBackoffMs: 50,
    maxBackoffMs: 30_000,
    schedule: (delayMs, action) => {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  });

const unsynced = (): readonly string[] => [...view.unsynced, ...layerView.unsynced];
const isActing = (): boolean => gate.isOpen() && unsynced().length === 0;
const code = {
  blobs,
  fetchCode: codeFetcher({ allowLocal: config.allowLocalCode, timeoutMs: 60_000 }),
  maxZipBytes: config.codeLimits.zippedBytes,
};
const images = imageSources({
  kubernetes: guarded,
  isSupported: config.imageFunctions,
  namespace: config.systemNamespace,
  pullSecrets: config.poolPullSecrets,
  registries: config.imageRegistries,
  timeoutMs: 20_000,
});
const bringFunction = (key: string): Promise<Requeue> =>
  reconcileFunction(key, {
    kubernetes: guarded,
    find: (name) => view.functions.get(name),
    versionsOf: (fn) => view.versionsOf(fn),
    nameHolderOf: (fn) => view.nameHolderOf(fn),
    podsOf: (fn) => view.podsOfFunction(fn),
    provisionedReadyOf: (fn) => view.provisionedReadyOf(fn),
    imagesOf: (fn) => view.poolUsers.latestImagesOf(fn),
    trialOf: (namespace, spec) => trialIn(namespace, spec, (pool) => view.pool(pool)),
    code,
    images,
    layers: {
      accountOf: (namespace) => layerView.accountOf(namespace),
      namespaceOf: (accountId, region) => layerView.namespaceOf(accountId, region),
      find: (namespace, name) => guarded.get(layers, namespace, name).catch(nullWhenMissing),
      resolve: (contents) => resolveCode(contents, code),
    },
    runtimes: new Set(runtimes.keys()),
    urlOf: (namespace, name) => functionUrlAddress(config.publicUrl, { namespace, name, alias: null }),
    nowMs,
  });
const isFromImage = (key: string): boolean => view.functions.get(key)?.runtime === null;
const functionQueue = new SplitQueue(isFromImage, () => queueOf('function', bringFunction));
const aliasQueue = queueOf('alias', (key) =>
  reconcileAlias(key, {
    kubernetes: guarded,
    find: (name) => view.aliases.get(name),
    targetOf: (alias) => view.targetOf(alias),
    urlOf: (owner) => functionUrlAddress(config.publicUrl, owner),
    nowMs,
  }),
);
const layerQueue = queueOf('layer', (key) =>
  reconcileLayer(key, { kubernetes: guarded, find: (name) => layerView.layers.get(name), code, nowMs }),
);
const poolQueue = queueOf('pool', (name) =>
  reconcilePool(name, {
    kubernetes: guarded,
    find: (pool) => view.pool(pool),
    isUsed: (pool) => view.poolUsers.isUsed(pool),
    imageOf: (pool) => view.poolUsers.imageOf(pool),
    podsOf: (pool) => view.podsOfPool(pool),
    orphanOf: (pod) => view.orphanOf(pod),
    memoryMiBOf: (pod) => view.memoryMiBOf(pod),
    memoryOf: (pool) => view.poolMemories.of(pool),
    runtimes,
    settings: {
      namespace: config.poolNamespace,
      region: config.region,
      imagePrefix: config.imagePrefix,
      imageSuffix: config.imageSuffix,
      priorityClass: config.poolPriorityClass,
      pullSecrets: config.poolPullSecrets,
      maxUnpackedBytes: config.codeLimits.unpackedBytes,
      agentImage: runtimes.get('provided.al2023')?.image ?? '', // has the agent, and nothing that boots
      tmp: config.poolTmp,
    },
    gatewayKey: () => view.gatewayKey,
    pacing: {
      maxStarting: config.poolMaxStarting,
      podStartMs: 1_500,
      quietMs: 250,
      rollAfterMs: config.poolRollAfterSeconds * 1_000,
    },
    minReplicas: config.poolMinReplicas,
    nowMs,
  }),
);
const view: View = new View({
  kubernetes,
  poolNamespace: config.poolNamespace,
  signal: stopping.signal,
  nowMs,
  events: {
    functionChanged: (key) => isActing() && functionQueue.add(key),
    podsOfFunctionChanged: (key) => isActing() && functionQueue.addSoon(key, 500),
    aliasChanged: (key) => isActing() && aliasQueue.add(key),
    poolChanged: (name) => isActing() && poolQueue.add(name),
  },
});
const layerView: LayerView = new LayerView({
  kubernetes,
  signal: stopping.signal,
  region: config.region,
  layerChanged: (key) => {
    if (!isActing()) return;
    layerQueue.add(key);
    for (const [name, fn] of view.functions.entries()) if (fn.awaitsLayers) functionQueue.add(name);
  },
});
const queues = { function: functionQueue, alias: aliasQueue, layer: layerQueue, pool: poolQueue };

function enqueueAll(): void {
  view.enqueueAll();
  for (const [key] of layerView.layers.entries()) layerQueue.add(key);
}

function nullWhenMissing(error: unknown): null {
  if (isNotFound(error)) return null;
  throw error;
}
setInterval(() => isActing() && enqueueAll(), 600_000).unref(); // level, not edge: what a watch merged away is found again

/** Told in the log when it is new, as an event at each round. */
let lastOthers = '';
function tellOfOthers(installs: readonly string[]): void {
  const others = installs.toSorted().join(', ').slice(0, 500);
  if (others !== lastOthers) log.warn({ others }, 'other installs have code in this store: none is removed');
  lastOthers = others;
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    name: leaseName,
    namespace: config.systemNamespace,
  };
  const message = `other installs have code in the code store, so none is removed from it: ${others}`;
  void guarded.event(lease, { type: 'Warning', reason: 'CodeStoreShared', message });
}

const collect = startCollector({
  kubernetes,
  blobs,
  keepMs: config.codeKeepSeconds * 1_000,
  isActing,
  nowMs,
  elapsedMs: () => performance.now(),
  metrics,
  onRemoved: ({ purged }) => log.info(purged, 'unused code was removed'),
  onProblem: (problem) => log.warn({ problem: textOf(problem) }, 'unused code could not be looked for'),
  // References are cluster-wide, and so is the install: this uid lives as long as the cluster, whatever is uninstalled.
  installId: async () => (await kubernetes.get(namespaces, null, 'kube-system')).metadata.uid,
  onShared: tellOfOthers,
  every: (periodMs, call) => void setInterval(call, periodMs).unref(),
});

const server = healthServer({ notReadyBecause: unsynced, registry });
server.listen(config.port, config.host);

let isEnding = false;
const end = (reason: string, exitCode: number): void => {
  if (isEnding) return;
  isEnding = true;
  log.info({ reason }, 'ending');
  process.exitCode = exitCode;
  metrics.isLeader.set(0);
  for (const queue of Object.values(queues)) queue.close();
  server.close();
  server.closeAllConnections();
  // the lease is given back after the last write, or soon when one hangs: another one is to lead within 2 s
  void Promise.race([gate.close(), new Promise((resolve) => setTimeout(resolve, 500).unref())]).then(() =>
    stopping.abort(new Error(reason)),
  );
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end(signal, 0));

const identity = config.identity === '' ? `controller-${randomUUID()}` : config.identity;
const election = kubernetes.runLeaderElection({
  namespace: config.systemNamespace,
  name: leaseName,
  identity,
  signal: stopping.signal,
  // After a crash another one leads within 7 s; the API server must only be away for less than 4 s.
  leaseDurationMs: 6_000,
  renewDeadlineMs: 4_000,
  retryPeriodMs: 1_000,
  onLeading: (gained) => {
    gate.lead(gained);
    metrics.isLeader.set(1);
    log.info({ identity }, 'leading');
    Promise.all([view.whenSynced(), layerView.whenSynced()]).then(
      () => {
        enqueueAll();
        collect();
      },
      () => undefined, // aborted: the process ends
    );
  },
  onLost: (reason) => end(`lost the lease: ${reason}`, 1),
});
log.info({ port: config.port, runtimes: [...runtimes.keys()] }, 'started');
await election;
end('election ended', 1);
