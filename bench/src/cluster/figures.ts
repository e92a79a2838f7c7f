import type { Row } from '../figure.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { coldBurst } from './figures/burst.ts';
import { coldStart } from './figures/cold-start.ts';
import { manyFunctions } from './figures/many-functions.ts';
import { poolEmpty } from './figures/pool-empty.ts';
import { warmCpu } from './figures/warm-cpu.ts';
import { warmLatency } from './figures/warm-latency.ts';

/** Takes one figure; it leaves nothing behind but what {@link BenchCluster.cleanUp} removes. */
export type Figure = (cluster: BenchCluster, rounds: number) => Promise<readonly Row[]>;

/** The figures of a real cluster by name, in the order they are taken. */
export const figures: Readonly<Record<string, Figure>> = {
  'cold-start': coldStart,
  'pool-empty': poolEmpty,
  'warm-latency': warmLatency,
  'warm-cpu': warmCpu,
  burst: coldBurst,
  'many-functions': manyFunctions,
};
