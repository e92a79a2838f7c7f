import { resolve } from 'node:path';
import type { Cluster } from './cluster.ts';
import { type RunOptions, type RunResult, run, runOk } from './run.ts';
import type { Settings } from './settings.ts';

/** A cluster that somebody else runs (kind, k3d, any): it is used as it is, its machines are out of reach. */
export class GivenCluster implements Cluster {
  readonly isOwn = false;
  readonly kubeconfig: string;
  readonly controlAddress = null;
  readonly internetAddress: string | null;
  readonly auditLog = null;
  readonly zones: ReadonlyMap<string, readonly string[]>;
  readonly #settings: Settings;

  private constructor(kubeconfig: string, settings: Settings, zones: GivenCluster['zones']) {
    this.kubeconfig = kubeconfig;
    this.internetAddress = settings.givenInternetAddress;
    this.zones = zones;
    this.#settings = settings;
  }

  /** Throws when the cluster does not answer, with kubectl's words. */
  static async check(settings: Settings): Promise<GivenCluster> {
    const kubeconfig = resolve(settings.givenKubeconfig ?? '');
    const columns = String.raw`{range .items[*]}{.metadata.labels.topology\.kubernetes\.io/zone} {.metadata.name}{"\n"}{end}`;
    const command = ['kubectl', '--kubeconfig', kubeconfig, 'get', 'nodes', '-o', `jsonpath=${columns}`];
    return new GivenCluster(kubeconfig, settings, parseZones(await runOk([...settings.givenInside, ...command])));
  }

  get environment(): NodeJS.ProcessEnv {
    return { KUBECONFIG: this.kubeconfig };
  }

  inside(command: readonly string[]): readonly string[] {
    return [...this.#settings.givenInside, ...command];
  }

  exec(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run(this.inside(command), { ...options, environment: { ...this.environment, ...options.environment } });
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const options = { timeoutMs: 300_000, ...(input === undefined ? {} : { input }) };
    return runOk(this.inside(['kubectl', '--kubeconfig', this.kubeconfig, ...args]), options);
  }

  async load(archives: readonly string[]): Promise<void> {
    const command = this.#settings.givenLoadCommand;
    if (command === null) throw new Error('images cannot be loaded: set KAPPA_E2E_LOAD to a command that does');
    for (const archive of archives) await runOk([...command, archive], { timeoutMs: 600_000 });
  }

  zone(): Promise<void> {
    return Promise.reject(unavailable('zone'));
  }

  node(): Promise<void> {
    return Promise.reject(unavailable('node'));
  }

  apiserver(): Promise<void> {
    return Promise.reject(unavailable('apiserver'));
  }

  net(): Promise<void> {
    return Promise.reject(unavailable('net'));
  }

  restore(): Promise<void> {
    return Promise.resolve(); // it cannot be harmed from here
  }

  async status(): Promise<readonly string[]> {
    return (await this.kubectl(['get', 'nodes', '-o', 'wide'])).trimEnd().split('\n');
  }

  down(): Promise<void> {
    return Promise.resolve(); // not ours to end
  }
}

/** Nodes by zone, from lines of `zone node`; nodes without a zone are in the zone ''. */
export function parseZones(lines: string): ReadonlyMap<string, readonly string[]> {
  const zones = new Map<string, string[]>();
  for (const line of lines.split('\n').filter((text) => text.trim() !== '')) {
    const at = line.lastIndexOf(' ');
    const zone = line.slice(0, at).trim();
    zones.set(zone, [...(zones.get(zone) ?? []), line.slice(at + 1)]);
  }
  return zones;
}

function unavailable(command: string): Error {
  return new Error(`${command} is unavailable: the cluster of KAPPA_E2E_KUBECONFIG is not the harness's own`);
}
