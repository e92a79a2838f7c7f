/**
 * The whole platform on a real three-zone Kubernetes: builds the images, starts the cluster, installs the chart, runs the specs of
 * e2e/cluster-specs inside the cluster's network, and removes everything.
 *
 *   node e2e/src/on-cluster.ts [--keep] [--reuse] [jest arguments]
 *
 * `--keep` leaves the cluster up afterwards; `--reuse` takes the install that is there. With KAPPA_E2E_KUBECONFIG all of it
 * happens on that cluster (e2e/cluster/README.md): specs that it does not allow are skipped, with the reason, and Kappa stays installed.
 */
import { join } from 'node:path';
import { repository } from '@kappa/local/platform';
import { startCluster } from '../cluster/src/cluster.ts';
import { install, log, runInside, step } from './install.ts';
import { lacksOf } from './lacks.ts';

const args = process.argv.slice(2);
const jestArgs = args.filter((arg) => arg !== '--keep' && arg !== '--reuse');
const cluster = await step('cluster', () => startCluster({ log }));
for (const [need, why] of Object.entries(lacksOf(cluster))) log(`specs that need ${need} are left out: ${why}`);
try {
  if (!args.includes('--reuse')) await install(cluster);
  process.exitCode = await step('specs', () =>
    runInside(cluster, [process.execPath, join(repository, '.ci/jest.ts'), 'cluster', ...jestArgs]),
  );
} finally {
  if (!args.includes('--keep')) await step('removal', () => cluster.down());
}
