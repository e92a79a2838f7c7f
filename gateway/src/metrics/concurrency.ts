import { Gauge, type Registry } from 'prom-client';

import type { DispatchStats } from '../dispatch/dispatch-stats.ts';

/** Registers what there is of the concurrency of functions and accounts. @param read numbers of the moment of the scrape */
export function registerConcurrency(
  registry: Registry,
  read: () => Pick<DispatchStats, 'queuedAtLimit' | 'running' | 'accounts'>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'kappa_gateway_limit_queued_requests',
    help: 'Requests that wait at a limit (onLimit: Queue).',
    registers,
    collect() {
      this.set(read().queuedAtLimit);
    },
  });
  new Gauge({
    name: 'kappa_gateway_concurrency',
    help: 'Invocations that run at this gateway.',
    labelNames: ['namespace', 'function'],
    registers,
    collect() {
      this.reset();
      for (const [key, running] of read().running) {
        const [namespace = '', name = ''] = key.split('/');
        this.set({ namespace, function: name }, running);
      }
    },
  });
  new Gauge({
    name: 'kappa_gateway_account_concurrency',
    help: 'Common concurrency of functions that have reserved none. state: used (at this gateway) | left (of all gateways, as this one knows it).',
    labelNames: ['account', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { accountId: account, used, left } of read().accounts) {
        this.set({ account, state: 'used' }, used);
        this.set({ account, state: 'left' }, left);
      }
    },
  });
}
