import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, release } from '../src/installed.ts';
import { noFindings } from '../src/load/checks.ts';
import { runLoad } from '../src/load/load.ts';
import { failures } from '../src/load/summary.ts';

let kappa: InstalledKappa;
const chart = process.env['KAPPA_E2E_CHART'] ?? 'charts/kappa';
const values = process.env['KAPPA_E2E_VALUES'] ?? '';
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
  await kappa.applyLedgerFunction('kept');
}, 240_000);
afterAll(async () => {
  await kappa?.stop();
});

const withValues = values === '' ? [] : ['-f', values];

test('an upgrade and its rollback fail no request', async () => {
  kappa.ledger.clear();
  const stop = new AbortController();
  const load = runLoad({
    endpoint: kappa.endpoint,
    functions: ['kept'],
    ratePerSecond: 40,
    count: 40_000,
    holdMs: 5,
    signal: stop.signal,
  });
  await kappa.upgrade('gateway.logLevel=debug');
  await kappa.gatewaysReady();
  await kappa.helm('rollback', release.name, '--wait', '--timeout', '300s');
  await kappa.gatewaysReady();
  stop.abort();
  const samples = await load;
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
  await kappa.deleteFunctions(['kept']);
}, 900_000);
