import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { Applier } from './applier.ts';
import { Authenticator } from './auth.ts';
import { builtinTypes } from './builtin-types.ts';
import { loadPki, type Pki } from './certificates.ts';
import type { ApiConfig } from './config.ts';
import { CustomResources } from './custom-resources.ts';
import { Database } from './database.ts';
import { Deleter } from './deleter.ts';
import { Discovery } from './discovery.ts';
import { expireEvents } from './event-expiry.ts';
import { writeFileAtomically } from './files.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { makeKubeconfig } from './kubeconfig.ts';
import { Lifecycle } from './lifecycle.ts';
import { Namespaces } from './namespaces.ts';
import { OpenApi } from './openapi.ts';
import { Patcher } from './patcher.ts';
import { PodLogs } from './pod-log.ts';
import { Registry } from './registry.ts';
import { ResourceRoutes } from './resource-routes.ts';
import { Reviews } from './reviews.ts';
import { type RouterDeps, route } from './router.ts';
import { Store } from './store.ts';
import { SubresourceRoutes } from './subresource-routes.ts';
import type { WatchClock } from './watcher.ts';
import { Writer } from './writer.ts';

/** A running embedded API. */
export interface RunningApi {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** Ends all watches and closes the database. */
  close(): Promise<void>;
}

/** The process's own clock and reporter. */
export interface Surroundings {
  readonly clock: WatchClock;
  readonly onInternalError: (error: unknown) => void;
}

const logPollMs = 200;
const renewalCheckMs = 24 * 3600 * 1000;
const nameSuffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Starts the embedded API: state directory, certificates, database, listener, kubeconfig; in this order. */
export async function startApi(config: ApiConfig, surroundings: Surroundings): Promise<RunningApi> {
  const { clock } = surroundings;
  const pkiDir = join(config.stateDir, 'pki');
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const pki = await loadPki(pkiDir, clock.now());
  const database = new Database(join(config.stateDir, 'api.sqlite'));
  const store = new Store(database);
  const authenticator = new Authenticator(
    pkiDir,
    clock.now,
    (namespace, name, uid) => store.get('serviceaccounts', namespace, name)?.metadata.uid === uid,
  );
  const deps = assemble(config, surroundings, store, authenticator);
  const server = createTlsServer(pki, deps);
  const port = await listen(server, config.port);
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = join(config.stateDir, 'kubeconfig');
  writeFileAtomically(
    kubeconfig,
    makeKubeconfig({ server: url, caCertificate: pki.caCertificate, token: authenticator.adminToken }),
  );
  const stopRenewal = every(clock, renewalCheckMs, () => {
    renew(server, pkiDir, clock.now()).catch(surroundings.onInternalError);
  });
  const close = async (): Promise<void> => {
    stopRenewal();
    await closeServer(server);
    database.close();
  };
  return { url, kubeconfig, close };
}

function assemble(
  config: ApiConfig,
  { clock, onInternalError }: Surroundings,
  store: Store,
  authenticator: Authenticator,
): RouterDeps {
  const registry = new Registry(builtinTypes());
  const writer = new Writer({ store, now: clock.now, uuid: randomUUID, nameSuffix: randomSuffix });
  const deleter = new Deleter(store, clock.now);
  const patcher = new Patcher(writer, new Applier(store, writer, clock.now));
  const lifecycle = new Lifecycle({
    store,
    customResources: new CustomResources(store, registry, deleter, clock.now),
    namespaces: new Namespaces(store, registry, writer, deleter),
    garbageCollector: new GarbageCollector(store, registry, deleter),
    defer: setImmediate,
    onError: onInternalError,
  });
  lifecycle.start();
  expireEvents(store, clock);
  store.forgetHistory();
  const podLogs = new PodLogs({
    store,
    stateDir: config.stateDir,
    now: clock.now,
    repeat: (run) => every(clock, logPollMs, run),
  });
  return {
    authenticator,
    registry,
    discovery: new Discovery(registry),
    openApi: new OpenApi(registry),
    resources: new ResourceRoutes({ store, writer, patcher, deleter, clock, random: Math.random }),
    subresources: new SubresourceRoutes({ store, writer, deleter, authenticator, podLogs }),
    reviews: new Reviews(authenticator),
    isReady: () => true,
    onInternalError,
  };
}

function createTlsServer(pki: Pki, deps: RouterDeps): Server {
  const server = createServer(
    {
      key: pki.serverKey,
      cert: pki.serverCertificate,
      minVersion: 'TLSv1.2',
      requestTimeout: 60_000,
      headersTimeout: 10_000,
      keepAliveTimeout: 120_000,
    },
    (request, response) => void route(deps, request, response),
  );
  server.on('tlsClientError', () => undefined); // a client that gave up; nothing to do
  return server;
}

/** A process that runs for months takes a new server certificate without a restart. */
async function renew(server: Server, pkiDir: string, nowMs: number): Promise<void> {
  const { serverKey, serverCertificate } = await loadPki(pkiDir, nowMs);
  server.setSecureContext({ key: serverKey, cert: serverCertificate, minVersion: 'TLSv1.2' });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function every(clock: WatchClock, ms: number, run: () => void): () => void {
  let stop = (): void => undefined;
  const again = (): void => {
    stop = clock.after(ms, () => {
      run();
      again();
    });
  };
  again();
  return () => stop();
}

/** Five characters without vowels, as generateName makes them. */
function randomSuffix(): string {
  return [...randomBytes(5)].map((byte) => nameSuffixAlphabet[byte % nameSuffixAlphabet.length]).join('');
}
