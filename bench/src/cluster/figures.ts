import type { Row } from '../figure.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { coldBurst } from './figures/burst.ts';
import { coldStart } from './figures/cold-start.ts';

/** Takes one figure; it leaves nothing behind but what {@link BenchCluster.cleanUp} removes. */
export type Figure = (cluster: BenchCluster, rounds: number) => Promise<readonly Row[]>;

/** The figures of a real cluster by name, in the order they are taken. */
export const figures: Readonly<Record<string, Figure>> = {
  'cold-start': coldStart,
  burst: coldBurst,
};
