import { execFile } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, type InstalledPod, processesOf, release } from '../src/installed.ts';
import { noFindings } from '../src/load/checks.ts';
import { runLoad, type Sample } from '../src/load/load.ts';
import { failures } from '../src/load/summary.ts';
import { test } from '../src/needs.ts';
import { spreadGateways, zonesOfNodes } from '../src/spread.ts';

const execute = promisify(execFile);

let kappa: InstalledKappa;
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await spreadGateways(kappa);
  await kappa.applyLedgerFunction('zonal');
  await kappa.poolReady();
}, 400_000);
afterAll(async () => {
  await kappa?.deleteFunctions(['zonal']);
  await kappa?.kubectl.run(['delete', 'pod', '-l', 'e2e=zonal-caller', '--wait=false']);
  await kappa?.stop();
}, 60_000);

/** HTTP requests that a gateway has not answered yet, by its own metrics. */
const inFlight = async ({ metadata }: InstalledPod): Promise<number> => {
  const code = `fetch('http://127.0.0.1:9003/metrics').then((answer) => answer.text()).then(console.log)`;
  const args = ['exec', '-n', release.namespace, metadata.name, '-c', 'gateway', '--', 'node', '-e', code];
  const found = /^kappa_gateway_in_flight_requests (\d+)$/m.exec(await kappa.kubectl.ok(args));
  return Number(found?.[1]);
};

/** A pod on a node that calls the function through the Service, each time over a connection of its own, all at once. */
const startCaller = async (node: string, calls: number): Promise<string> => {
  const [gateway] = await kappa.gateways();
  const name = `caller-${node}`;
  const code = `
    const url = 'http://kappa-gateway.${release.namespace}/fn/default/zonal/';
    const call = (_, number) => new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } };
      require('node:http').request(url, options, (res) => { res.resume(); resolve(res.statusCode); })
        .on('error', reject).end(JSON.stringify({ number, holdMs: 5000 }));
    });
    Promise.all(Array.from({ length: ${calls} }, call)).then((codes) => console.log(codes.join()));`;
  await kappa.kubectl.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { e2e: 'zonal-caller' } },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'caller',
          image: gateway?.spec.containers[0]?.image,
          imagePullPolicy: 'Never',
          command: ['node', '-e', code],
        },
      ],
    },
  });
  return name;
};

test('callers in a zone reach the gateway of their zone @zones', async () => {
  const zoneOf = await zonesOfNodes(kappa);
  await kappa.kubectl.ok(['delete', 'pod', '-l', 'e2e=zonal-caller']);
  const gateways = await kappa.gateways();
  await eventually('nothing is under way', async () => {
    const counts = await Promise.all(gateways.map(inFlight));
    return counts.every((count) => count === 0);
  });
  const calls = 8;
  for (const [node, zone] of zoneOf) {
    const caller = await startCaller(node, calls);
    const counts = await eventually(`the calls from ${zone} are under way`, async () => {
      const found = new Map<string, number>();
      for (const gateway of gateways) {
        const at = zoneOf.get(gateway.spec.nodeName ?? '') ?? '';
        found.set(at, (found.get(at) ?? 0) + (await inFlight(gateway)));
      }
      return [...found.values()].reduce((sum, count) => sum + count, 0) === calls ? found : undefined;
    });
    process.stdout.write(`${calls} calls from ${zone} are at gateways of ${JSON.stringify([...counts])}\n`);
    expect(counts.get(zone)).toBe(calls);
    const log = await eventually(`the calls from ${zone} are answered`, async () => {
      const text = await kappa.kubectl.ok(['logs', caller]);
      return text.includes('\n') ? text.trim() : undefined;
    });
    expect(log).toBe(Array(calls).fill(200).join());
    await kappa.kubectl.ok(['delete', 'pod', caller, '--wait=false']);
  }
}, 240_000);

/** How often gateways were given functions that they had not served before. */
let tries = 0;

/** Where a gateway keeps copies of code, and what it knows in case that it restarts. */
const folders = { blobs: '/var/lib/kappa/blobs', snapshot: '/var/lib/kappa/snapshot' };

/** Fills a file system up to its last byte. */
const fill = (file: string): void => {
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
};

test('gateways whose disks are full go on serving, also what they have not served before @faults', async () => {
  await kappa.gatewaysReady();
  tries += 1;
  const late = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `late-${tries}-${letter}`);
  const gateways = await kappa.gateways();
  const pids = gateways.map(({ metadata }) => String(processesOf(metadata.uid)[0]));
  const inside = (pid: string, folder: string): string => `/proc/${pid}/root${folder}`;
  const within = (pid: string, ...command: readonly string[]) =>
    execute('nsenter', [`--mount=/proc/${pid}/ns/mnt`, '--', ...command]);
  const mounted: string[] = [];
  try {
    for (const pid of pids) {
      // The disk is the machine's own: the folder gets a small one of its own instead.
      await within(pid, 'mount', '-t', 'tmpfs', '-o', 'size=64k,mode=0777', 'tmpfs', folders.blobs);
      mounted.push(pid);
      for (const folder of Object.values(folders)) fill(`${inside(pid, folder)}/filler`);
    }
    for (const name of late) await kappa.applyLedgerFunction(name);
    kappa.ledger.clear();
    const samples: Sample[] = [];
    for (const { status } of gateways) {
      const endpoint = `http://${status.podIP}:9000`;
      samples.push(...(await runLoad({ endpoint, functions: late, ratePerSecond: 20, count: 60 })));
    }
    expect(kappa.verdict('full disks', samples)).toEqual(noFindings);
    expect(failures(samples)).toEqual([]);
    expect((await kappa.gateways()).map(({ metadata }) => metadata.uid).sort()).toEqual(
      gateways.map(({ metadata }) => metadata.uid).sort(),
    );
  } finally {
    for (const pid of mounted) {
      rmSync(`${inside(pid, folders.snapshot)}/filler`, { force: true });
      await within(pid, 'umount', '-l', folders.blobs);
    }
    await kappa.deleteFunctions(late);
  }
}, 240_000);
