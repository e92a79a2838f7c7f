import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, isReady, release } from '../src/installed.ts';
import { maxOverlap, noFindings } from '../src/load/checks.ts';
import { runBurst, type Sample } from '../src/load/load.ts';
import { failures } from '../src/load/summary.ts';
import { test } from '../src/needs.ts';
import { besideLoad, underLoad } from '../src/steady-load.ts';

let kappa: InstalledKappa;
const steady = ['steady-a', 'steady-b', 'steady-c', 'steady-d'];
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
  for (const name of steady) await kappa.applyLedgerFunction(name);
}, 300_000);
afterAll(async () => {
  await kappa?.deleteFunctions([...steady, 'capped', 'herd']);
  await kappa?.stop();
}, 60_000);

/** When the first of `count` good answers in a row after `sinceMs` was sent; how long the fault could be felt. */
const recoveredAfterMs = (samples: readonly Sample[], sinceMs: number): number => {
  const lastBad = samples.filter(({ startMs, status }) => startMs >= sinceMs && status !== 200).at(-1);
  return lastBad === undefined ? 0 : lastBad.startMs - sinceMs;
};

test('S2: all gateways are rolled under load; no request fails', async () => {
  await kappa.gatewaysReady();
  const samples = await underLoad(kappa, { functions: steady, ratePerSecond: 80, holdMs: 5 }, async (moreRuns) => {
    await kappa.kubectl.ok(['rollout', 'restart', 'deploy/kappa-gateway', '-n', release.namespace]);
    await kappa.rolledOut('kappa-gateway');
    await moreRuns(Math.max(0, 10_000 - kappa.ledger.runs.length));
  });
  expect(samples.length).toBeGreaterThanOrEqual(10_000);
  expect(kappa.verdict('S2', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
  await kappa.gatewaysReady();
}, 900_000);

test('S1: five times one of three gateways is killed; only what was in flight there fails @faults', async () => {
  await kappa.gatewaysFresh();
  for (let round = 1; round <= 5; round += 1) {
    await kappa.gatewaysReady();
    let [killedMs, running] = [0, 0];
    const load = { functions: steady, ratePerSecond: 60, count: 600, holdMs: 20 };
    const samples = await besideLoad(kappa, load, async () => {
      await eventually('the load is on', async () => kappa.ledger.runs.length >= 200);
      const victims = await kappa.gateways();
      const victim = victims[round % victims.length];
      if (victim === undefined) throw new Error('no gateway');
      killedMs = performance.now();
      running = kappa.ledger.runningCount;
      kappa.signalPod(victim, 'SIGKILL');
    });
    expect(kappa.verdict(`S1 round ${round}, ${running} running when it was killed`, samples)).toEqual(noFindings);
    const failed = samples.filter(({ status }) => status !== 200);
    const inFlight = samples.filter(({ startMs, endMs }) => startMs <= killedMs && endMs >= killedMs).length;
    // What was sent after the others had noticed has no excuse.
    expect(failures(failed.filter(({ startMs }) => startMs > killedMs + 1000))).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(inFlight + 3);
    expect(recoveredAfterMs(samples, killedMs)).toBeLessThan(1000);
  }
}, 600_000);

test('S13: reserved concurrency 10 under 200 callers while gateways are killed and paused @faults', async () => {
  await kappa.gatewaysFresh();
  await kappa.applyLedgerFunction('capped', { concurrency: { reserved: 10 } });
  await kappa.poolReady();
  kappa.ledger.clear();
  const endMs = performance.now() + 40_000;
  const outcomes = new Map<number, number>();
  const samples: Sample[] = [];
  const callers = Array.from({ length: 200 }, async (_, caller) => {
    while (performance.now() < endMs) {
      const options = { endpoint: kappa.endpoint, functions: ['capped'], count: 1, holdMs: 100, timeoutMs: 20_000 };
      for (const sample of await runBurst(options)) {
        samples.push({ ...sample, number: caller });
        outcomes.set(sample.status, (outcomes.get(sample.status) ?? 0) + 1);
      }
      await pause(400);
    }
  });
  const faults = async (): Promise<void> => {
    for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGKILL'] as const) {
      await pause(6_000);
      const [victim] = (await kappa.gateways()).filter(isReady);
      if (victim === undefined) continue;
      try {
        kappa.signalPod(victim, signal);
        if (signal === 'SIGSTOP') await pause(8_000);
      } finally {
        if (signal === 'SIGSTOP') kappa.signalPod(victim, 'SIGCONT');
      }
    }
  };
  const [fault] = await Promise.allSettled([faults(), ...callers]); // all of it has ended before another try
  if (fault.status === 'rejected') throw fault.reason;
  await Promise.all(callers);
  const most = maxOverlap(kappa.ledger.runs);
  process.stdout.write(
    `S13: ${kappa.ledger.runs.length} runs, at most ${most} at once; ${JSON.stringify([...outcomes])}\n`,
  );
  expect(most).toBeLessThanOrEqual(10);
  expect(outcomes.get(200) ?? 0).toBeGreaterThan(500);
}, 300_000);

test('S14: 1,000 calls at once of a cold function that is limited to 20: 200 or 429, nothing else', async () => {
  await kappa.gatewaysReady();
  await kappa.removeFunctions(['herd']);
  await kappa.applyLedgerFunction('herd', { concurrency: { reserved: 20 } });
  await kappa.poolReady();
  kappa.ledger.clear();
  const samples = await runBurst({ endpoint: kappa.endpoint, functions: ['herd'], count: 1000, holdMs: 50 });
  expect(kappa.verdict('S14', samples)).toEqual(noFindings);
  expect(failures(samples.filter(({ status }) => status !== 429))).toEqual([]);
  expect(samples.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  expect(maxOverlap(kappa.ledger.runs)).toBeLessThanOrEqual(20);
  expect(new Set(kappa.ledger.runs.map(({ pod }) => pod)).size).toBeLessThanOrEqual(20);
}, 180_000);
