/**
 * The whole platform on a real three-zone Kubernetes: builds the images, starts the cluster, installs the chart, runs the specs of
 * e2e/cluster-specs inside the cluster's network, and removes everything.
 *
 *   node e2e/src/on-cluster.ts [--keep] [--reuse] [jest arguments]
 *
 * `--keep` leaves the cluster up afterwards; `--reuse` takes the install that is there.
 */
import { join } from 'node:path';
import { repository } from '@kappa/local/platform';
import { startCluster } from '../cluster/src/cluster.ts';
import { install, log, runInside, step } from './install.ts';

const args = process.argv.slice(2);
const jestArgs = args.filter((arg) => arg !== '--keep' && arg !== '--reuse');
const cluster = await step('cluster', () => startCluster({ log }));
try {
  if (!args.includes('--reuse')) await install(cluster);
  process.exitCode = await step('specs', () =>
    runInside(cluster, [process.execPath, join(repository, '.ci/jest.ts'), 'cluster', ...jestArgs]),
  );
} finally {
  if (!args.includes('--keep')) await step('removal', () => cluster.down());
}
