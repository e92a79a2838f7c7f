import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { childrenOf, rssKiB } from '../process-stats.ts';
import { show, summarize } from '../stats.ts';

const pods = 5;
const mib = (kib: number): number => kib / 1024;

/** Resident memory of generic pods (agent and pre-booted interpreter) beside the bare interpreter. */
export async function podMemory(): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start({ KAPPA_POOL_MIN_REPLICAS: String(pods) });
  const idle = [
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' }),
    spawn('python3', ['-c', 'import time; time.sleep(1e6)'], { stdio: 'ignore' }),
  ] as const;
  try {
    await kappa.apply([inlineFunction('n', 'nodejs24.x'), inlineFunction('p', 'python3.11')]);
    await kappa.whenFull('nodejs24.x', pods);
    await kappa.whenFull('python3.11', pods);
    await pause(2_000); // what an interpreter frees after its start is freed by now
    const agents = agentPids(kappa.stateDir);
    const all = [...agents.node, ...agents.python].map((pid) => mib(rssKiB(pid)));
    const agent = summarize(all);
    const node = podRow('Node', agents.node, idle[0]);
    const python = podRow('Python', agents.python, idle[1]);
    return [
      {
        figure: 'agent RSS in a generic pod',
        measured: `${show(agent)} MiB`,
        floor: '–',
        target: '≤ 10 MiB',
        isMet: agent.median <= 10,
      },
      node,
      python,
    ];
  } finally {
    for (const child of idle) child.kill('SIGKILL');
    await kappa.stop();
  }
}

function podRow(name: string, agents: readonly number[], idle: ChildProcess): Row {
  const sizes = agents.map((pid) => mib([pid, ...childrenOf(pid)].reduce((sum, each) => sum + rssKiB(each), 0)));
  const pod = summarize(sizes);
  const bare = mib(rssKiB(idle.pid ?? 0));
  return {
    figure: `generic ${name} pod RSS, agent included`,
    measured: `${show(pod)} MiB`,
    floor: `bare interpreter ${bare.toFixed(1)} MiB`,
    target: `≤ interpreter + 15 = ${(bare + 15).toFixed(1)} MiB`,
    isMet: pod.median <= bare + 15,
  };
}

/** Agents of the node's pods by language, from its own records. */
function agentPids(stateDir: string): { readonly node: readonly number[]; readonly python: readonly number[] } {
  const folder = join(stateDir, 'node/pods');
  const records = readdirSync(folder).map((uid) => JSON.parse(readFileSync(join(folder, uid, 'pod.json'), 'utf8')));
  const of = (family: string): number[] =>
    records.filter(({ image }) => String(image).includes(family)).map(({ process: { pid } }) => Number(pid));
  return { node: of('nodejs'), python: of('python') };
}
