import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { InstalledKappa, release } from '../src/installed.ts';

/** Memory of a pool's pods before a claim, MiB. */
const poolMiB = 1024;

const functions = ['sized', 'huge', 'stubborn'];

let kappa: InstalledKappa;
const apply = (name: string, memoryMiB: number): Promise<void> =>
  kappa.applyReady(nodeFunction(name, code, { memoryMiB, timeoutSeconds: 20, idleTimeoutSeconds: 120 }));
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
}, 240_000);
beforeEach(async () => {
  await kappa.kubectl.ok(removal, JSON.stringify(noResizing));
  await kappa.removeFunctions(functions);
  await apply('sized', 512);
  await kappa.poolReady();
}, 300_000);
afterAll(async () => {
  await kappa?.kubectl.run(removal, JSON.stringify(noResizing));
  await kappa?.deleteFunctions(functions);
  await kappa?.stop();
}, 60_000);

/** Says what its cgroup allows, cgroup v2 or v1, after it has held so much memory for a while. */
const code = `
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
const instance = randomUUID();
const first = (...paths) => {
  for (const path of paths) try { return parseInt(readFileSync('/sys/fs/cgroup/' + path, 'utf8'), 10); } catch {}
};
export const handler = async (event) => {
  const { holdMiB } = JSON.parse(event.body);
  const held = Buffer.alloc(holdMiB * 2 ** 20, 1);
  if (holdMiB > 0) await new Promise((resolve) => setTimeout(resolve, 1000));
  return { statusCode: 200, body: JSON.stringify({
    instance, heldBytes: held.length,
    memoryBytes: first('memory.max', 'memory/memory.limit_in_bytes'),
    cpuUsPer100Ms: first('cpu.max', 'cpu/cpu.cfs_quota_us', 'cpu,cpuacct/cpu.cfs_quota_us'),
  }) };
};
`;

interface Seen {
  readonly instance: string;
  readonly memoryBytes: number;
  readonly cpuUsPer100Ms: number;
}

const call = (name: string, holdMiB = 0): Promise<Response> =>
  fetch(`${kappa.endpoint}/fn/default/${name}/`, { method: 'POST', body: JSON.stringify({ holdMiB }) });

const look = async (name: string): Promise<Seen> => {
  const answer = await call(name);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Seen;
};

/** Reason and message of the pool's condition about sizes. */
const resizeCondition = async (): Promise<{ readonly reason: string; readonly message: string }> => {
  const { status } = await kappa.kubectl.json<{
    status: { conditions: readonly { type: string; reason: string; message: string }[] };
  }>(['pool', 'nodejs24.x', '-n', release.poolNamespace]);
  return status.conditions.find(({ type }) => type === 'InPlaceResize') ?? { reason: 'none', message: '' };
};

const sizesAre = (reason: string): Promise<unknown> =>
  eventually(`sizes are ${reason}`, async () => (await resizeCondition()).reason === reason, 90_000);

test('the kernel holds a claimed pod to the memory and CPU of its function, without a restart', async () => {
  const before = await look('sized');
  const after = await eventually('both limits are the function’s', async () => {
    const seen = await look('sized');
    return seen.memoryBytes === 512 * 2 ** 20 && seen.cpuUsPer100Ms === 29_000 ? seen : undefined;
  });
  process.stdout.write(`resized: ${JSON.stringify(before)} -> ${JSON.stringify(after)}\n`);
  expect(after).toEqual({ ...before, memoryBytes: 512 * 2 ** 20, cpuUsPer100Ms: 29_000 });
  await sizesAre('Supported');
}, 150_000);

/** A pod that has its size, for the pool to say so. */
const oneIsSized = async (): Promise<void> => {
  await look('sized');
  await sizesAre('Supported');
};

test('a function that is too large for every node is served with the size of the pool, and the pool says so', async () => {
  await oneIsSized();
  await apply('huge', 10_240);
  expect((await look('huge')).memoryBytes).toBe(poolMiB * 2 ** 20);
  await sizesAre('Refused'); // by the API server, which knows the node's size
  expect((await look('huge')).memoryBytes).toBe(poolMiB * 2 ** 20);
  process.stdout.write(`too large: ${JSON.stringify(await resizeCondition())}\n`);
  await kappa.deleteFunctions(['huge']);
  await sizesAre('Supported'); // of those that are left
}, 240_000);

/** A cluster that resizes no pod of the pools. */
const noResizing = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'e2e-no-resizing' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/resize'] }],
        },
        validations: [{ expression: `request.namespace != '${release.poolNamespace}'`, message: 'nothing is resized' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'e2e-no-resizing' },
      spec: { policyName: 'e2e-no-resizing', validationActions: ['Deny'] },
    },
  ],
};

const removal = ['delete', '--ignore-not-found', '-f', '-'];

/** Whether the API server refuses a resize by now: a policy takes effect a moment after it was made. */
const isRefused = async (): Promise<boolean> => {
  const [pod] = await kappa.podsOf('sized');
  const resources = { limits: { memory: '600Mi' } };
  const patch = JSON.stringify({ spec: { containers: [{ name: 'runtime', resources }] } });
  const args = ['patch', 'pod', pod?.metadata.name ?? '', '-n', release.poolNamespace, '--subresource=resize'];
  return (await kappa.kubectl.run([...args, '--dry-run=server', '-p', patch])).stderr.includes('nothing is resized');
};

test('where the cluster refuses the resize, the agent holds the function to its memory, and the pool says so', async () => {
  await oneIsSized();
  await kappa.kubectl.apply(noResizing);
  await eventually('the policy is in force', isRefused);
  await apply('stubborn', 256);
  expect((await look('stubborn')).memoryBytes).toBe(poolMiB * 2 ** 20);
  expect((await call('stubborn', 100)).status).toBe(200);
  const tooMuch = await call('stubborn', 400);
  process.stdout.write(`400 MiB in a function of 256: ${tooMuch.status} ${tooMuch.headers.get('x-kappa-error')}\n`);
  expect(tooMuch.status).toBe(502);
  expect((await call('stubborn', 100)).status).toBe(200); // in another pod
  await sizesAre('Refused');
  process.stdout.write(`refused: ${JSON.stringify(await resizeCondition())}\n`);
  await kappa.kubectl.ok(removal, JSON.stringify(noResizing));
  await kappa.deleteFunctions(['stubborn']);
  await sizesAre('Supported');
}, 240_000);
