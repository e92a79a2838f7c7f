import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from '@kappa/local/platform';
import type { Cluster } from '../cluster/src/cluster.ts';
import { buildImages } from '../images/src/build-images.ts';
import { bundleImages } from '../images/src/bundle-images.ts';
import { release } from './installed.ts';
import { lacksOf } from './lacks.ts';

const chart = join(repository, 'charts/kappa');

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
 * Values files, as helm's `-f` takes them. Where the tests listen on a private address, functions have to be let out to it: to ports that
 * systems choose by themselves, since the API server and a kubelet may have the same address.
 */
function valuesFiles({ isOwn, internetAddress }: Cluster): string {
  const common = join(repository, 'e2e/cluster-values.yaml');
  if (isOwn) return common;
  const given = join(repository, '.cache/e2e-given-values.json');
  const ports = [{ port: 32_768, endPort: 60_999, protocol: 'TCP' }];
  const allow = [{ to: [{ ipBlock: { cidr: `${internetAddress}/32` } }], ports }];
  mkdirSync(dirname(given), { recursive: true });
  writeFileSync(given, JSON.stringify({ functions: { egress: { allow } } }));
  return `${common},${given}`;
}

/**
 * Runs a command in the cluster's network, its output shown here, with the environment that {@link InstalledKappa} looks for; answers its
 * exit code.
 */
export function runInside(cluster: Cluster, command: readonly string[]): Promise<number> {
  if (cluster.internetAddress === null)
    throw new Error('KAPPA_E2E_INTERNET_ADDRESS is not set: functions report to the tests there');
  const [program = '', ...args] = cluster.inside(command);
  const env = {
    ...process.env,
    ...cluster.environment,
    KAPPA_E2E_LEDGER_HOST: cluster.internetAddress,
    KAPPA_E2E_AUDIT_LOG: cluster.auditLog ?? '',
    KAPPA_E2E_CHART: chart,
    KAPPA_E2E_VALUES: valuesFiles(cluster),
    KAPPA_E2E_LACKS: JSON.stringify(lacksOf(cluster)),
  };
  const child = spawn(program, args, { stdio: 'inherit', env });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/**
 * Builds the images, puts them on the nodes and installs the chart. An install that is there is removed before: its images have the same
 * names, so an upgrade would leave the old pods. @throws Error when Helm gives up
 */
export async function install(cluster: Cluster): Promise<void> {
  const images = await step('images', () => buildImages({ onProgress: log }));
  await step('images onto the nodes', async () => cluster.load([await bundleImages(images)]));
  const former = ['uninstall', release.name, '-n', release.namespace, '--ignore-not-found', '--wait'];
  await step('helm uninstall', () => runInside(cluster, ['helm', ...former, '--timeout', '300s']));
  const args = ['install', release.name, chart, '-n', release.namespace, '--create-namespace'];
  const code = await step('helm install', () =>
    runInside(cluster, ['helm', ...args, '-f', valuesFiles(cluster), '--wait', '--timeout', '300s']),
  );
  if (code !== 0) {
    await runInside(cluster, ['kubectl', 'get', 'pods,events', '-A']);
    throw new Error('the chart could not be installed');
  }
}
