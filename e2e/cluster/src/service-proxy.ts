import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Programs, programPath } from './builds.ts';
import type { Credentials } from './credentials.ts';
import { proxyConfiguration } from './node-files.ts';
import { controlName, type NodePlan } from './plan.ts';
import type { Processes, ProcessSpec } from './processes.ts';
import { waitUntil } from './run.ts';

/** What service proxies are started from. */
export interface ProxyParts {
  readonly runDir: string;
  readonly programs: Programs;
  readonly credentials: Credentials;
  readonly processes: Processes;
}

/** How often a proxy that missed its zone is started again. */
const maxStarts = 10;

/** What a proxy logs when it has learnt its node's zone, and the two that tell, without it, that it will not any more. */
const learntZone = 'Updated proxier node topology labels';
const rulesWritten = 'SyncProxyRules complete';
const nodeSynced = '"Caches are synced" controller="node config"';

/**
 * Starts a node's service proxy, and starts it again until it has learnt its zone. A proxy (1.36) asks for the node
 * before it registers who wants to know of its labels: the first answer can get lost, and with it "same zone first"
 * for as long as the proxy lives.
 */
export async function startNodeProxy(parts: ProxyParts, node: NodePlan): Promise<void> {
  const spec = makeSpec(parts, node.name, node.group);
  const log = parts.processes.logFile(spec.name);
  for (let start = 1; start <= maxStarts; start += 1) {
    parts.processes.kill(spec.name);
    const from = sizeOf(log);
    parts.processes.start(spec);
    let isLearnt = false;
    await waitUntil(`service proxy of ${node.name}`, 60_000, async () => {
      const lines = readFileSync(log, 'utf8').slice(from);
      isLearnt = lines.includes(learntZone);
      return isLearnt || (lines.includes(nodeSynced) && lines.includes(rulesWritten));
    });
    if (isLearnt) return;
  }
  throw new Error(`the service proxy of ${node.name} did not learn its zone in ${maxStarts} starts`);
}

/** Starts the service proxy of the control namespace: makes Services reachable for load generators, 30 s later. */
export function startControlProxy(parts: ProxyParts): void {
  parts.processes.start(makeSpec(parts, 'ctl', controlName));
}

function makeSpec(parts: ProxyParts, name: string, group: string): ProcessSpec {
  const path = join(parts.runDir, `${name}.kube-proxy.json`);
  writeFileSync(path, JSON.stringify(proxyConfiguration(name, parts.credentials.kubeconfig('proxy')), null, 2));
  const command = [programPath(parts.programs, 'kube', 'kube-proxy'), `--config=${path}`];
  return { name: `${name}.kube-proxy`, group, command };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
