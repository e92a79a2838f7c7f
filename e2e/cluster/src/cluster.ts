import { GivenCluster } from './given-cluster.ts';
import { OwnCluster } from './own-cluster.ts';
import type { ClusterSize } from './plan.ts';
import type { RunOptions, RunResult } from './run.ts';
import { parseSettings } from './settings.ts';

export type { ClusterSize } from './plan.ts';
export type { RunResult } from './run.ts';

/** What can be done to a node. */
export type NodeAction = 'kill' | 'pause' | 'resume' | 'start';

/** A whole cluster, as the tests use it. Every method throws when it does not succeed. */
export interface Cluster {
  /** The harness runs it: outages are to be had. False: somebody else does. */
  readonly isOwn: boolean;
  /** For kubectl, helm and clients that run inside the control namespace. */
  readonly kubeconfig: string;
  /** Added to the environment of what runs inside: KUBECONFIG, and PATH with kubectl and helm. */
  readonly environment: NodeJS.ProcessEnv;
  /** Address of the control namespace, where load generators and test servers listen; null in a given cluster. */
  readonly controlAddress: string | null;
  /** Another address of it, which counts as the internet; in a given cluster KAPPA_E2E_INTERNET_ADDRESS, null without one. */
  readonly internetAddress: string | null;
  /** Names of the zones and of each zone's nodes. */
  readonly zones: ReadonlyMap<string, readonly string[]>;
  /** File with one JSON audit event a line; null in a given cluster. */
  readonly auditLog: string | null;
  /** The command that runs `command` in the control namespace, for those who start it themselves. */
  inside(command: readonly string[]): readonly string[];
  /** Runs a command in the control namespace to its end; never throws for its exit code. */
  exec(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs kubectl and answers what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Puts the images of OCI archives on all nodes. */
  load(archives: readonly string[]): Promise<void>;
  /** Plugs all nodes of a zone out of the network, or in again. */
  zone(name: string, state: 'down' | 'up'): Promise<void>;
  /** kill: every process dies and the network is gone; start: it boots again. pause and resume: it hangs, and goes on. */
  node(name: string, action: NodeAction): Promise<void>;
  /** Kills the API server and etcd, or starts them again and waits until they serve. */
  apiserver(action: 'stop' | 'start'): Promise<void>;
  /** Drops every packet between two nodes, zones, `ctl` or IPv4 addresses, or lets them through again. */
  net(action: 'drop' | 'heal', a: string, b: string): Promise<void>;
  /** Undoes every outage: nodes run, cables are in, drops are healed, the API server serves, freed disks are empty. */
  restore(): Promise<void>;
  /** One line for each thing that runs or should. */
  status(): Promise<readonly string[]>;
  /** Ends everything and removes every trace but the built programs. */
  down(): Promise<void>;
}

/** How to start a cluster. */
export interface StartOptions {
  /** Default: three zones of one node. */
  readonly size?: ClusterSize;
  readonly log?: (line: string) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Starts a cluster (builds its programs the first time), or finds the one that runs already and
 * undoes its outages; with KAPPA_E2E_KUBECONFIG
 * only checks that one. Throws, saying what is missing, where it cannot.
 */
export async function startCluster(options: StartOptions = {}): Promise<Cluster> {
  const log = options.log ?? (() => undefined);
  const settings = parseSettings(options.environment ?? process.env);
  if (settings.givenKubeconfig !== null) return GivenCluster.check(settings);
  return OwnCluster.start(settings, options.size ?? { zones: 3, nodesPerZone: 1 }, log);
}

/** The cluster that runs. Throws when there is none. */
export async function openCluster(environment: NodeJS.ProcessEnv = process.env): Promise<Cluster> {
  const settings = parseSettings(environment);
  return settings.givenKubeconfig === null ? OwnCluster.open(settings) : GivenCluster.check(settings);
}

/** Ends the cluster of the harness, complete or not, when there is one. */
export async function stopCluster(environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const settings = parseSettings(environment);
  if (settings.givenKubeconfig === null) await OwnCluster.remove(settings);
}
