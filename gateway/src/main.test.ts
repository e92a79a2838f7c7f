import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FakeApi } from '@kappa/crds/client/testing';

import { fetchOnce, type Reply, until } from './testing.ts';

/*
 * The process as it is: two gateways of one ring on a Kubernetes API that has nothing but their endpoints. How they come, and how one goes.
 */

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const lagMs = 3000;
const api = new FakeApi();
const children: ChildProcess[] = [];
let directory: string;
let peerPort: number;

/** One gateway. */
interface Gateway {
  readonly child: ChildProcess;
  readonly port: number;
  readonly adminPort: number;
  /** Messages of its log so far. */
  readonly said: string[];
}

/** A TCP server on a port of the system's choice. */
async function occupy(): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function freePort(): Promise<number> {
  const { port, free } = await occupy();
  await free();
  return port;
}

function start(env: Readonly<Record<string, string>>): ChildProcess {
  const places = {
    KUBECONFIG: api.kubeconfig,
    KAPPA_SIGNING_KEY_FILE: join(directory, 'gateway.key'),
    KAPPA_BLOB_DIR: join(directory, 'blobs'),
  };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: { ...places, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

/** What its log says from now on. */
function messagesOf(child: ChildProcess): string[] {
  const said: string[] = [];
  const lines = child.stdout === null ? null : createInterface(child.stdout);
  lines?.on('line', (line) => said.push(String(JSON.parse(line).msg)));
  return said;
}

async function startGateway(name: string, podIp: string): Promise<Gateway> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = start({
    KAPPA_PORT: String(port),
    KAPPA_ADMIN_PORT: String(adminPort),
    KAPPA_PEER_SERVICE: 'gateways',
    KAPPA_PEER_PORT: String(peerPort),
    KAPPA_POD_IP: podIp,
    KAPPA_POD_NAME: name,
    KAPPA_LAG_MS: String(lagMs),
  });
  return { child, port, adminPort, said: messagesOf(child) };
}

const notThere: Reply = { status: 0, headers: {}, body: Buffer.alloc(0) };
const get = (port: number, path: string): Promise<Reply> => fetchOnce(port, { path }).catch(() => notThere);

async function alive({ adminPort }: Gateway): Promise<string | undefined> {
  const { body } = await get(adminPort, '/metrics');
  return /^kappa_gateway_ring_gateways\{state="alive"\} (\d+)$/m.exec(body.toString())?.[1];
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-gateway-'));
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(join(directory, 'gateway.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  peerPort = await freePort();
  await api.start();
  const endpoint = (name: string, ip: string) => ({ addresses: [ip], conditions: {}, targetRef: { name }, zone: 'a' });
  api.put('/apis/discovery.k8s.io/v1/namespaces/kappa-system/endpointslices', {
    metadata: { name: 'gateways-1', namespace: 'kappa-system', labels: { 'kubernetes.io/service-name': 'gateways' } },
    addressType: 'IPv4',
    endpoints: [endpoint('gateway-a', '127.0.0.2'), endpoint('gateway-b', '127.0.0.3')],
  });
});

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  await api.stop();
  await rm(directory, { recursive: true, force: true });
});

test('gateways find each other and become ready; one that ends leaves the ring first and serves on until it goes', async () => {
  const [first, second] = [await startGateway('gateway-a', '127.0.0.2'), await startGateway('gateway-b', '127.0.0.3')];
  for (const gateway of [first, second]) {
    await until(
      async () => (await get(gateway.adminPort, '/readyz')).status === 200,
      () => 'waited in vain until it is ready',
    );
    await until(
      async () => (await alive(gateway)) === '2',
      () => 'waited in vain until it hears the other one',
    );
  }
  expect((await get(first.port, '/readyz')).status).toBe(404); // health and metrics have a port of their own

  const exited = once(first.child, 'close');
  first.child.kill('SIGTERM');
  await until(
    async () => (await alive(second)) === '1',
    () => 'waited in vain until the other one counts on it no more',
  );
  const unready = await get(first.adminPort, '/readyz');
  expect([unready.status, JSON.parse(unready.body.toString())]).toEqual([503, { ready: false, reasons: ['stopping'] }]);
  const served = await fetchOnce(first.port, { method: 'POST', path: '/2015-03-31/functions/nobody/invocations' });
  expect([served.status, served.headers.connection]).toEqual([404, 'close']);

  expect(await exited).toEqual([0, null]);
  expect(first.said).toEqual(['listening', 'ready', 'ending', 'ended']);
  expect((await get(second.adminPort, '/readyz')).status).toBe(200);
}, 60_000);

test('a port that is taken ends the process', async () => {
  const { port, free } = await occupy();
  const child = start({ KAPPA_PORT: String(port) });
  const said = messagesOf(child);
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(said).toEqual(['cannot listen']);
  await free();
}, 30_000);
