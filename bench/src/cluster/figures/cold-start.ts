import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from '../../figure.ts';
import { percentile } from '../../stats.ts';
import { type BenchCluster, countingFunction, languages, type Part, type RuntimeId } from '../bench-cluster.ts';
import { timeColdCall } from '../call.ts';
import { type Metrics, readMetrics, total } from '../metrics.ts';

const poolSize = 6;
const callsPerRound = 20;
/** Before the first round, for images, caches and code that has never run: not counted. */
const warmUpCalls = 3;
/** The claim is told by then. */
const toldMs = 300;
/** What the last pod's start set off has come to rest by then. */
const restMs = 500;

/**
 * The first call of a function that has no pod, out of a full pool, on real pods: from writing the request to the last byte of the answer, over a
 * connection that is open, from outside the cluster's nodes to its gateways in turn. So two of three calls come to a gateway that does not
 * own the function and are forwarded, as behind the Service. Each call goes to another function; before it all pods of the pool are
 * ready, none starts or ends. Floor: what the same calls took inside the pod, from the claim to the end of the handler's import, as the agents report it.
 */
export async function coldStart(cluster: BenchCluster, rounds: number): Promise<readonly Row[]> {
  const gateways = await cluster.gateways();
  const runtimes = Object.keys(languages) as RuntimeId[];
  const samples = new Map<RuntimeId, number[]>(runtimes.map((runtime) => [runtime, []]));
  const inits = new Map<RuntimeId, Sum>(runtimes.map((runtime) => [runtime, { seconds: 0, count: 0 }]));
  for (let round = 0; round <= rounds; round++) {
    for (const runtime of runtimes) {
      const count = round === 0 ? warmUpCalls : callsPerRound;
      const names = Array.from({ length: count }, (_, index) => `cold-${runtime.slice(0, 4)}-${round}-${index}`);
      await cluster.make(names.map((name) => countingFunction(name, runtime, { idleTimeoutSeconds: 1 })));
      await cluster.resizePool(runtime, poolSize);
      const before = await Promise.all(gateways.map(readMetrics));
      const measured = await callEach(cluster, runtime, names, gateways);
      const after = await Promise.all(gateways.map(readMetrics));
      if (round > 0) {
        samples.get(runtime)?.push(...measured);
        add(inits.get(runtime), before, after);
      }
      await cluster.remove(names);
    }
  }
  return runtimes.map((runtime) => toRow(runtime, samples.get(runtime) ?? [], inits.get(runtime)));
}

async function callEach(
  cluster: BenchCluster,
  runtime: RuntimeId,
  names: readonly string[],
  gateways: readonly Part[],
): Promise<readonly number[]> {
  const measured: number[] = [];
  for (const [index, name] of names.entries()) {
    await cluster.pods.poolAtRest(runtime, poolSize);
    await pause(restMs);
    measured.push(await timeColdCall(gateways[index % gateways.length]?.ip ?? '', name));
    await pause(toldMs);
  }
  return measured;
}

interface Sum {
  seconds: number;
  count: number;
}

function add(sum: Sum | undefined, before: readonly Metrics[], after: readonly Metrics[]): void {
  if (sum === undefined) return;
  const grown = (series: string): number => total(after, series) - total(before, series);
  sum.seconds += grown('kappa_gateway_init_seconds_sum');
  sum.count += grown('kappa_gateway_init_seconds_count');
}

function toRow(runtime: RuntimeId, samples: readonly number[], init: Sum | undefined): Row {
  const [p50, p90, p99] = [percentile(samples, 0.5), percentile(samples, 0.9), percentile(samples, 0.99)];
  const inPodMs = ((init?.seconds ?? 0) / (init?.count ?? 0)) * 1000;
  return {
    figure: `cold start, pool hit, ${languages[runtime]} hello (${samples.length} calls)`,
    measured: `p50 ${p50.toFixed(1)} ms, p90 ${p90.toFixed(1)}, p99 ${p99.toFixed(1)}`,
    floor: `init in the pod ${inPodMs.toFixed(1)} ms (mean)`,
    target: 'p50 ≤ 40 ms, p99 ≤ 150 ms',
    isMet: p50 <= 40 && p99 <= 150,
  };
}
