import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configMaps, functions, functionVersions, namespaces, type Pod, pods, pools } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import { quickly, runEntry, startApi, type TestApi } from '../setup/testing.ts';

/*
 * The controller's process on an embedded Kubernetes API, beside a registry: what becomes of functions from images. Nothing runs the pods, the
 * test says how they are.
 */

const repositoryRoot = new URL('../../..', import.meta.url).pathname;
const poolNamespace = 'kappa-functions';
let api: TestApi;
let registry: Server;
let host = '';
let controller: ChildProcess;
/** What the registry has, by path; put there by the tests. */
const documents = new Map<string, string>();
/** Paths that it was asked for. */
const asked: string[] = [];

/** Puts an image under a tag that starts `command`; answers its digest. */
function putImage(tag: string, command: string): string {
  const put = (kind: string, content: object): string => {
    const text = JSON.stringify(content);
    const digest = `sha256:${hash('sha256', text, 'hex')}`;
    documents.set(`/v2/cart/${kind}/${digest}`, text);
    return digest;
  };
  const config = put('blobs', { config: { Entrypoint: ['/entry'], Cmd: [command] } });
  const manifest = { config: { digest: config } };
  const digest = put('manifests', manifest);
  documents.set(`/v2/cart/manifests/${tag}`, JSON.stringify(manifest));
  return digest;
}

beforeAll(async () => {
  registry = createServer(({ url = '' }, res) => {
    asked.push(url);
    const document = documents.get(url);
    if (document === undefined) res.writeHead(404);
    res.end(document ?? '{}');
  });
  await new Promise<void>((done) => registry.listen(0, '127.0.0.1', done));
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  api = await startApi();
  for (const name of ['kappa-system', poolNamespace])
    await api.kubernetes.apply(namespaces, { metadata: { name } }, 'test');
  const env = { KUBECONFIG: api.kubeconfig, KAPPA_NAMESPACE: 'kappa-system' };
  expect(await runEntry('main.ts', env)).toBe(0);
  const key = { metadata: { name: 'kappa-gateway', namespace: poolNamespace }, data: { publicKey: 'key' } };
  await api.kubernetes.apply(configMaps, key, 'test');
  controller = spawn(process.execPath, [join(repositoryRoot, 'controller/src/main.ts')], {
    cwd: repositoryRoot,
    stdio: 'ignore',
    env: {
      ...process.env,
      KUBECONFIG: api.kubeconfig,
      KAPPA_BLOB_DIR: join(api.kubeconfig, '../blobs'),
      KAPPA_CONTROLLER_PORT: '0',
      KAPPA_IMAGE_FUNCTIONS: 'true',
      KAPPA_IMAGE_REGISTRIES: `http://${host}`,
      KAPPA_IMAGE_PREFIX: 'mirror.example/',
    },
  });
}, 60_000);
afterAll(async () => {
  if (controller?.exitCode === null) {
    const ended = once(controller, 'exit');
    controller.kill('SIGKILL');
    await ended;
  }
  await api?.stop();
  registry?.closeAllConnections();
  await new Promise((done) => registry?.close(done) ?? done(null));
}, 60_000);

const functionOf = (name: string): Promise<FunctionObject> => api.kubernetes.get(functions, 'default', name);
async function until(name: string, holds: (status: NonNullable<FunctionObject['status']>) => boolean) {
  let last: unknown;
  await quickly(60_000)
    .until(`${name} is so`, async () => {
      const { status } = await functionOf(name);
      last = status;
      return status !== undefined && holds(status);
    })
    .catch((cause: unknown) => {
      throw new Error(`it is ${JSON.stringify(last)}`, { cause });
    });
}
async function podsOf(reference: string): Promise<readonly Pod[]> {
  const all = await api.kubernetes.list(pods, { namespace: poolNamespace });
  return all.filter(({ spec }) => spec.containers[0]?.image === reference);
}
async function setPods(reference: string, status: object): Promise<void> {
  await quickly(60_000).until('a pod is made', async () => (await podsOf(reference)).length > 0);
  for (const { metadata } of await podsOf(reference))
    await api.kubernetes.patch(pods, poolNamespace, metadata.name, { status }, { subresource: 'status' });
}
const ready = { phase: 'Running', conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' })) };
const unpulled = {
  phase: 'Pending',
  containerStatuses: [
    {
      name: 'runtime',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ErrImagePull', message: 'denied: 403 Forbidden' } },
    },
  ],
};

test('an image is asked for once, tried, served, replaced, and leaves nothing', async () => {
  const digest = putImage('7', 'app.handler');
  const reference = `${host}/cart@${digest}`;
  const metadata = { name: 'cart', namespace: 'default' };
  const code = { image: { uri: `${host}/cart:7` } };
  await api.kubernetes.create(functions, { metadata, spec: { code, memoryMiB: 256 } as never });
  await until('cart', ({ state, lastUpdateStatus }) => state === 'Pending' && lastUpdateStatus === 'InProgress');
  await setPods(reference, ready);
  await until('cart', ({ state, latestVersion }) => state === 'Active' && latestVersion !== undefined);
  const [pod] = await podsOf(reference);
  expect(pod?.spec).toMatchObject({
    initContainers: [{ image: 'mirror.example/kappa/runtime-provided:al2023' }],
    containers: [{ command: ['/var/kappa/agent'], resources: { limits: { memory: '256Mi' } } }],
  });
  const first = (await functionOf('cart')).status?.latestVersion ?? '';
  const version = await api.kubernetes.get(functionVersions, 'default', first);
  expect(version.spec.code).toMatchObject({ image: { reference, entryPoint: ['/entry'], command: ['app.handler'] } });

  const next = putImage('7', 'app.other'); // the same tag, and nobody has said that it is meant
  await api.kubernetes.patch(functions, 'default', 'cart', { spec: { timeoutSeconds: 9 } });
  await until(
    'cart',
    ({ observedGeneration, lastUpdateStatus }) => observedGeneration === 2 && lastUpdateStatus === 'Successful',
  );
  const kept = await api.kubernetes.get(
    functionVersions,
    'default',
    (await functionOf('cart')).status?.latestVersion ?? '',
  );
  expect(kept.spec.code).toEqual(version.spec.code);
  expect(asked.filter((path) => path.endsWith('/manifests/7'))).toHaveLength(1);

  const deployedAt = '2026-11-22T00:00:00Z';
  await api.kubernetes.patch(functions, 'default', 'cart', {
    spec: { code: { image: { ...code.image, deployedAt } } },
  });
  await setPods(`${host}/cart@${next}`, unpulled);
  await until('cart', ({ lastUpdateStatusReasonCode }) => lastUpdateStatusReasonCode === 'ImageAccessDenied');
  expect((await functionOf('cart')).status).toMatchObject({ state: 'Active', latestVersion: kept.metadata.name });
  await setPods(`${host}/cart@${next}`, { ...ready, containerStatuses: [] }); // somebody has mended it
  await until(
    'cart',
    ({ latestVersion, lastUpdateStatus }) => lastUpdateStatus === 'Successful' && latestVersion !== kept.metadata.name,
  );

  await api.kubernetes.delete(functions, 'default', 'cart');
  await quickly(60_000).until('its pools are gone', async () => (await api.kubernetes.list(pools)).length === 0);
  expect(await api.kubernetes.list(pods, { namespace: poolNamespace })).toEqual([]);
}, 150_000);

test('one that its registry does not have says so', async () => {
  const metadata = { name: 'gone', namespace: 'default' };
  const code = { image: { uri: `${host}/cart:none` } };
  await api.kubernetes.create(functions, { metadata, spec: { code } as never });
  await until('gone', ({ stateReasonCode }) => stateReasonCode === 'InvalidImage');
  expect((await functionOf('gone')).status?.stateReason).toBe(`Image ${host}/cart:none does not exist`);
}, 60_000);
