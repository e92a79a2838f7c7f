import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { isNotFound } from '@kappa/crds/client/errors';
import { configMaps, functions, type Kind, leases, namespaces, type Pod, pods, pools } from '@kappa/crds/client/kinds';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';
import { findCondition } from '@kappa/crds/conditions';
import { parse } from 'yaml';

/*
 * The process as it is, on an embedded Kubernetes API: who leads, and what becomes of pods. Nothing runs these pods, the test says how they are.
 */

const repositoryRoot = new URL('../..', import.meta.url).pathname;
const poolNamespace = 'kappa-functions';
const children: ChildProcess[] = [];
let stateDir: string;
let kubernetes: Kubernetes;

const definitions: Kind<unknown> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  isNamespaced: false,
  parse: (value) => value,
};

function start(script: string, env: Readonly<Record<string, string>>): ChildProcess {
  const options = { env: { ...process.env, ...env }, stdio: 'ignore', cwd: repositoryRoot } as const;
  const child = spawn(process.execPath, [join(repositoryRoot, script)], options);
  children.push(child);
  return child;
}

function startController(identity: string, port = 0): ChildProcess {
  return start('controller/src/main.ts', {
    KUBECONFIG: join(stateDir, 'kubeconfig'),
    KAPPA_BLOB_DIR: join(stateDir, 'blobs'),
    KAPPA_CONTROLLER_PORT: String(port),
    KAPPA_POOL_MIN_REPLICAS: '3',
    KAPPA_POOL_ROLL_AFTER_SECONDS: '0',
    KAPPA_IDENTITY: identity,
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function holder(): Promise<string> {
  const lease = await kubernetes.get(leases, 'kappa-system', 'kappa-controller').catch(noneYet);
  return lease?.spec.holderIdentity ?? '';
}

function noneYet(error: unknown): null {
  if (isNotFound(error)) return null;
  throw error;
}

async function livePods(): Promise<readonly Pod[]> {
  const all = await kubernetes.list(pods, { namespace: poolNamespace });
  return all.filter(({ metadata }) => metadata.deletionTimestampMs === null);
}

const status = (ready: 'True' | 'False') => ({
  status: {
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: ready },
      { type: 'ContainersReady', status: 'True' },
    ],
  },
});

/** What a kubelet would do: every pod gets ready. */
async function runPods(): Promise<void> {
  for (const { metadata, status: found } of await livePods()) {
    if (found?.phase === 'Running') continue;
    await kubernetes
      .patch(pods, poolNamespace, metadata.name, status('True'), { subresource: 'status' })
      .catch(noneYet);
  }
}

async function poolSays(type: string, reason: string): Promise<boolean> {
  await runPods();
  const pool = await kubernetes.get(pools, poolNamespace, 'nodejs24.x').catch(noneYet);
  return findCondition(pool?.status?.conditions, type)?.reason === reason;
}

const inline = (name: string) => ({
  metadata: { name, namespace: 'default' },
  spec: {
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: { inline: { files: [{ path: 'index.mjs', content: 'export const handler = () => 1;' }] } },
  },
});

async function setUp(): Promise<void> {
  for (const plural of ['functions', 'functionversions', 'aliases', 'layers', 'pools']) {
    const text = await readFile(join(repositoryRoot, `crds/manifests/${plural}.yaml`), 'utf8');
    await kubernetes.apply(definitions as Kind<never>, parse(text) as never, 'test');
  }
  for (const name of ['kappa-system', poolNamespace])
    await kubernetes.apply(namespaces, { metadata: { name } }, 'test');
  await setKey('first');
  await until('functions can be listed', () =>
    kubernetes.list(functions).then(
      () => true,
      () => false,
    ),
  );
  await kubernetes.create(functions, inline('hello') as never);
}

async function setKey(publicKey: string): Promise<void> {
  const metadata = { name: 'kappa-gateway', namespace: poolNamespace };
  await kubernetes.apply(configMaps, { metadata, data: { publicKey } }, 'test');
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kappa-controller-'));
  start('local/src/api/main.ts', { KAPPA_STATE_DIR: stateDir, KAPPA_API_PORT: '0' });
  const kubeconfig = join(stateDir, 'kubeconfig');
  await until('the API is there', () =>
    access(kubeconfig).then(
      () => true,
      () => false,
    ),
  );
  kubernetes = connect(kubeconfig);
  await setUp();
});

afterAll(async () => {
  for (const child of children.reverse()) await end(child, 'SIGKILL');
  await rm(stateDir, { recursive: true, force: true });
});

let first: ChildProcess;
let lives = 0;
beforeEach(async () => {
  for (const child of children.splice(1)) await end(child, 'SIGKILL');
  await kubernetes.delete(leases, 'kappa-system', 'kappa-controller'); // else the next one waits until it has run out
  lives += 1;
  first = startController(`first-${lives}`);
  await until('first leads', async () => (await holder()) === `first-${lives}`);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

test('a pod on a lost node is replaced at once', async () => {
  await until('the pool is full', () => poolSays('Ready', 'Full'));
  const [lost] = await livePods();
  const count = (await livePods()).length;
  const name = lost?.metadata.name ?? '';
  await kubernetes.patch(pods, poolNamespace, name, status('False'), { subresource: 'status' });
  await until('another one is there', async () => (await livePods()).length === count + 1);
  expect((await livePods()).map(({ metadata }) => metadata.name)).toContain(name);
  await kubernetes.delete(pods, poolNamespace, name, { graceSeconds: 0 });
});

test('who begins to lead marks the code store as that of the cluster', async () => {
  const { metadata } = await kubernetes.get(namespaces, null, 'kube-system');
  const mark = join(stateDir, 'blobs', 'installs', metadata.uid);
  await until('the mark is there', () =>
    access(mark).then(
      () => true,
      () => false,
    ),
  );
});

test('another key of the gateways rolls all pods, and three stay ready all the time', async () => {
  await until('the pool is full', () => poolSays('Ready', 'Full'));
  const [claimed] = await livePods();
  const labels = {
    'kappa.dev/state': 'claimed',
    'kappa.dev/function': 'hello',
    'kappa.dev/function-namespace': 'default',
  };
  const version = (await kubernetes.get(functions, 'default', 'hello')).status?.latestVersion;
  await kubernetes.patch(pods, poolNamespace, claimed?.metadata.name ?? '', {
    metadata: { labels: { ...labels, 'kappa.dev/version': version } },
  });
  await until('it is refilled', async () => (await poolSays('Ready', 'Full')) && (await livePods()).length === 4);
  const old = new Set((await livePods()).map(({ metadata }) => metadata.uid));
  const readyCounts: number[] = [];
  await setKey('second');
  await until('all are new', async () => {
    const found = await livePods();
    readyCounts.push(
      found.filter(
        ({ metadata, status: now }) => metadata.labels['kappa.dev/state'] === 'generic' && now?.phase === 'Running',
      ).length,
    );
    await runPods();
    return found.length === 3 && found.every(({ metadata }) => !old.has(metadata.uid));
  });
  expect(Math.min(...readyCounts)).toBe(3);
  await until('the pool says so', () => poolSays('UpToDate', 'UpToDate'));
});

test('a leader that ends hands over within 2 s', async () => {
  const port = await freePort();
  startController('second', port);
  await until('another one can lead', () => isReady(port));
  const startMs = performance.now();
  first.kill('SIGTERM');
  await until('another one leads', async () => (await holder()) === 'second');
  expect(performance.now() - startMs).toBeLessThan(2_000);
  await end(first, 'SIGTERM');
  expect(first.exitCode).toBe(0);
});

test('a leader that was stopped writes nothing when it goes on, and ends', async () => {
  startController('third');
  first.kill('SIGSTOP');
  await until('another one leads', async () => (await holder()) === 'third');
  await kubernetes.create(functions, inline('meanwhile') as never);
  await until('it is served', async () => {
    const fn = await kubernetes.get(functions, 'default', 'meanwhile');
    return findCondition(fn.status?.conditions, 'Ready')?.status === 'True';
  });
  const before = JSON.stringify([await kubernetes.list(functions), await livePods()]);
  const ended = once(first, 'exit');
  first.kill('SIGCONT');
  expect((await ended)[0]).toBe(1);
  expect(JSON.stringify([await kubernetes.list(functions), await livePods()])).toBe(before);
  expect(await holder()).toBe('third');
});
