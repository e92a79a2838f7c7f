/**
 * `make bench-cluster`: the figures of real pods on the three-zone cluster of e2e/cluster, written to docs/benchmarks.md.
 *
 *   node bench/src/cluster/main.ts [--keep] [--reuse] [figure…]
 *
 * Starts the cluster and installs the chart as the specs do; a cluster that runs already is used and left up. `--reuse` takes the install
 * that is there, `--keep` leaves a cluster up that this run has started. With names of figures it measures only those and prints them.
 */
import { fileURLToPath } from 'node:url';
import { openCluster, startCluster } from '@kappa/e2e/cluster';
import { install, log, runInside, step } from '@kappa/e2e/install';
import { buildTools } from '../tools.ts';
import { figures } from './figures.ts';
import { loadToolImages } from './tool-images.ts';

const args = process.argv.slice(2);
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((name) => figures[name] === undefined);
if (unknown.length > 0)
  throw new Error(`no figure ${unknown.join(', ')}; there are ${Object.keys(figures).join(', ')}`);

const isUp = await openCluster().then(
  () => true,
  () => false,
);
const cluster = await step('cluster', () => startCluster({ log }));
try {
  if (!args.includes('--reuse')) await install(cluster);
  await step('tools', async () => {
    buildTools();
    await loadToolImages(cluster);
  });
  const measure = fileURLToPath(new URL('measure.ts', import.meta.url));
  process.exitCode = await step('figures', () =>
    runInside(cluster, [process.execPath, '--disable-warning=ExperimentalWarning', measure, ...wanted]),
  );
} finally {
  if (!isUp && !args.includes('--keep')) await step('removal', () => cluster.down());
}
