/** The process node: wiring only. */
import { accessSync, constants } from 'node:fs';
import { arch, availableParallelism, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pods } from '@kappa/crds/client/kinds';
import { connect } from '@kappa/crds/client/kubernetes';
import { pino } from 'pino';
import { makeAddresses } from './addresses.ts';
import { makePodApi, makeReadKeys } from './cluster.ts';
import { parseConfig } from './config.ts';
import { hold } from './holder.ts';
import { cgroupsOf, podPorts } from './install.ts';
import { makeFindInterpreter } from './interpreters.ts';
import { ProcessNode } from './node.ts';
import { heartbeatMs, type Machine, registerNode, reportNode } from './node-object.ts';
import { projectPod } from './pod.ts';
import { bootId } from './proc.ts';
import { findLocalRuntimes, readRuntimes } from './runtimes.ts';

const log = pino({ name: 'node', base: {} });
const repository = join(import.meta.dirname, '../../..');
const config = parseConfig(process.env, repository);
accessSync(config.agent, constants.X_OK);
const giveBack = hold(join(config.stateDir, 'node', 'holder.json'));
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort(new Error(signal)));

const clock = {
  now: () => Date.now(),
  sleep: async (ms: number, signal?: AbortSignal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};
const cgroups = cgroupsOf(config.stateDir);
const runtimes = await findLocalRuntimes(
  readRuntimes(config.runtimeImages),
  makeFindInterpreter(config.searchPath, process.execPath),
);
let lastProblem = '';
const kubernetes = connect(undefined, {
  component: 'kappa-node',
  instance: config.nodeName,
  onProblem: (problem) => {
    if (String(problem) !== lastProblem) log.warn({ problem: String(problem) }, 'the API does not answer as it should');
    lastProblem = String(problem);
  },
});
const node = new ProcessNode({
  nodeName: config.nodeName,
  api: makePodApi(kubernetes),
  clock,
  log: (message, fields) => log.info(fields, message),
  stateDir: config.stateDir,
  start: {
    agent: config.agent,
    runtimes,
    addresses: makeAddresses(config.stateDir, podPorts, Math.random()),
    cgroups,
    readKeys: makeReadKeys(kubernetes),
  },
});
const machine: Machine = {
  name: config.nodeName,
  zone: config.zone,
  cpus: availableParallelism(),
  memoryBytes: totalmem(),
  operatingSystem: platform(),
  architecture: arch() === 'x64' ? 'amd64' : arch(),
  kernel: release(),
  bootId: bootId(),
  nodeVersion: process.versions.node,
  maxPods: 1000,
};

const memory = cgroups === null ? 'the agent (no usable control groups)' : `control groups v${cgroups.version}`;
log.info({ node: config.nodeName, memoryLimitsBy: memory, adopted: await node.adopt() }, 'process node');
for (const { entry, interpreter, isExact } of runtimes) {
  if (!isExact) log.info({ runtime: entry.id, standIn: `${interpreter?.path} ${interpreter?.version}` }, 'stand-in');
}
const informer = kubernetes.watch(pods, {
  project: projectPod,
  onChange: (key, pod) => node.onPod(key, pod),
  signal: stopping.signal,
});
const startedMs = clock.now();
const heart = beat();
try {
  await informer.whenSynced();
  log.info({ pods: informer.size }, 'watching pods');
  await node.run(stopping.signal);
} catch (error) {
  if (!stopping.signal.aborted) throw error;
}
await heart;
giveBack();
log.info('ended; pods go on');

/** Says that the node lives, until it stops; then that it does not. */
async function beat(): Promise<void> {
  let isRegistered = false;
  while (!stopping.signal.aborted) {
    isRegistered = await tryReport(isRegistered, true);
    await clock.sleep(isRegistered ? heartbeatMs : 250, stopping.signal);
  }
  if (isRegistered) await Promise.race([tryReport(true, false), clock.sleep(500)]);
}

async function tryReport(isRegistered: boolean, isReady: boolean): Promise<boolean> {
  try {
    if (!isRegistered) await registerNode(kubernetes, machine);
    const nowMs = clock.now();
    await reportNode(kubernetes, machine, { isReady, nowMs, sinceMs: isReady ? startedMs : nowMs });
    return true;
  } catch (error) {
    if (isReady) log.debug({ error: String(error) }, 'heartbeat failed');
    return false;
  }
}
