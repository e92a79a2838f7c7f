import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the harness keeps things, and whether it drives a cluster of its own. */
export interface Settings {
  /** Built programs, kept over checkouts and runs. */
  readonly cacheDir: string;
  /** State of the running cluster: pids, sockets, logs, disks of the nodes. Short, since sockets live in it. */
  readonly runDir: string;
  /** kubeconfig of a cluster that somebody else runs; null: the harness runs one itself. */
  readonly givenKubeconfig: string | null;
  /** Command, split at spaces, put before whatever must reach the given cluster's API server, Services and pods; empty: they are reached from here. */
  readonly givenInside: readonly string[];
  /** IPv4 address where such a command can listen and pods can reach it; null: there is none. */
  readonly givenInternetAddress: string | null;
  /** Command, split at spaces, that takes an image archive's path as its last argument; null: images cannot be loaded. */
  readonly givenLoadCommand: readonly string[] | null;
}

/**
 * Reads the environment: KAPPA_CLUSTER_CACHE (default `$XDG_CACHE_HOME/kappa-cluster` or `~/.cache/kappa-cluster`),
 * KAPPA_CLUSTER_DIR (default `/var/lib/kappa-cluster`), KAPPA_E2E_KUBECONFIG, KAPPA_E2E_INSIDE, KAPPA_E2E_INTERNET_ADDRESS, KAPPA_E2E_LOAD.
 */
export function parseSettings(environment: NodeJS.ProcessEnv, home: string = homedir()): Settings {
  const caches = environment['XDG_CACHE_HOME'] || join(home, '.cache');
  const words = (name: string): readonly string[] => environment[name]?.split(' ').filter((word) => word !== '') ?? [];
  const load = words('KAPPA_E2E_LOAD');
  return {
    cacheDir: environment['KAPPA_CLUSTER_CACHE'] || join(caches, 'kappa-cluster'),
    runDir: environment['KAPPA_CLUSTER_DIR'] || '/var/lib/kappa-cluster',
    givenKubeconfig: environment['KAPPA_E2E_KUBECONFIG'] || null,
    givenInside: words('KAPPA_E2E_INSIDE'),
    givenInternetAddress: environment['KAPPA_E2E_INTERNET_ADDRESS'] || null,
    givenLoadCommand: load.length > 0 ? load : null,
  };
}
