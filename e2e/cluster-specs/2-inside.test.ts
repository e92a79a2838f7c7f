import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { InstalledKappa, release } from '../src/installed.ts';

let kappa: InstalledKappa;
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.applyReady(nodeFunction('probe', probeCode, { timeoutSeconds: 60, memoryMiB: 512 }));
  await kappa.applyLedgerFunction('neighbour');
}, 120_000);
afterAll(async () => {
  await kappa?.deleteFunctions(['probe', 'neighbour']);
  await kappa?.stop();
});

/** Runs inside a function: tries connections, or looks around. */
const probeCode = `
import net from 'node:net';
import { readFileSync, writeFileSync, existsSync, readdirSync } from 'node:fs';
const connect = ({ host, port }) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 2000 });
  const end = (how) => { socket.destroy(); resolve(how); };
  socket.on('connect', () => end('connected'));
  socket.on('timeout', () => end('no answer'));
  socket.on('error', (error) => end(error.code));
});
const attempt = (what) => { try { return String(what()); } catch (error) { return error.code ?? error.message; } };
export const handler = async (event) => {
  const { targets } = JSON.parse(event.body ?? '{}');
  const reached = Object.fromEntries(await Promise.all(Object.entries(targets ?? {}).map(async ([name, at]) => [name, await connect(at)])));
  const status = readFileSync('/proc/self/status', 'utf8');
  const line = (name) => status.split('\\n').find((text) => text.startsWith(name + ':'))?.split('\\t').slice(1).join(' ');
  return { statusCode: 200, body: JSON.stringify({
    reached,
    serviceAccount: existsSync('/var/run/secrets/kubernetes.io'),
    kappaNames: Object.keys(process.env).filter((name) => /^KAPPA_|KUBERNETES_|_SERVICE_HOST$/.test(name)),
    uid: process.getuid(), capabilities: line('CapEff'), noNewPrivileges: line('NoNewPrivs'), seccomp: line('Seccomp'),
    writeRoot: attempt(() => writeFileSync('/var/runtime/x', '')),
    writeCode: attempt(() => writeFileSync(process.env.LAMBDA_TASK_ROOT + '/index.mjs', '')),
    writeTmp: attempt(() => writeFileSync('/tmp/x', 'ok')),
    killAgent: attempt(() => process.kill(1, 'SIGKILL')),
    agentMemory: attempt(() => readFileSync('/proc/1/mem').length),
    agentEnvironment: attempt(() => readFileSync('/proc/1/environ').length),
  }) };
};
`;

interface Seen {
  readonly reached: Readonly<Record<string, string>>;
  readonly serviceAccount: boolean;
  readonly kappaNames: readonly string[];
  readonly uid: number;
  readonly capabilities: string;
  readonly noNewPrivileges: string;
  readonly seccomp: string;
  readonly writeRoot: string;
  readonly writeCode: string;
  readonly writeTmp: string;
  readonly killAgent: string;
  readonly agentMemory: string;
  readonly agentEnvironment: string;
}

const look = async (targets: Readonly<Record<string, { host: string; port: number }>>): Promise<Seen> => {
  const answer = await fetch(`${kappa.endpoint}/fn/default/probe/`, {
    method: 'POST',
    body: JSON.stringify({ targets }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Seen;
};

const clusterIp = async (name: string, namespace: string): Promise<string> =>
  (await kappa.kubectl.json<{ spec: { clusterIP: string } }>(['svc', name, '-n', namespace])).spec.clusterIP;

test('from inside a function neither the API server, nodes, other pods, Redis nor the store can be reached', async () => {
  await fetch(`${kappa.endpoint}/fn/default/neighbour/`, { method: 'POST', body: '{"number":0}' });
  const [neighbour] = await eventually('the neighbour is labelled', async () => {
    const pods = await kappa.podsOf('neighbour');
    return pods.length > 0 ? pods : undefined;
  });
  const [gateway] = await kappa.gateways();
  const { items: nodes } = await kappa.kubectl.json<{
    items: { status: { addresses: { type: string; address: string }[] } }[];
  }>(['nodes']);
  const nodeIp = nodes[0]?.status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
  const neighbourIp = neighbour?.status.podIP ?? '';
  const gatewayIp = gateway?.status.podIP ?? '';
  const { port, hostname } = new URL(kappa.ledger.url);
  const { reached } = await look({
    internet: { host: hostname, port: Number(port) },
    'API server': { host: await clusterIp('kubernetes', 'default'), port: 443 },
    kubelet: { host: nodeIp, port: 10250 },
    "another pod's agent": { host: neighbourIp, port: 9100 },
    "another pod's health port": { host: neighbourIp, port: 9101 },
    Redis: { host: await clusterIp('kappa-redis', release.namespace), port: 6379 },
    'object store': { host: await clusterIp('kappa-store', release.namespace), port: 7070 },
    'gateway admin': { host: gatewayIp, port: 9003 },
    'gateway peers': { host: gatewayIp, port: 9200 },
    metadata: { host: '169.254.169.254', port: 80 },
  });
  const { internet, ...others } = reached;
  expect(internet).toBe('connected');
  expect(Object.entries(others).filter(([, how]) => how === 'connected')).toEqual([]);
}, 60_000);

test('user code has no token, no rights and no way to the agent', async () => {
  const seen = await look({});
  expect(seen).toMatchObject({
    serviceAccount: false,
    kappaNames: [],
    uid: 65532,
    capabilities: '0000000000000000',
    noNewPrivileges: '1',
    seccomp: '2',
    writeCode: 'EACCES',
    writeTmp: 'undefined',
  });
  expect(['EROFS', 'EACCES']).toContain(seen.writeRoot);
  expect(['EACCES', 'EPERM', 'EIO']).toContain(seen.agentMemory);
  expect(['EACCES', 'EPERM']).toContain(seen.agentEnvironment);
  expect((await look({})).uid).toBe(65532); // process 1 did not care about the SIGKILL
});

test('what would break the rules of Pod Security is refused in the pools namespace', async () => {
  const pod = ['privileged', '-n', release.poolNamespace];
  await kappa.kubectl.ok(['delete', 'pod', ...pod, '--ignore-not-found']);
  const { code, stderr } = await kappa.kubectl.run(['run', ...pod, '--image=kappa/gateway', '--privileged']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('violates PodSecurity "restricted');
});
