import { afterAll, beforeAll, expect } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { withEvictions } from '../src/eviction.ts';
import { InstalledKappa, type InstalledPod, release } from '../src/installed.ts';
import { noFindings } from '../src/load/checks.ts';
import { runLoad, type Sample } from '../src/load/load.ts';
import { failures } from '../src/load/summary.ts';
import { test } from '../src/needs.ts';
import { linkProtocolOf, loadRuntimes, poolPods, poolsRolled } from '../src/runtime-images.ts';
import { underLoad } from '../src/steady-load.ts';

/*
 * One after the other: the runtimes roll to another image; with one gateway they roll to agents that are a version behind on the link
 * (which know nothing of several gateways), the gateway is killed, the runtimes roll to today's agents, and there are three gateways
 * again. Long calls begin on both kinds of agents and go on while a function changes, gateways are evicted, and all are rolled.
 * Each test first brings the release to where the one before it leaves it, should it not be there.
 */
const otherSuffix = '-other';
const oldSuffix = '-link1';
const rolling = ['rolling-a', 'rolling-b', 'rolling-c'];
const load = { functions: rolling, ratePerSecond: 40, holdMs: 5 };
const longMs = Number(process.env['KAPPA_E2E_LONG_CALL_SECONDS'] ?? 300) * 1000;

let kappa: InstalledKappa;
/** Calls that were begun before the roll-outs which they are to survive, by their functions. */
const longCalls = new Map<string, LongCall>();
interface LongCall {
  /** That were there when it began. */
  readonly gateways: readonly string[];
  readonly answer: Promise<Sample | undefined>;
}
/** What the release was upgraded to, once all of it had followed; null = nobody knows. */
let settled: string | null = '';

beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
  await loadRuntimes(kappa, { suffix: otherSuffix });
  await loadRuntimes(kappa, { suffix: oldSuffix, standIns: { agent: 'oldAgent' } });
  for (const name of rolling) await kappa.applyLedgerFunction(name, { idleTimeoutSeconds: 300 });
  for (const name of ['long-old', 'long']) await kappa.applyLedgerFunction(name, { timeoutSeconds: 900 });
  await kappa.poolReady();
}, 600_000);
afterAll(async () => {
  await kappa?.deleteFunctions([...rolling, 'changing', 'long', 'long-old']);
  await kappa?.upgrade();
  await kappa?.stop();
}, 400_000);

const names = (pods: readonly InstalledPod[]): readonly string[] => pods.map(({ metadata }) => metadata.name);

const oneGateway = 'gateway.replicas=1';

/** Runtimes with that suffix and so many gateways, unless that is what there is. */
const settle = async (suffix: string, ...values: readonly string[]): Promise<void> => {
  const wanted = [suffix, ...values].join();
  if (settled !== wanted) {
    settled = null;
    await kappa.upgrade(`functions.imageSuffix=${suffix}`, 'functions.rollAfterSeconds=5', ...values);
    await poolsRolled(kappa, suffix);
    settled = wanted;
  }
  await kappa.gatewaysReady(values.includes(oneGateway) ? 1 : 3);
};

/**
 * Runs an upgrade to runtimes with that suffix under load, until every pod is of them; fails unless every call was answered.
 *
 * @param values more of the upgrade
 */
const rollRuntimes = async (title: string, suffix: string, ...values: readonly string[]): Promise<void> => {
  let before: readonly InstalledPod[] = [];
  let tookMs = 0;
  const samples = await underLoad(kappa, load, async (moreRuns) => {
    await eventually('the functions have pods', async () => (await kappa.podsOf(rolling[0] ?? '')).length > 0);
    before = await poolPods(kappa);
    const startMs = performance.now();
    await settle(suffix, ...values);
    tookMs = performance.now() - startMs;
    await moreRuns(200);
  });
  const after = new Set(names(await poolPods(kappa)));
  const replaced = before.filter(({ metadata }) => !after.has(metadata.name));
  const claimed = replaced.filter(({ metadata }) => metadata.labels['kappa.dev/state'] === 'claimed');
  process.stdout.write(
    `${title}: ${replaced.length} pods replaced, ${claimed.length} of them claimed, in ${Math.round(tookMs / 1000)} s\n`,
  );
  expect(kappa.verdict(title, samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
  expect(replaced).toHaveLength(before.length);
  expect(claimed.length).toBeGreaterThan(0);
};

const genericPod = async (): Promise<InstalledPod> => {
  const [pod] = await kappa.pods(release.poolNamespace, 'kappa.dev/pool=nodejs24.x,kappa.dev/state=generic');
  if (pod === undefined) throw new Error('no generic pod');
  return pod;
};

/** Begins a call that is to outlast what follows. */
const beginLongCall = async (fn: string): Promise<void> => {
  const startMs = performance.now();
  const answer = runLoad({
    endpoint: kappa.endpoint,
    functions: [fn],
    ratePerSecond: 1,
    count: 1,
    holdMs: longMs,
    timeoutMs: longMs + 60_000,
  }).then(([sample]) => sample);
  longCalls.set(fn, { gateways: names(await kappa.gateways()), answer });
  await eventually(`${fn} runs`, async () => kappa.ledger.runs.some((run) => run.fn === fn && run.beginMs >= startMs));
};

test('the runtimes roll to another image: no request fails', async () => {
  await settle('');
  await rollRuntimes('runtimes rolled', otherSuffix);
}, 600_000);

test('the runtimes roll to agents that are a version behind: no request fails', async () => {
  await settle(otherSuffix, oneGateway);
  expect(await linkProtocolOf(kappa, await genericPod())).toBe(2);
  await rollRuntimes('runtimes rolled to link version 1', oldSuffix, oneGateway);
  expect(await linkProtocolOf(kappa, await genericPod())).toBe(1);
}, 600_000);

test('the gateway of such agents is killed: its next life takes over their pods @faults', async () => {
  await settle(oldSuffix, oneGateway);
  await kappa.gatewaysFresh(1, 0);
  let killedMs = 0;
  const samples = await underLoad(kappa, { ...load, holdMs: 20 }, async (moreRuns) => {
    const [victim] = await kappa.gateways();
    if (victim === undefined) throw new Error('no gateway');
    killedMs = performance.now();
    kappa.signalPod(victim, 'SIGKILL');
    await moreRuns(400);
  });
  const title = 'the only gateway killed, link version 1';
  expect(kappa.verdict(title, samples)).toEqual(noFindings);
  const podsOf = (part: readonly Sample[]) => new Set(part.flatMap(({ answer }) => answer?.pod ?? []));
  const before = podsOf(samples.filter(({ endMs }) => endMs < killedMs));
  const after = podsOf(samples.filter(({ startMs }) => startMs > killedMs));
  const failed = samples.filter(({ status }) => status !== 200);
  const lastMs = Math.round((failed.at(-1)?.startMs ?? killedMs) - killedMs);
  process.stdout.write(`${title}: served again after ${lastMs} ms; ${before.size} pods before, ${after.size} after\n`);
  expect(lastMs).toBeLessThan(10_000);
  expect([...before].filter((pod) => after.has(pod))).not.toEqual([]);
}, 300_000);

test('the runtimes roll to agents of today: no request fails', async () => {
  await settle(oldSuffix, oneGateway);
  await beginLongCall('long-old');
  await rollRuntimes('runtimes rolled to link version 2', '', oneGateway);
  expect(await linkProtocolOf(kappa, await genericPod())).toBe(2);
}, 600_000);

test('one gateway becomes three: no request fails', async () => {
  await settle('', oneGateway);
  const samples = await underLoad(kappa, load, async (moreRuns) => {
    await settle('');
    await moreRuns(200);
  });
  expect(kappa.verdict('one gateway, then three', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
}, 600_000);

test('a function changes under load: no request fails, and nobody gets the old answer after the new one has settled', async () => {
  await settle('');
  await beginLongCall('long');
  const spec = { idleTimeoutSeconds: 300 };
  await kappa.removeFunctions(['changing']);
  await kappa.applyLedgerFunction('changing', spec);
  const environment = [{ name: 'RELEASE', value: '+configuration' }];
  const settledMs: number[] = [];
  const samples = await underLoad(kappa, { ...load, functions: ['changing'] }, async (moreRuns) => {
    for (const manifest of [
      kappa.ledgerFunction('changing', spec, 'code'),
      kappa.ledgerFunction('changing', { ...spec, environment }, 'code'),
    ]) {
      await kappa.kubectl.apply(manifest);
      await eventually('the change is Ready', () => isUpToDate('changing'));
      settledMs.push(performance.now());
      await moreRuns(200);
    }
  });
  expect(kappa.verdict('function changes', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
  const releases = ['', 'code', 'code+configuration'];
  const releaseOf = ({ answer }: Sample): number => releases.indexOf(answer?.release ?? 'none');
  expect(new Set(samples.map(releaseOf))).toEqual(new Set([0, 1, 2]));
  settledMs.forEach((readyMs, index) => {
    const firstNewMs = Math.min(...samples.filter((sample) => releaseOf(sample) > index).map(({ startMs }) => startMs));
    const lastOldMs = Math.max(...samples.filter((sample) => releaseOf(sample) <= index).map(({ startMs }) => startMs));
    const mixedMs = Math.max(0, Math.round(lastOldMs - firstNewMs));
    process.stdout.write(
      `change ${index + 1}: the last old answer was asked for ${Math.round(lastOldMs - readyMs)} ms after the Function was Ready; both kinds for ${mixedMs} ms\n`,
    );
    expect(lastOldMs - readyMs).toBeLessThan(1_000);
    expect(mixedMs).toBeLessThan(1_000);
  });
}, 300_000);

const isUpToDate = async (name: string): Promise<boolean> => {
  const { metadata, status } = await kappa.kubectl.json<{
    metadata: { generation: number };
    status?: { observedGeneration?: number; conditions?: readonly { type: string; status: string }[] };
  }>(['fn', name]);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return status?.observedGeneration === metadata.generation && ready?.status === 'True';
};

test('gateways are evicted under load: the budget refuses a second one until the first is replaced', async () => {
  await settle('');
  const [first = '', second = ''] = names(await kappa.gateways());
  const samples = await underLoad(kappa, load, (moreRuns) =>
    withEvictions(kappa.kubectl, async (evict) => {
      expect(await evict(release.namespace, first)).toMatchObject({ code: 201 });
      const refused = await evict(release.namespace, second);
      process.stdout.write(`second eviction: ${refused.code} ${refused.message}\n`);
      expect(refused.code).toBe(429);
      expect(refused.message).toContain("violate the pod's disruption budget");
      await eventually(
        'the second one may go when the first is replaced',
        async () => (await evict(release.namespace, second)).code === 201,
        120_000,
      );
      await kappa.gatewaysReady();
      await moreRuns(200);
    }),
  );
  expect(kappa.verdict('evictions', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
}, 300_000);

/** Both calls once more, when a test that began one has failed, or what became of them has been seen. */
const beginLongCalls = async (): Promise<void> => {
  await settle(oldSuffix, oneGateway);
  await beginLongCall('long-old');
  await settle('', oneGateway);
  await settle('');
  await beginLongCall('long');
};

test('S3: all gateways are rolled under load; the long calls have survived everything', async () => {
  if (longCalls.size < 2) await beginLongCalls();
  await settle('');
  const calls = [...longCalls];
  longCalls.clear(); // another try needs calls of its own
  const samples = await underLoad(kappa, load, async (moreRuns) => {
    await kappa.kubectl.ok(['rollout', 'restart', 'deploy/kappa-gateway', '-n', release.namespace]);
    await kappa.rolledOut('kappa-gateway');
    await moreRuns(200);
  });
  expect(kappa.verdict('gateways rolled beside long calls', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
  const now = names(await kappa.gateways());
  expect(calls.map(([fn]) => fn).sort()).toEqual(['long', 'long-old']);
  for (const [fn, { gateways, answer }] of calls) {
    const kept = gateways.filter((name) => now.includes(name));
    const sample = await answer;
    const tookMs = sample === undefined ? 0 : Math.round(sample.endMs - sample.startMs);
    process.stdout.write(
      `S3: ${fn} was answered with ${sample?.status} after ${tookMs} ms; gateways of its beginning left: ${kept.length}\n`,
    );
    expect(kept).toEqual([]);
    expect(sample).toMatchObject({ status: 200, answer: { fn } });
    expect(tookMs).toBeGreaterThanOrEqual(longMs);
  }
}, 1_000_000);
