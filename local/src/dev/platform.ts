import { accessSync, constants, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { namespaces, nodes } from '@kappa/crds/client/kinds';
import { connect } from '@kappa/crds/client/kubernetes';
import { usableKubectl } from '../kubectl.ts';
import { endAllPods } from '../node/end-all-pods.ts';
import { type Held, hold } from '../node/holder.ts';
import { cgroupsOf } from '../node/install.ts';
import { applyExamples } from './examples.ts';
import { endLeftovers, partRecords } from './leftovers.ts';
import { Part, type PartDoors } from './part.ts';
import { choosePorts, type Ports } from './ports.ts';
import { removeEndedPods, setUpCluster, warmPools } from './set-up-cluster.ts';

/** The processes of the platform, in the order of their start. */
export const partNames = ['api', 'node', 'controller', 'gateway'] as const;
/** One of {@link partNames}. */
export type PartName = (typeof partNames)[number];

/** What to start. */
export interface PlatformOptions {
  /** Everything that is stored; made when missing. */
  readonly stateDir: string;
  /** 0 = a free one. */
  readonly ports: Ports;
  /** Apply examples/hello-*.yaml and wait until they are ready. */
  readonly examples: boolean;
  /** Hears each line of each part as it was written (pino's JSON), and what the platform itself says (`dev`). */
  readonly log: (name: string, line: string) => void;
  /** More variables for all parts, for example KAPPA_POOL_MIN_REPLICAS. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the start early; what was started is stopped. */
  readonly signal?: AbortSignal;
}

/** A running platform. */
export interface Platform {
  readonly stateDir: string;
  readonly kubeconfig: string;
  /** A kubectl of version 1.35 or later. */
  readonly kubectl: string;
  /** The gateway, without a slash at the end. */
  readonly url: string;
  readonly ports: Ports;
  /** One process: its number, kill it (it comes back), stop and start it, wait until it serves. */
  part(name: PartName): Part;
  /** Ends everything, pods and all they started included. A second call, with 0, makes a first one faster. */
  stop(graceMs?: number): Promise<void>;
}

/** The repository's root. */
export const repository = resolve(import.meta.dirname, '../../..');
const systemNamespace = 'kappa-system';
const poolNamespace = 'kappa-functions';
const usualGraceMs = 5000;

const clock = {
  now: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};

/**
 * Starts all of Kappa on this machine: embedded Kubernetes API, process node, controller, gateway. Resolves when all of them
 * serve (and the examples are ready).
 *
 * @throws Held when another platform has the state directory, PortInUse, NoKubectl, or Error with the last lines of the part that
 *   did not start; nothing is left running then
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const stateDir = resolve(options.stateDir);
  const say = (text: string) => options.log('dev', text);
  requireAgent();
  const giveBack = hold(join(stateDir, 'dev.lock'));
  const parts = new Map<PartName, Part>();
  const records = partRecords(stateDir);
  const stop = makeStop(stateDir, parts, () => {
    records.clear();
    giveBack();
  });
  try {
    const left = await endLeftovers(stateDir, clock, 1000);
    if (left.parts + left.pods > 0)
      say(`ended what an earlier run left behind: ${left.parts} processes, ${left.pods} pods`);
    const [ports, kubectl] = await Promise.all([choosePorts(options.ports), usableKubectl()]);
    const kubeconfig = join(stateDir, 'kubeconfig');
    const doors: PartDoors = {
      ...clock,
      onLine: options.log,
      onNote: say,
      onProcess: (name, id) => records.set(name, id),
    };
    const environment = { ...process.env, ...environmentOf(stateDir, kubeconfig, ports), ...options.environment };
    for (const name of partNames) parts.set(name, makePart(name, { environment, kubeconfig, ports, doors }));
    const part = (name: PartName) => partOf(parts, name);
    options.signal?.addEventListener('abort', () => void stop(0));
    await startParts(part, { kubeconfig, stateDir, signal: options.signal });
    const platform = { stateDir, kubeconfig, kubectl, url: `http://127.0.0.1:${ports.gateway}`, ports, part, stop };
    if (options.examples) {
      await applyExamples(platform, join(repository, 'examples'), say);
      await warmPools(connect(kubeconfig), clock.sleep, 20_000);
    }
    options.signal?.throwIfAborted();
    return platform;
  } catch (error) {
    await stop(1000);
    throw error;
  }
}

/** The text that a second start over the same state directory gets. */
export function heldText(error: Held, stateDir: string): string {
  return `process ${error.holder.pid} runs Kappa with the state directory ${resolve(stateDir)} already: stop that one (kill ${error.holder.pid}), or choose another directory with KAPPA_STATE_DIR and other ports with KAPPA_PORT, KAPPA_API_PORT, KAPPA_CONTROLLER_PORT`;
}

async function startParts(
  part: (name: PartName) => Part,
  {
    kubeconfig,
    stateDir,
    signal,
  }: { readonly kubeconfig: string; readonly stateDir: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  part('api').start();
  await part('api').ready();
  const setUp = {
    manifests: join(repository, 'crds/manifests'),
    keyFile: join(stateDir, 'gateway.key'),
    systemNamespace,
    poolNamespace,
  };
  const kubernetes = connect(kubeconfig, { component: 'kappa-setup' });
  await setUpCluster(kubernetes, setUp, clock.sleep);
  await removeEndedPods(kubernetes);
  signal?.throwIfAborted();
  const others = partNames.filter((name) => name !== 'api').map(part);
  for (const other of others) other.start();
  await Promise.all(others.map((other) => other.ready()));
}

/** The reverse order of the start, and pods before the API: whoever needs another ends first. */
function makeStop(stateDir: string, parts: ReadonlyMap<PartName, Part>, onEnd: () => void): Platform['stop'] {
  let ending: Promise<void> | null = null;
  const end = async (graceMs: number) => {
    for (const name of ['gateway', 'controller', 'node'] as const) await parts.get(name)?.stop(graceMs);
    await endAllPods(stateDir, cgroupsOf(stateDir), clock, graceMs === 0 ? 0 : 1000);
    await parts.get('api')?.stop(graceMs);
    onEnd();
  };
  return (graceMs = usualGraceMs) => {
    if (ending !== null && graceMs === 0) for (const part of parts.values()) part.kill();
    ending ??= end(graceMs);
    return ending;
  };
}

/**
 * MiB of V8's young generation. Its default of 16 keeps tens of MB more resident in each process after a busy time; in the gateway, a warm call
 * costs more CPU below 8.
 */
const youngGenerationMiB: Readonly<Record<PartName, number>> = { api: 4, node: 4, controller: 4, gateway: 8 };

interface PartContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly kubeconfig: string;
  readonly ports: Ports;
  readonly doors: PartDoors;
}

function makePart(name: PartName, { environment, kubeconfig, ports, doors }: PartContext): Part {
  const checks: Record<PartName, () => Promise<boolean>> = {
    api: async () => {
      // An old kubeconfig in a state directory may still name another port.
      if (!readFileSync(kubeconfig, 'utf8').includes(`:${ports.api}`)) return false;
      return (await connect(kubeconfig).get(namespaces, null, 'default')).metadata.name === 'default';
    },
    node: async () => {
      const node = await connect(kubeconfig).get(nodes, null, environment['KAPPA_NODE_NAME'] ?? 'local-a');
      return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    },
    controller: () => answersOk(`http://127.0.0.1:${ports.controller}/readyz`),
    gateway: () => answersOk(`http://127.0.0.1:${ports.gateway}/readyz`),
  };
  const file = name === 'api' || name === 'node' ? `local/src/${name}/main.ts` : `${name}/src/main.ts`;
  return new Part(
    {
      name,
      args: [`--max-semi-space-size=${youngGenerationMiB[name]}`, file],
      environment,
      folder: repository,
      isReady: checks[name],
    },
    doors,
  );
}

function environmentOf(stateDir: string, kubeconfig: string, ports: Ports): Record<string, string> {
  return {
    KUBECONFIG: kubeconfig,
    KAPPA_STATE_DIR: stateDir,
    KAPPA_HOST: '127.0.0.1',
    KAPPA_PORT: String(ports.gateway),
    KAPPA_API_PORT: String(ports.api),
    KAPPA_CONTROLLER_PORT: String(ports.controller),
    KAPPA_PUBLIC_URL: `http://127.0.0.1:${ports.gateway}`,
    KAPPA_BLOB_DIR: join(stateDir, 'blobs'),
    KAPPA_EVENTS_FILE: join(stateDir, 'events.db'),
    KAPPA_SIGNING_KEY_FILE: join(stateDir, 'gateway.key'),
    KAPPA_RUNTIMES_FILE: join(repository, 'runtime-images/runtimes.yaml'),
    KAPPA_ALLOW_LOCAL_CODE: 'true',
    KAPPA_PRIVATE_ISSUERS: '*',
    KAPPA_SYSTEM_NAMESPACE: systemNamespace,
    KAPPA_POOL_NAMESPACE: poolNamespace,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
  };
}

function requireAgent(): void {
  const agent = join(repository, 'runtime-images/agent/bin/agent');
  try {
    accessSync(agent, constants.X_OK);
  } catch (error) {
    throw new Error(`the agent is not built (${agent}): run make setup`, { cause: error });
  }
}

function partOf(parts: ReadonlyMap<PartName, Part>, name: PartName): Part {
  const part = parts.get(name);
  if (part === undefined) throw new RangeError(`no part ${name}`);
  return part;
}

async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.body?.cancel();
  return response.ok;
}
