import { functions, leases, type Pod, pods, pools } from '@kappa/crds/client/kinds';
import { connect, type Informer, type Kubernetes } from '@kappa/crds/client/kubernetes';
import { eventually } from '@kappa/e2e/eventually';
import { makeFunction } from '@kappa/e2e/functions';
import { InstalledKappa, isReady, processesOf, release } from '@kappa/e2e/installed';
import { knownTo, type SignedInvoke, signedInvoke } from '../signed-invoke.ts';
import { PodWatch } from './pod-watch.ts';

/** What everything that the bench makes carries, so that a later run finds what a killed one left. */
export const benchLabel = 'bench.kappa.dev/owner';

/** One process of the platform. */
export interface Part {
  readonly name: string;
  readonly ip: string;
  readonly node: string;
  readonly pid: number;
}

/** The languages that figures are taken for. */
export const languages = { 'nodejs24.x': 'Node', 'python3.13': 'Python' } as const;
export type RuntimeId = keyof typeof languages;

/** A hello-world that says how often its process was called, so that a cold start proves to be one. */
export function countingFunction(name: string, runtime: RuntimeId, spec: object = {}): object {
  const files =
    runtime === 'nodejs24.x'
      ? { 'index.mjs': `let calls = 0;\nexport const handler = async () => ({ name: '${name}', calls: ++calls });\n` }
      : {
          'index.py': `calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return {"name": "${name}", "calls": calls}\n`,
        };
  return makeFunction(name, files, { runtime, ...spec });
}

/** The install under test with what a figure needs of it. */
export class BenchCluster {
  readonly kappa: InstalledKappa;
  readonly kubernetes: Kubernetes;
  /** Of the pools' namespace. */
  readonly pods: PodWatch;
  readonly #states: Informer<string>;
  readonly #stopping: AbortController;

  private constructor(kappa: InstalledKappa, kubernetes: Kubernetes) {
    this.kappa = kappa;
    this.kubernetes = kubernetes;
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.pods = new PodWatch(kubernetes, release.poolNamespace, signal);
    this.#states = kubernetes.watch(functions, {
      labelSelector: benchLabel,
      project: ({ status }) => status?.state ?? '',
      onChange: () => undefined,
      signal,
    });
  }

  /** Finds the install, clears away what an earlier run left, and waits until it is whole. */
  static async find(): Promise<BenchCluster> {
    const cluster = new BenchCluster(await InstalledKappa.find(), connect());
    await Promise.all([cluster.pods.whenSynced(), cluster.#states.whenSynced()]);
    await cluster.cleanUp();
    await cluster.kappa.gatewaysReady();
    return cluster;
  }

  async stop(): Promise<void> {
    await this.cleanUp();
    this.#stopping.abort();
    await this.kappa.stop();
  }

  /** Removes everything that a figure made and waits until its pods have ended. */
  async cleanUp(): Promise<void> {
    const { kubectl } = this.kappa;
    const all = ['-l', benchLabel, '--ignore-not-found'];
    while (this.#states.size > 0) {
      await kubectl.ok(['delete', 'fn', '-n', 'default', ...all, '--wait=false']);
      await eventually('functions go', async () => this.#states.size === 0, 50_000).catch(() => undefined);
    }
    await kubectl.ok(['delete', 'pod', '-n', release.poolNamespace, ...all, '--wait=false']);
    await kubectl.ok(['delete', 'namespace', ...all, '--timeout=50s']); // the next figure makes it again
    await this.#poolFloorsBack();
    await this.pods.noneRuns(() => true);
  }

  /** Creates functions and waits until each is Active and every gateway routes to them (of many, to every n-th). */
  async make(manifests: readonly object[]): Promise<void> {
    const labelled = manifests.map((manifest) => withLabel(manifest));
    const names = labelled.map(({ metadata }) => metadata.name);
    for (let from = 0; from < labelled.length; from += 100) {
      const text = labelled.slice(from, from + 100).map((manifest) => JSON.stringify(manifest));
      await this.kappa.kubectl.ok(['create', '-f', '-'], text.join('\n---\n'));
    }
    const isActive = (name: string): boolean => this.#states.get(`default/${name}`) === 'Active';
    await eventually('every function is Active', async () => names.every(isActive), 300_000);
    const asked = names.filter((_, index) => index % Math.ceil(names.length / 100) === 0 || index === names.length - 1);
    for (const { ip } of await this.gateways()) {
      const client = await this.kappa.lambda(`http://${ip}:9000`);
      await knownTo(client, asked);
      client.destroy();
    }
  }

  /** Deletes functions and waits until no pod runs one of them. */
  async remove(names: readonly string[]): Promise<void> {
    await this.kappa.deleteFunctions(names);
    await this.pods.noneRuns((fn) => names.includes(fn));
  }

  /** Sets how many generic pods a pool keeps, and waits for exactly those. The pool exists once a function uses its runtime. */
  async resizePool(pool: string, size: number): Promise<void> {
    const patch = { spec: { minReplicas: size, replicas: size } };
    const isPatched = async (): Promise<boolean> => {
      await this.kubernetes.patch(pools, release.poolNamespace, pool, patch);
      return true;
    };
    await eventually(`pool ${pool} exists`, isPatched);
    await this.pods.poolAtRest(pool, size);
  }

  /** A pool's ready generic pod, whole. */
  async genericPod(pool: RuntimeId): Promise<Pod> {
    const found = this.pods.live().find((pod) => pod.pool === pool && pod.isGeneric && pod.isReady);
    if (found === undefined) throw new Error(`pool ${pool} has no ready pod`);
    return this.kubernetes.get(pods, release.poolNamespace, found.name);
  }

  gateways(): Promise<readonly Part[]> {
    return this.#parts('kappa-gateway');
  }

  /** The one that leads first. */
  async controllers(): Promise<readonly Part[]> {
    const parts = await this.#parts('kappa-controller');
    const { spec } = await this.kubernetes.get(leases, release.namespace, 'kappa-controller');
    const leads = ({ name }: Part): number => (spec.holderIdentity?.includes(name) === true ? 0 : 1);
    return [...parts].sort((a, b) => leads(a) - leads(b));
  }

  /** The caller's side of Lambda's Invoke of a function at one gateway, signed by the AWS SDK. Good for five minutes. */
  async signedInvoke(gateway: Part, fn: string, body: string): Promise<SignedInvoke> {
    const client = await this.kappa.lambda(`http://${gateway.ip}:9000`);
    try {
      return await signedInvoke(client, fn, body);
    } finally {
      client.destroy();
    }
  }

  async #parts(name: string): Promise<readonly Part[]> {
    const found = await this.kappa.pods(release.namespace, `app.kubernetes.io/name=${name}`);
    return found.filter(isReady).map(({ metadata, spec, status }) => {
      const [pid] = processesOf(metadata.uid);
      if (pid === undefined) throw new Error(`${metadata.name} has no process on this machine`);
      return { name: metadata.name, ip: status.podIP ?? '', node: spec.nodeName ?? '', pid };
    });
  }

  /** What the install itself gives a pool; figures that change it end here. */
  async #poolFloorsBack(): Promise<void> {
    const floor = await this.#installedFloor();
    for (const { metadata } of await this.kubernetes.list(pools, { namespace: release.poolNamespace })) {
      const patch = { spec: { minReplicas: floor, replicas: floor } };
      await this.kubernetes.patch(pools, release.poolNamespace, metadata.name, patch);
    }
  }

  async #installedFloor(): Promise<number> {
    const deployment = await this.kappa.kubectl.json<{
      spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
    }>(['deploy', 'kappa-controller', '-n', release.namespace]);
    const environment = deployment.spec.template.spec.containers.flatMap(({ env }) => env);
    return Number(environment.find(({ name }) => name === 'KAPPA_POOL_MIN_REPLICAS')?.value ?? 2);
  }
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

function withLabel(manifest: object): Labelled {
  const { metadata } = manifest as { readonly metadata: { readonly name: string } };
  return { ...manifest, metadata: { ...metadata, labels: { [benchLabel]: 'cluster' } } };
}
