import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from '../../figure.ts';
import { show, summarize } from '../../stats.ts';
import { load } from '../../tools.ts';
import { type BenchCluster, countingFunction } from '../bench-cluster.ts';
import { functionUrl } from '../call.ts';

const burst = 20;
const poolSize = 24;
/** What filling the pool set off has come to rest by then. */
const restMs = 2_000;

/** 20 Node functions that have no pod, called for the first time at the same moment, out of a pool of 24; the gateways in turn, each on a new connection. */
export async function coldBurst(cluster: BenchCluster, rounds: number): Promise<readonly Row[]> {
  const gateways = await cluster.gateways();
  const p50: number[] = [];
  const p90: number[] = [];
  const worst: number[] = [];
  let errors = 0;
  let lastError = '';
  for (let round = 0; round < rounds; round++) {
    const names = Array.from({ length: burst }, (_, index) => `burst-${round}-${index}`);
    await cluster.make(names.map((name) => countingFunction(name, 'nodejs24.x', { idleTimeoutSeconds: 1 })));
    await cluster.resizePool('nodejs24.x', poolSize);
    await pause(restMs);
    const urls = names.map((name, index) => functionUrl(gateways[index % gateways.length]?.ip ?? '', name));
    const options = { connections: burst, requests: burst, isHurried: true, isInCluster: true };
    const result = await load(urls, options);
    p50.push(result.p50Us / 1000);
    p90.push(result.p90Us / 1000);
    worst.push(result.maxUs / 1000);
    errors += result.errors;
    lastError = result.lastError ?? lastError;
    await cluster.remove(names);
  }
  const ms = (values: readonly number[]): string => show(summarize(values), 0);
  return [
    {
      figure: `${burst} distinct cold Node functions at once, pool of ${poolSize}`,
      measured: `p50 ${ms(p50)} ms, p90 ${ms(p90)}, worst ${ms(worst)}; ${errors} errors ${lastError}`.trim(),
      floor: '–',
      target: 'no error, p90 ≤ 500 ms',
      isMet: errors === 0 && summarize(p90).median <= 500,
    },
  ];
}
