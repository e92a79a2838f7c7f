import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dnsImage, makeDns, makeEarlyAddons, makeStorage } from './addons.ts';
import { buildPrograms, type Programs, programPath } from './builds.ts';
import { Cgroups, killQuietly } from './cgroups.ts';
import { removeTraces } from './cleanup.ts';
import type { Cluster, NodeAction } from './cluster.ts';
import {
  auditLog,
  type ControlPlaneParts,
  isServing,
  killApiServer,
  startApiServer,
  startControllers,
} from './control-plane.ts';
import { credentialsIn, writeCredentials } from './credentials.ts';
import { diskNeeds, listShortages } from './disk.ts';
import { importArchive, writeImage } from './images.ts';
import { withLock } from './lock.ts';
import { applyDrops, createNetwork, setCable } from './network.ts';
import { bootNode, killNode, type NodeParts, nodePaths, programName, startNodePrograms, startRuntime } from './node.ts';
import { pauseImage } from './node-files.ts';
import {
  addresses,
  type ClusterPlan,
  type ClusterSize,
  controlName,
  planCluster,
  resolveNode,
  resolveZone,
} from './plan.ts';
import { Processes } from './processes.ts';
import { installPackages, listMissing } from './requirements.ts';
import { inNamespace, type RunOptions, type RunResult, run, runOk, waitUntil } from './run.ts';
import { startControlProxy } from './service-proxy.ts';
import type { Settings } from './settings.ts';
import { type ClusterState, readState, writeState } from './state.ts';
import { raiseLimits, writeWrappers } from './surroundings.ts';
import { orphansOf, processesIn } from './traces.ts';
import { recycleVolumes } from './volumes.ts';

/** The cluster that the harness runs itself on this machine, in namespaces of its own. */
export class OwnCluster implements Cluster {
  readonly isOwn = true;
  readonly kubeconfig: string;
  readonly controlAddress = addresses.control;
  readonly internetAddress = addresses.internet;
  readonly auditLog: string;
  readonly #plan: ClusterPlan;
  readonly #settings: Settings;
  readonly #parts: ControlPlaneParts & NodeParts;

  private constructor(settings: Settings, size: ClusterSize, programs: Programs) {
    const { runDir } = settings;
    const cgroups = new Cgroups();
    const credentials = credentialsIn(runDir);
    this.#settings = settings;
    this.#plan = planCluster(size);
    this.#parts = { runDir, programs, credentials, cgroups, processes: new Processes(runDir, cgroups) };
    this.kubeconfig = credentials.kubeconfig('admin');
    this.auditLog = auditLog(runDir);
  }

  /** See startCluster: finds the running cluster, or removes what is left of one and starts anew. */
  static async start(settings: Settings, size: ClusterSize, log: (line: string) => void): Promise<OwnCluster> {
    refuseIf(await listMissing());
    return withLock(lockOf(settings), () => OwnCluster.#startAlone(settings, size, log));
  }

  static async #startAlone(settings: Settings, size: ClusterSize, log: (line: string) => void): Promise<OwnCluster> {
    const running = OwnCluster.#findRunning(settings);
    if (running) {
      if (JSON.stringify(running.#plan) !== JSON.stringify(planCluster(size))) {
        throw new Error('a cluster of another size runs: end it with `down` first');
      }
      running.#endOrphans();
      await running.restore();
      return running;
    }
    await removeTraces(settings.runDir);
    refuseIf(listShortages(diskNeeds(settings)));
    await installPackages(log);
    const programs = await buildPrograms(settings.cacheDir, log);
    const cluster = new OwnCluster(settings, size, programs);
    await cluster.#start(log);
    return cluster;
  }

  /** The running cluster. Throws when there is none, or none that `up` has finished. */
  static async open(settings: Settings): Promise<OwnCluster> {
    const state = readState(settings.runDir);
    if (!state?.isComplete) throw new Error('no cluster runs: start one with `up`');
    return OwnCluster.#of(settings, state);
  }

  /** Ends what runs, complete or half-dead, and removes every trace but the built programs. */
  static async remove(settings: Settings): Promise<void> {
    await withLock(lockOf(settings), () => removeTraces(settings.runDir));
  }

  static #of(settings: Settings, state: ClusterState): OwnCluster {
    return new OwnCluster(settings, state.size, new Map(Object.entries(state.programs)));
  }

  /** Null also when a program died that no command killed. */
  static #findRunning(settings: Settings): OwnCluster | null {
    const state = readState(settings.runDir);
    if (!state?.isComplete) return null;
    const cluster = OwnCluster.#of(settings, state);
    const { processes } = cluster.#parts;
    const isWhole = processes.names().every((name) => processes.isAlive(name));
    return isWhole && existsSync(`/run/netns/${controlName}`) ? cluster : null;
  }

  get environment(): NodeJS.ProcessEnv {
    return { KUBECONFIG: this.kubeconfig, PATH: `${join(this.#parts.runDir, 'bin')}:${process.env['PATH']}` };
  }

  get zones(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.#plan.zones.map((zone) => [zone, resolveZone(this.#plan, zone).map((node) => node.name)]));
  }

  inside(command: readonly string[]): readonly string[] {
    return inNamespace(controlName, command);
  }

  exec(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run(command, {
      ...options,
      netns: controlName,
      environment: { ...this.environment, ...options.environment },
    });
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const command = [programPath(this.#parts.programs, 'kube', 'kubectl'), '--kubeconfig', this.kubeconfig, ...args];
    return runOk(command, { netns: controlName, timeoutMs: 300_000, ...(input === undefined ? {} : { input }) });
  }

  async load(archives: readonly string[]): Promise<void> {
    const ctr = programPath(this.#parts.programs, 'containerd', 'ctr');
    const sockets = this.#plan.nodes.map((node) => nodePaths(this.#parts.runDir, node.name).socket);
    const importAll = async (socket: string): Promise<void> => {
      for (const archive of archives) await importArchive(ctr, socket, archive);
    };
    await Promise.all(sockets.map(importAll));
  }

  async zone(name: string, state: 'down' | 'up'): Promise<void> {
    for (const node of resolveZone(this.#plan, name)) await setCable(node, state);
  }

  async node(name: string, action: NodeAction): Promise<void> {
    const node = resolveNode(this.#plan, name);
    if (action === 'pause' || action === 'resume') return this.#parts.cgroups.freeze(node.group, action === 'pause');
    if (action === 'kill') return killNode(this.#parts, node);
    await bootNode(this.#parts, node);
    await applyDrops(this.#plan, this.#state().drops);
  }

  async apiserver(action: 'stop' | 'start'): Promise<void> {
    if (action === 'stop') return killApiServer(this.#parts.processes);
    await startApiServer(this.#parts);
    startControllers(this.#parts);
  }

  async net(action: 'drop' | 'heal', a: string, b: string): Promise<void> {
    const state = this.#state();
    const others = state.drops.filter((drop) => !isBetween(drop.a, drop.b, a, b));
    const drops = action === 'drop' ? [...others, { a, b }] : others;
    await applyDrops(this.#plan, drops);
    writeState(this.#parts.runDir, { ...state, drops });
  }

  async restore(): Promise<void> {
    const { runDir, cgroups, processes } = this.#parts;
    for (const node of this.#plan.nodes) cgroups.freeze(node.group, false);
    for (const node of this.#plan.nodes) await setCable(node, 'up');
    await applyDrops(this.#plan, []);
    writeState(runDir, { ...this.#state(), drops: [] });
    if (!(await isServing(this.#parts))) await this.apiserver('start');
    for (const node of this.#plan.nodes) {
      if (!processes.isAlive(programName(node, 'kubelet'))) await bootNode(this.#parts, node);
    }
    const names = this.#plan.nodes.map((node) => node.name);
    await this.kubectl(['wait', 'node', '--for=condition=Ready', '--timeout=120s', ...names]);
    await recycleVolumes((args, input) => this.kubectl(args, input), makeStorage(this.#plan, runDir));
  }

  async status(): Promise<readonly string[]> {
    const { processes, cgroups } = this.#parts;
    const programs = processes.names().map((name) => `${name}: ${processes.isAlive(name) ? 'runs' : 'ended'}`);
    const nodes = this.#plan.nodes.map(
      (node) =>
        `${node.name}: ${node.zone}, ${node.address}, pods ${node.podRange}, ${cgroups.members(node.group).length} processes`,
    );
    const drops = this.#state().drops.map(({ a, b }) => `no packets between ${a} and ${b}`);
    return [`API server: ${(await isServing(this.#parts)) ? 'ready' : 'not ready'}`, ...nodes, ...programs, ...drops];
  }

  async down(): Promise<void> {
    await OwnCluster.remove(this.#settings);
  }

  /** Specs and load generators whose runner was killed would go on beside the next ones. */
  #endOrphans(): void {
    const own = new Set(this.#parts.cgroups.members(controlName));
    const others = processesIn([controlName]).filter((pid) => !own.has(pid));
    for (const pid of orphansOf(others)) killQuietly(pid);
  }

  #state(): ClusterState {
    const state = readState(this.#parts.runDir);
    if (!state) throw new Error('no cluster runs');
    return state;
  }

  async #start(log: (line: string) => void): Promise<void> {
    const startMs = performance.now();
    const say = (what: string): void => log(`${((performance.now() - startMs) / 1000).toFixed(1)} s: ${what}`);
    const { runDir, programs, cgroups } = this.#parts;
    const { zones, nodes } = this.#plan;
    const size = { zones: zones.length, nodesPerZone: nodes.length / zones.length };
    const state = { size, isComplete: false, drops: [], programs: Object.fromEntries(programs) };
    writeState(runDir, state); // first, so that a killed start can be cleaned up
    raiseLimits();
    await writeCredentials(runDir, nodes);
    writeWrappers(runDir, programs, this.kubeconfig);
    cgroups.make(controlName);
    await createNetwork(this.#plan);
    const archives = await this.#writeImages();
    say('network and credentials made');
    const runtimes = Promise.all(nodes.map((node) => startRuntime(this.#parts, node, archives)));
    await Promise.all([startApiServer(this.#parts), runtimes]);
    say('API server serves, container runtimes run');
    startControllers(this.#parts);
    startControlProxy(this.#parts);
    await this.#apply(makeEarlyAddons(this.#plan, runDir));
    await Promise.all(nodes.map((node) => startNodePrograms(this.#parts, node)));
    await waitUntil('nodes registered', 60_000, async () => {
      return (await this.kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n').length === nodes.length;
    });
    await this.kubectl(['wait', 'node', '--for=condition=Ready', '--timeout=120s', ...nodes.map((node) => node.name)]);
    say('nodes are Ready');
    await this.#apply(makeDns(this.#plan));
    await this.kubectl(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=120s']);
    say('names resolve');
    await waitUntil('Services reachable from the control namespace', 60_000, () => this.#reachesServices());
    writeState(runDir, { ...state, isComplete: true });
    say('cluster is up');
  }

  async #apply(items: readonly object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await this.kubectl(['apply', '--server-side', '-f', '-'], list);
  }

  async #reachesServices(): Promise<boolean> {
    const rules = await run(['nft', 'list', 'table', 'ip', 'kube-proxy'], { netns: controlName });
    return rules.code === 0 && rules.stdout.includes(addresses.dns);
  }

  async #writeImages(): Promise<readonly string[]> {
    const { runDir, programs } = this.#parts;
    const directory = join(runDir, 'images');
    mkdirSync(directory, { recursive: true });
    const pause = { reference: pauseImage, programPath: programPath(programs, 'pause', 'pause'), args: [] };
    const dns = { reference: dnsImage, programPath: programPath(programs, 'coredns', 'coredns'), args: [] };
    await writeImage(pause, join(directory, 'pause.tar'));
    await writeImage(dns, join(directory, 'coredns.tar'));
    return readdirSync(directory).map((file) => join(directory, file));
  }
}

function refuseIf(missing: readonly string[]): void {
  if (missing.length > 0) throw new Error(missing.join('; '));
}

/** One at a time starts or ends the cluster. */
function lockOf(settings: Settings): string {
  return join(settings.cacheDir, 'cluster.lock');
}

function isBetween(a: string, b: string, left: string, right: string): boolean {
  return (a === left && b === right) || (a === right && b === left);
}
