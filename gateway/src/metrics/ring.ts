import { Counter, Gauge, type Registry } from 'prom-client';

import type { RingStats } from '../ring/ring-options.ts';

/** Registers what there is of the gateways among each other. @param read null = this one is alone */
export function registerRing(registry: Registry, read: () => RingStats | null): void {
  const registers = [registry];
  new Gauge({
    name: 'kappa_gateway_ring_gateways',
    help: 'Gateways of the install. state: member | alive | linked.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      const ring = read();
      if (ring === null) return;
      this.set({ state: 'member' }, ring.members);
      this.set({ state: 'alive' }, ring.alive);
      this.set({ state: 'linked' }, ring.linked);
    },
  });
  new Gauge({
    name: 'kappa_gateway_ring_terms',
    help: 'Functions with reserved concurrency that this gateway dispatches.',
    registers,
    collect() {
      this.set(read()?.terms ?? 0);
    },
  });
  new Counter({
    name: 'kappa_gateway_forwarded_total',
    help: 'Requests given to other gateways. result: answered | refused | elsewhere (not run, tried again) | lost.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(read()?.forwarded ?? {})) this.inc({ result }, count);
    },
  });
}
