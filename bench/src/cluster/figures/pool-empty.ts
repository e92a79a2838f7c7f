import { setTimeout as pause } from 'node:timers/promises';
import { type Pod, pods } from '@kappa/crds/client/kinds';
import { release } from '@kappa/e2e/installed';
import type { Row } from '../../figure.ts';
import { ratios, show, summarize } from '../../stats.ts';
import { makeBarePod } from '../bare-pod.ts';
import { type BenchCluster, countingFunction, type Part } from '../bench-cluster.ts';
import { timeColdCall } from '../call.ts';

const runtime = 'nodejs24.x';
const triesPerRound = 3;
/** What the last pod's end set off has come to rest by then. */
const restMs = 1_000;

/**
 * The first call of a function when its pool has no pod, neither ready nor starting: from writing the request to the last byte of the answer. Beside it,
 * in turn: a pod with the same image, resources, volumes and readiness probe, that belongs to nobody, from the POST that creates it until a watch
 * shows it Ready; and the same without a probe, which Kubernetes calls Ready before the runtime in it listens.
 */
export async function poolEmpty(cluster: BenchCluster, rounds: number): Promise<readonly Row[]> {
  const gateways = await cluster.gateways();
  const names = Array.from({ length: triesPerRound * rounds + 1 }, (_, index) => `empty-${index}`);
  await cluster.make(names.map((name) => countingFunction(name, runtime, { idleTimeoutSeconds: 1 })));
  await cluster.resizePool(runtime, 1);
  const like = await cluster.genericPod(runtime);
  const empty: number[] = [];
  const bare: number[] = [];
  const unprobed: number[] = [];
  for (const [index, name] of names.entries()) {
    await cluster.resizePool(runtime, 0);
    const bareMs = await timeBarePod(cluster, like, `bare-${index}`, true);
    const emptyMs = await timeEmptyPool(cluster, gateways[index % gateways.length], name);
    const unprobedMs = await timeBarePod(cluster, like, `unprobed-${index}`, false);
    if (index === 0) continue;
    bare.push(bareMs);
    empty.push(emptyMs);
    unprobed.push(unprobedMs);
  }
  return [toRow(empty, bare, unprobed)];
}

async function timeEmptyPool(cluster: BenchCluster, gateway: Part | undefined, name: string): Promise<number> {
  await pause(restMs);
  const elapsedMs = await timeColdCall(gateway?.ip ?? '', name);
  await cluster.resizePool(runtime, 0); // the gateway has asked for more
  await cluster.remove([name]);
  return elapsedMs;
}

async function timeBarePod(cluster: BenchCluster, like: Pod, name: string, hasProbe: boolean): Promise<number> {
  await pause(restMs);
  const startMs = performance.now();
  await cluster.kubernetes.create(pods, makeBarePod(like, name, { hasProbe }));
  const readyMs = await cluster.pods.readyAtMs(name);
  await cluster.kubernetes.delete(pods, release.poolNamespace, name);
  await cluster.pods.gone(name);
  return readyMs - startMs;
}

function toRow(empty: readonly number[], bare: readonly number[], unprobed: readonly number[]): Row {
  const ratio = summarize(ratios(empty, bare));
  const ms = (values: readonly number[]): string => `${show(summarize(values), 0)} ms`;
  return {
    figure: `first call with an empty pool, Node (${empty.length} calls)`,
    measured: `${ms(empty)}; ${show(ratio, 2)} × the bare pod`,
    floor: `bare pod created → Ready ${ms(bare)}; without a readiness probe ${ms(unprobed)}`,
    target: '≤ 1.2 × the bare pod',
    isMet: ratio.median <= 1.2,
  };
}
