import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Programs, programPath } from './builds.ts';
import type { Cgroups } from './cgroups.ts';
import type { Credentials } from './credentials.ts';
import { importArchive } from './images.ts';
import { resetNode, setCable } from './network.ts';
import {
  kubeletConfiguration,
  makeCniConfig,
  makeContainerdConfig,
  makeRuncWrapper,
  testRegistry,
  testRegistryHosts,
} from './node-files.ts';
import type { NodePlan } from './plan.ts';
import type { Processes, ProcessSpec } from './processes.ts';
import { mayLowerOomScore } from './requirements.ts';
import { run, waitUntil } from './run.ts';
import { startNodeProxy } from './service-proxy.ts';

/** What nodes are started from. */
export interface NodeParts {
  readonly runDir: string;
  readonly programs: Programs;
  readonly credentials: Credentials;
  readonly processes: Processes;
  readonly cgroups: Cgroups;
}

/** Files and sockets of one node, all below one directory. */
export function nodePaths(runDir: string, name: string) {
  const directory = join(runDir, 'nodes', name);
  return {
    directory,
    socket: join(directory, 'ctd.sock'),
    volumes: join(directory, 'volumes'),
    file: (path: string): string => join(directory, path),
  };
}

/** The programs of a node, in the order they start. */
const nodePrograms = ['containerd', 'kubelet', 'kube-proxy', 'netpol'] as const;

/** Name of a node's program in the records. */
export function programName(node: NodePlan, program: (typeof nodePrograms)[number]): string {
  return `${node.name}.${program}`;
}

/** Writes a node's files, starts its container runtime and imports the archives. */
export async function startRuntime(parts: NodeParts, node: NodePlan, archives: readonly string[]): Promise<void> {
  writeNodeFiles(parts, node);
  parts.cgroups.make(node.group);
  const { socket } = nodePaths(parts.runDir, node.name);
  rmSync(socket, { force: true });
  parts.processes.start(containerd(parts, node));
  const ctr = programPath(parts.programs, 'containerd', 'ctr');
  await waitUntil(`containerd of ${node.name}`, 30_000, async () => {
    return existsSync(socket) && (await run([ctr, '--address', socket, 'version'])).code === 0;
  });
  for (const archive of archives) await importArchive(ctr, socket, archive);
}

/** Starts what needs the API server: kubelet, policy enforcer and service proxy; waits until the proxy runs. */
export async function startNodePrograms(parts: NodeParts, node: NodePlan): Promise<void> {
  parts.processes.start(netpol(parts, node));
  parts.processes.start(kubelet(parts, node));
  await startNodeProxy(parts, node);
}

/** The node dies: every process of it is killed, its network is gone. */
export async function killNode(parts: NodeParts, node: NodePlan): Promise<void> {
  await setCable(node, 'down');
  await parts.cgroups.kill(node.group);
  for (const program of nodePrograms) parts.processes.kill(programName(node, program));
}

/** A killed node boots: disks are as they were, everything else is fresh. */
export async function bootNode(parts: NodeParts, node: NodePlan): Promise<void> {
  if (parts.processes.isAlive(programName(node, 'kubelet'))) throw new Error(`${node.name} runs already`);
  await resetNode(node);
  await setCable(node, 'up');
  await startRuntime(parts, node, []);
  await startNodePrograms(parts, node);
}

function writeNodeFiles({ runDir, programs, credentials }: NodeParts, node: NodePlan): void {
  const { directory, socket, file } = nodePaths(runDir, node.name);
  const registry = `registries/${testRegistry}`;
  for (const path of ['cni', 'containerd', 'state', 'kubelet', 'pod-logs', registry])
    mkdirSync(file(path), { recursive: true });
  writeFileSync(file(`${registry}/hosts.toml`), testRegistryHosts);
  const runc = programPath(programs, 'runc', 'runc');
  writeFileSync(file('runc'), makeRuncWrapper(runc));
  chmodSync(file('runc'), 0o755);
  const containerd = makeContainerdConfig({
    directory,
    socket,
    cniPrograms: programPath(programs, 'cni', ''),
    runc: mayLowerOomScore() ? runc : file('runc'),
  });
  writeFileSync(file('containerd.toml'), containerd);
  writeFileSync(file('cni/10-pods.conflist'), JSON.stringify(makeCniConfig(node, file('addresses'))));
  writeFileSync(file('resolv.conf'), 'nameserver 127.0.0.1\n');
  const configuration = kubeletConfiguration({ node, directory, socket, clientCaFile: credentials.caFile });
  writeFileSync(file('kubelet.json'), JSON.stringify(configuration, null, 2));
}

function containerd({ runDir, programs }: NodeParts, node: NodePlan): ProcessSpec {
  const program = programPath(programs, 'containerd', 'containerd');
  const path = `${programPath(programs, 'containerd', '')}:${process.env['PATH']}`; // its shim is found there
  const command = [program, '--config', nodePaths(runDir, node.name).file('containerd.toml'), '--log-level', 'warn'];
  return { name: programName(node, 'containerd'), group: node.group, command, environment: { PATH: path } };
}

function kubelet({ runDir, programs, credentials }: NodeParts, node: NodePlan): ProcessSpec {
  const { file } = nodePaths(runDir, node.name);
  const command = [
    programPath(programs, 'kube', 'kubelet'),
    `--config=${file('kubelet.json')}`,
    `--kubeconfig=${credentials.kubeconfig(node.name)}`,
    `--root-dir=${file('kubelet')}`,
    `--cert-dir=${file('kubelet/pki')}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
    `--node-labels=topology.kubernetes.io/zone=${node.zone},topology.kubernetes.io/region=test-region`,
  ];
  return { name: programName(node, 'kubelet'), group: node.group, command };
}

function netpol({ programs, credentials }: NodeParts, node: NodePlan): ProcessSpec {
  const flags = ['-kubeconfig', credentials.kubeconfig('netpol'), '-node', node.name];
  const command = [programPath(programs, 'netpol', 'netpol'), ...flags];
  return { name: programName(node, 'netpol'), group: node.group, command };
}
