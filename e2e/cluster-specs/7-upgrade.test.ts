import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, release } from '../src/installed.ts';
import { noFindings } from '../src/load/checks.ts';
import { failures } from '../src/load/summary.ts';
import { besideLoad } from '../src/steady-load.ts';

let kappa: InstalledKappa;
const chart = process.env['KAPPA_E2E_CHART'] ?? 'charts/kappa';
const values = process.env['KAPPA_E2E_VALUES'] ?? '';
beforeAll(async () => {
  kappa = await InstalledKappa.find();
}, 240_000);
beforeEach(async () => {
  await kappa.upgrade(); // changes nothing, unless a try before has left something else, or nothing
  await kappa.gatewaysReady();
  await kappa.applyLedgerFunction('kept');
}, 600_000);
afterAll(async () => {
  await kappa?.upgrade();
  await kappa?.deleteFunctions(['kept']);
  await kappa?.stop();
}, 400_000);

const withValues = values === '' ? [] : ['-f', values];

test('an upgrade and its rollback fail no request', async () => {
  const load = { functions: ['kept'], ratePerSecond: 40, count: 40_000, holdMs: 5 };
  const samples = await besideLoad(kappa, load, async (end) => {
    await kappa.upgrade('gateway.logLevel=debug');
    await kappa.gatewaysReady();
    await kappa.helm('rollback', release.name, '--wait', '--timeout', '300s');
    await kappa.gatewaysReady();
    end();
  });
  expect(kappa.verdict('upgrade and rollback', samples)).toEqual(noFindings);
  expect(failures(samples)).toEqual([]);
}, 900_000);

test('an uninstall takes seconds and keeps what users made, and a new install serves it', async () => {
  const startMs = performance.now();
  await kappa.helm('uninstall', release.name, '--wait', '--timeout', '300s');
  const seconds = (performance.now() - startMs) / 1000;
  process.stdout.write(`uninstall: ${seconds.toFixed(1)} s\n`);
  expect(seconds).toBeLessThan(60);
  expect(await kappa.kubectl.ok(['get', 'fn', 'kept', '-o', 'name'])).toContain('kept');
  await kappa.helm('install', release.name, chart, ...withValues, '--wait', '--timeout', '300s');
  const { spec } = await kappa.kubectl.json<{ spec: { clusterIP: string } }>([
    'svc',
    'kappa-gateway',
    '-n',
    release.namespace,
  ]);
  await eventually(
    'the function answers again',
    async () => {
      const url = `http://${spec.clusterIP}/fn/default/kept/`;
      return (await fetch(url, { method: 'POST', body: '{"number":1}' })).status === 200;
    },
    120_000,
  );
}, 900_000);
