import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { repository } from '@kappa/local/platform';
import { type AwsCli, provideAwsCli } from './aws-cli.ts';
import { eventually } from './eventually.ts';
import { makeFunction } from './functions.ts';
import { Kubectl } from './kubectl.ts';
import { checkLedger, type Findings } from './load/checks.ts';
import { Ledger, ledgerFunctionCode } from './load/ledger.ts';
import type { Sample } from './load/load.ts';
import { slowest, summarize } from './load/summary.ts';

const execute = promisify(execFile);

/** A pod as the specs look at it. */
export interface InstalledPod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** Where the platform is installed. */
export const release = { name: 'kappa', namespace: 'kappa-system', poolNamespace: 'kappa-functions' } as const;

/**
 * A Kappa that was installed by Helm on a real cluster, spoken to from outside: kubectl, helm, HTTP, signals to processes of the nodes.
 * The process runs inside the cluster's own network (`make e2e` sees to it): addresses of Services and pods can be reached.
 */
export class InstalledKappa {
  readonly kubectl: Kubectl;
  /** The gateway's Service, without a slash at the end. */
  readonly endpoint: string;
  readonly ledger: Ledger;

  private constructor(kubectl: Kubectl, endpoint: string, ledger: Ledger) {
    this.kubectl = kubectl;
    this.endpoint = endpoint;
    this.ledger = ledger;
  }

  /** Finds the install. The environment is what `node e2e/cluster/src/main.ts env` prints. */
  static async find(): Promise<InstalledKappa> {
    const kubectl = new Kubectl('kubectl', required('KUBECONFIG'));
    const { spec } = await kubectl.json<{ spec: { clusterIP: string } }>([
      'svc',
      'kappa-gateway',
      '-n',
      release.namespace,
    ]);
    const ledger = await Ledger.start(required('KAPPA_E2E_LEDGER_HOST'));
    return new InstalledKappa(kubectl, `http://${spec.clusterIP}`, ledger);
  }

  stop(): Promise<void> {
    return this.ledger.stop();
  }

  /**
   * Applies a function that reports every run to the ledger, and waits until all gateways route to it. Its idle pods go within a minute: the
   * nodes are small, and what one scenario leaves would be the next one's lack of room. (Sooner, and pools would start pods all the time.)
   */
  async applyLedgerFunction(name: string, spec: object = {}): Promise<void> {
    await this.applyReady(this.ledgerFunction(name, spec));
  }

  /** The same function, not applied. @param release see ledgerFunctionCode */
  ledgerFunction(name: string, spec: object = {}, release = ''): object {
    const files = { 'index.mjs': ledgerFunctionCode(name, this.ledger.url, release) };
    return makeFunction(name, files, { memoryMiB: 512, timeoutSeconds: 30, idleTimeoutSeconds: 60, ...spec });
  }

  /** Applies a Function and waits until it is Ready and every gateway answers its URL with something but 404. */
  async applyReady(fn: object): Promise<void> {
    const { name } = (fn as { metadata: { name: string } }).metadata;
    await this.kubectl.apply(fn);
    await this.kubectl.ok(['wait', `fn/${name}`, '--for=condition=Ready', '--timeout=60s']);
    for (const { status } of await this.gateways()) {
      const client = await this.lambda(`http://${status.podIP}:9000`);
      const dryRun = new InvokeCommand({ FunctionName: name, InvocationType: 'DryRun' });
      await eventually(`a gateway knows ${name}`, async () => (await client.send(dryRun)).StatusCode === 204);
      client.destroy();
    }
  }

  /** The AWS SDK's client with the access key of the install. The caller destroys it. */
  async lambda(endpoint = this.endpoint, secretAccessKey?: string): Promise<LambdaClient> {
    const key = await this.#accessKey();
    const credentials = secretAccessKey === undefined ? key : { ...key, secretAccessKey };
    return new LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  }

  /** The `aws` command with the access key of the install. */
  async aws(): Promise<AwsCli> {
    const { accessKeyId, secretAccessKey } = await this.#accessKey();
    const cli = await provideAwsCli(this.endpoint);
    return cli.with({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  }

  async #accessKey(): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
    const args = ['secret', 'kappa-access-key', '-n', release.namespace];
    const { data } = await this.kubectl.json<{ data: Record<string, string> }>(args);
    const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    return { accessKeyId: text('accessKeyId'), secretAccessKey: text('secretAccessKey') };
  }

  async deleteFunctions(names: readonly string[]): Promise<void> {
    await this.kubectl.ok(['delete', 'fn', ...names, '--wait=false', '--ignore-not-found']);
  }

  /** Deletes functions of namespace default, and waits until they and their pods are gone: what is applied then under these names is cold. */
  async removeFunctions(names: readonly string[]): Promise<void> {
    await this.kubectl.ok(['delete', 'fn', ...names, '--ignore-not-found', '--timeout=50s']);
    const mine = `kappa.dev/function in (${names.join(',')}),kappa.dev/function-namespace=default`;
    await eventually(
      `no pods of ${names.join(', ')}`,
      async () => (await this.pods(release.poolNamespace, mine)).length === 0,
      120_000,
    );
  }

  /** Gateway pods that are not on their way out. */
  gateways(): Promise<readonly InstalledPod[]> {
    return this.pods(release.namespace, 'app.kubernetes.io/name=kappa-gateway');
  }

  /** Pods with a label that have not ended and are not being deleted. */
  async pods(namespace: string, selector: string): Promise<readonly InstalledPod[]> {
    const { items } = await this.kubectl.json<{ items: InstalledPod[] }>(['pods', '-n', namespace, '-l', selector]);
    return items.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed',
    );
  }

  /** Pods that hold a function of namespace default. */
  podsOf(name: string): Promise<readonly InstalledPod[]> {
    return this.pods(release.poolNamespace, `kappa.dev/function=${name},kappa.dev/function-namespace=default`);
  }

  /** Sends a signal to every process of a pod, as a fault of its node would. */
  signalPod(pod: InstalledPod, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of processesOf(pod.metadata.uid)) process.kill(pid, signal);
  }

  /** Waits until every gateway is Ready. */
  async gatewaysReady(count = 3, limitMs = 180_000): Promise<void> {
    await eventually(
      `${count} gateways are ready`,
      async () => (await this.gateways()).filter(isReady).length === count,
      limitMs,
    );
  }

  /** The same; when one has crashed more often, all are replaced: the kubelet lets a container wait that has crashed lately. */
  async gatewaysFresh(count = 3, maxCrashes = 2): Promise<void> {
    await this.gatewaysReady(count);
    const crashes = ({ status }: InstalledPod): number => status.containerStatuses?.[0]?.restartCount ?? 0;
    if ((await this.gateways()).every((pod) => crashes(pod) <= maxCrashes)) return;
    await this.kubectl.ok(['rollout', 'restart', 'deploy/kappa-gateway', '-n', release.namespace]);
    await this.rolledOut('kappa-gateway');
    await this.gatewaysReady(count);
  }

  /** Waits until a pool has its floor of ready generic pods. */
  async poolReady(pool = 'nodejs24.x', limitMs = 120_000): Promise<void> {
    await eventually(
      `pool ${pool} is full`,
      async () => {
        const { spec, status } = await this.kubectl.json<{
          spec: { replicas: number };
          status?: { readyReplicas?: number };
        }>(['pool', pool, '-n', release.poolNamespace]);
        return (status?.readyReplicas ?? 0) >= spec.replicas;
      },
      limitMs,
    );
  }

  /** The cluster's own command (e2e/cluster): zones, nodes, API server. */
  async cluster(...args: readonly string[]): Promise<string> {
    const main = `${repository}/e2e/cluster/src/main.ts`;
    return (await execute(process.execPath, [main, ...args], { timeout: 300_000 })).stdout;
  }

  async helm(...args: readonly string[]): Promise<string> {
    return (await execute('helm', ['-n', release.namespace, ...args], { timeout: 400_000, maxBuffer: 16 << 20 }))
      .stdout;
  }

  /** `helm upgrade --install` to what `make e2e` installs, and these values on top, e.g. `gateway.logLevel=debug`. */
  async upgrade(...values: readonly string[]): Promise<void> {
    const chart = process.env['KAPPA_E2E_CHART'] ?? 'charts/kappa';
    const file = process.env['KAPPA_E2E_VALUES'] ?? '';
    const given = [...(file === '' ? [] : ['-f', file]), ...values.flatMap((value) => ['--set', value])];
    await this.helm('upgrade', '--install', release.name, chart, ...given, '--wait', '--timeout', '300s');
  }

  /** Waits until a Deployment of the release has rolled out. @throws Error when it has not within five minutes */
  async rolledOut(deployment: string): Promise<void> {
    const args = ['rollout', 'status', `deploy/${deployment}`, '-n', release.namespace, '--timeout=300s'];
    const code = await new Promise((resolve) => this.kubectl.start(args).once('close', resolve));
    if (code !== 0) throw new Error(`${deployment} has not rolled out: kubectl ended with ${code}`);
  }

  /** Compares what callers saw with the ledger and prints the load in one line. */
  verdict(title: string, samples: readonly Sample[]): Findings {
    const slow = slowest(samples, this.ledger.runs, 3);
    process.stdout.write(`${title}: ${JSON.stringify(summarize(samples))}; slowest ${JSON.stringify(slow)}\n`);
    return checkLedger(samples, this.ledger.runs);
  }
}

/** Whether a pod's Ready condition is true. */
export function isReady({ status }: InstalledPod): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** Processes on this machine that run in containers of a pod, by the names of their cgroups. */
export function processesOf(podUid: string): readonly number[] {
  return everyProcessOf(podUid).filter((pid) => !isPause(pid));
}

/** The same, and the one that only holds the pod's network. */
export function everyProcessOf(podUid: string): readonly number[] {
  const names = [podUid, podUid.replaceAll('-', '_')];
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const cgroups = readFileSync(`/proc/${entry}/cgroup`, 'utf8');
      return names.some((name) => cgroups.includes(name)) ? [Number(entry)] : [];
    } catch {
      return []; // it has ended
    }
  });
}

/** The process that only holds the pod's network (`/program` in e2e/cluster): a fault of a container leaves it alone. */
function isPause(pid: number): boolean {
  try {
    return /^\/(pause|program)$/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return true; // it has ended
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these specs are started by "make e2e"`);
  return value;
}
