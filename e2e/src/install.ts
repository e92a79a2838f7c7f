import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '@kappa/local/platform';
import type { Cluster } from '../cluster/src/cluster.ts';
import { buildImages } from '../images/src/build-images.ts';
import { bundleImages } from '../images/src/bundle-images.ts';
import { release } from './installed.ts';

const chart = join(repository, 'charts/kappa');
const values = join(repository, 'e2e/cluster-values.yaml');

/** One line for people, beside what a command prints. */
export const log = (line: string): void => console.error(line);

/** Runs a step and says how long it took. */
export async function step<T>(what: string, action: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  try {
    return await action();
  } finally {
    log(`${what}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  }
}

/**
 * Runs a command in the cluster's network, its output shown here, with the environment that {@link InstalledKappa} looks for; answers its
 * exit code.
 */
export function runInside(cluster: Cluster, command: readonly string[]): Promise<number> {
  const [program = '', ...args] = cluster.inside(command);
  const env = {
    ...process.env,
    ...cluster.environment,
    KAPPA_E2E_LEDGER_HOST: cluster.internetAddress ?? cluster.controlAddress ?? '127.0.0.1',
    KAPPA_E2E_AUDIT_LOG: cluster.auditLog ?? '',
    KAPPA_E2E_CHART: chart,
    KAPPA_E2E_VALUES: values,
  };
  const child = spawn(program, args, { stdio: 'inherit', env });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/** Builds the images, puts them on the nodes and installs the chart, or brings an install up to date. @throws Error when Helm gives up */
export async function install(cluster: Cluster): Promise<void> {
  const images = await step('images', () => buildImages({ onProgress: log }));
  await step('images onto the nodes', async () => cluster.load([await bundleImages(images)]));
  const args = ['upgrade', '--install', release.name, chart, '-n', release.namespace, '--create-namespace'];
  const code = await step('helm install', () =>
    runInside(cluster, ['helm', ...args, '-f', values, '--wait', '--timeout', '300s']),
  );
  if (code !== 0) {
    await runInside(cluster, ['kubectl', 'get', 'pods,events', '-A']);
    throw new Error('the chart could not be installed');
  }
}
