import { imageRuntime, isImagePool } from '@kappa/crds/image-pool';
import { Gauge, type Registry } from 'prom-client';

import type { DispatchStats } from '../dispatch/dispatch-stats.ts';

/** Value of the label `pool`: all images' pools are one, since there is one more with each digest. */
export function poolLabel(pool: string): string {
  return isImagePool(pool) ? imageRuntime : pool;
}

/** Registers what there is of pods by pool. @param read numbers of the moment of the scrape */
export function registerPools(registry: Registry, read: () => Pick<DispatchStats, 'pools'>): void {
  const registers = [registry];
  new Gauge({
    name: 'kappa_gateway_pods',
    help: 'Linked pods. state: generic | claimed | held (by another gateway) | suspect.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { pool: name, generic, claimed, held, suspect } of read().pools) {
        const pool = poolLabel(name);
        for (const [state, count] of Object.entries({ generic, claimed, held, suspect }))
          this.inc({ pool, state }, count);
      }
    },
  });
  new Gauge({
    name: 'kappa_gateway_missing_pods',
    help: 'Claims that wait for a generic pod.',
    labelNames: ['pool'],
    registers,
    collect() {
      this.reset();
      for (const { pool, missing } of read().pools) this.inc({ pool: poolLabel(pool) }, missing);
    },
  });
}
