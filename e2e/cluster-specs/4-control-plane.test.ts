import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, type InstalledPod, isReady, release } from '../src/installed.ts';
import { noFindings } from '../src/load/checks.ts';
import { runLoad } from '../src/load/load.ts';
import { failures } from '../src/load/summary.ts';
import { test } from '../src/needs.ts';
import { besideLoad } from '../src/steady-load.ts';

let kappa: InstalledKappa;
const warm = ['warm-a', 'warm-b'];
const cold = ['cold-a', 'cold-b', 'cold-c'];
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
  for (const name of warm) await kappa.applyLedgerFunction(name);
}, 300_000);
const made = ['after-kill', 'after-pause', 'after-outage'];
beforeEach(async () => {
  await kappa.removeFunctions([...cold, ...made]);
  for (const name of cold) await kappa.applyLedgerFunction(name);
  await bothControllers();
  await kappa.poolReady();
}, 300_000);
afterAll(async () => {
  await kappa?.deleteFunctions([...warm, ...cold, ...made]);
  await kappa?.stop();
}, 60_000);

const controllers = () => kappa.pods(release.namespace, 'app.kubernetes.io/name=kappa-controller');
const bothControllers = () =>
  eventually('two controllers run', async () => (await controllers()).filter(isReady).length === 2, 60_000);

const leader = async (): Promise<string> => {
  const { spec } = await kappa.kubectl.json<{ spec: { holderIdentity?: string } }>([
    'lease',
    'kappa-controller',
    '-n',
    release.namespace,
  ]);
  return spec.holderIdentity ?? '';
};

const leadingPod = async (): Promise<InstalledPod> => {
  const identity = await leader();
  const pod = (await controllers()).find(({ metadata }) => identity.includes(metadata.name));
  if (pod === undefined) throw new Error(`no controller pod is ${identity}`);
  return pod;
};

/** Writes of a pod that the API server's audit log shows, with their times. */
const writesOf = (podName: string): readonly { readonly atMs: number; readonly what: string }[] => {
  const path = process.env['KAPPA_E2E_AUDIT_LOG'];
  if (path === undefined) throw new Error('KAPPA_E2E_AUDIT_LOG is not set');
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes(podName) && /"verb":"(create|update|patch|delete)"/.test(line))
    .map((line) => JSON.parse(line) as AuditLine)
    .filter(({ user, stage }) => stage === 'ResponseComplete' && user.extra?.[podNameExtra]?.[0] === podName)
    .filter(({ responseStatus }) => (responseStatus?.code ?? 0) < 300)
    .map(({ verb, requestURI, requestReceivedTimestamp }) => ({
      atMs: Date.parse(requestReceivedTimestamp),
      what: `${verb} ${requestURI}`,
    }));
};

interface AuditLine {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly responseStatus?: { readonly code?: number };
  readonly user: { readonly extra?: Readonly<Record<string, readonly string[]>> };
}
const podNameExtra = 'authentication.kubernetes.io/pod-name';

test('S4: the leading controller is killed, then paused: no call fails, and the old leader writes nothing @faults', async () => {
  const load = { functions: warm, ratePerSecond: 40, count: 20_000, holdMs: 5 };
  const samples = await besideLoad(kappa, load, async (end) => {
    const killed = await leadingPod();
    kappa.signalPod(killed, 'SIGKILL');
    const killedMs = performance.now();
    await kappa.applyLedgerFunction('after-kill'); // work that only a leader does
    process.stdout.write(
      `S4: a new function was ready ${Math.round(performance.now() - killedMs)} ms after the kill\n`,
    );
    await bothControllers();
    await pauseLeader();
    end();
  });
  expect(kappa.verdict('S4', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
}, 240_000);

/** Pauses who leads until somebody else does; what it then resumes with writes nothing. */
const pauseLeader = async (): Promise<void> => {
  const paused = await leadingPod();
  let resumedAtMs = 0;
  try {
    kappa.signalPod(paused, 'SIGSTOP');
    await eventually('another one leads', () => hasNewLeader(paused), 30_000);
  } finally {
    resumedAtMs = Date.now();
    kappa.signalPod(paused, 'SIGCONT');
  }
  await kappa.applyLedgerFunction('after-pause'); // work for a leader
  await pause(5_000); // what a resumed leader would write, it would write by now
  expect(
    writesOf(paused.metadata.name).filter(({ atMs, what }) => atMs > resumedAtMs && !what.includes('/leases/')),
  ).toEqual([]);
};

const hasNewLeader = async (old: InstalledPod): Promise<boolean> => {
  const identity = await leader();
  return identity !== '' && !identity.includes(old.metadata.name);
};

const restartsOf = ({ status }: InstalledPod): number => status.containerStatuses?.[0]?.restartCount ?? 0;

test('S5: API server and etcd are stopped: warm and cold calls go on, and a gateway restarts and serves @faults', async () => {
  // New pods: the kubelet lets a container wait that has crashed lately.
  await kappa.kubectl.ok(['rollout', 'restart', 'deploy/kappa-gateway', '-n', release.namespace]);
  await eventually(
    'three new gateways are ready',
    async () => {
      const gateways = await kappa.gateways();
      return gateways.length === 3 && gateways.every((pod) => isReady(pod) && restartsOf(pod) === 0);
    },
    180_000,
  );
  await kappa.poolReady();
  const downMs = Number(process.env['KAPPA_E2E_OUTAGE_SECONDS'] ?? 120) * 1000;
  const gateways = await kappa.gateways();
  const restarted = gateways[0];
  if (restarted === undefined) throw new Error('no gateway');
  try {
    await kappa.cluster('apiserver', 'stop');
    const startMs = performance.now();
    let [running, killedMs, servedAfterMs] = [0, 0, 0];
    const load = { functions: warm, ratePerSecond: 50, count: (50 * downMs) / 1000, holdMs: 5 };
    const samples = await besideLoad(kappa, load, async () => {
      const coldSamples = await Promise.all(
        cold.map((name) =>
          runLoad({ endpoint: kappa.endpoint, functions: [name], ratePerSecond: 1, count: 3, holdMs: 0 }),
        ),
      );
      for (const samples of coldSamples) {
        expect(kappa.verdict('S5 cold', samples)).toEqual(noFindings);
        expect(failures(samples)).toEqual([]);
      }
      running = kappa.ledger.runningCount;
      kappa.signalPod(restarted, 'SIGKILL');
      killedMs = performance.now();
      const url = `http://${restarted.status.podIP}:9000/fn/default/${warm[0]}/`;
      await eventually(
        'the restarted gateway serves',
        async () => (await fetch(url, { method: 'POST', body: '{"number":-1}' })).status === 200,
        30_000,
      );
      servedAfterMs = performance.now() - killedMs;
      process.stdout.write(`S5: a killed gateway served again after ${Math.round(servedAfterMs)} ms\n`);
    });
    const failed = samples.filter(({ status }) => status !== 200);
    expect(
      kappa.verdict(`S5 warm, ${Math.round(performance.now() - startMs)} ms without an API server`, samples),
    ).toEqual(noFindings);
    expect(failed.length).toBeLessThanOrEqual(running + 3); // what was in flight in the gateway that was killed
    expect(failures(failed.filter(({ startMs: at }) => at > killedMs + 1000))).toEqual([]);
    expect(servedAfterMs).toBeLessThan(5_000);
  } finally {
    await kappa.cluster('apiserver', 'start');
  }
  await kappa.gatewaysReady();
  await kappa.applyLedgerFunction('after-outage');
  const [sample] = await runLoad({ endpoint: kappa.endpoint, functions: ['after-outage'], ratePerSecond: 1, count: 1 });
  expect(sample?.status).toBe(200);
}, 600_000);
