import { Counter, Gauge, type Registry } from 'prom-client';

import type { RecentLogsStats } from '../logs/recent-logs.ts';
import type { ShipperStats } from '../logs/shipper.ts';

/** What becomes of functions' log lines. */
export type LogNumbers = RecentLogsStats & ShipperStats;

/** @param read null = no lines are taken */
export function registerLogMetrics(registry: Registry, read: () => LogNumbers | null): void {
  new Gauge({
    name: 'kappa_gateway_recent_logs_bytes',
    help: 'Bytes of log lines of functions that are held.',
    registers: [registry],
    collect() {
      this.set(read()?.bytes ?? 0);
    },
  });
  new Counter({
    name: 'kappa_gateway_recent_logs_forgotten_bytes_total',
    help: 'Bytes of log lines that made room for newer ones.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read()?.forgottenBytes ?? 0);
    },
  });
  new Counter({
    name: 'kappa_gateway_shipped_log_events_total',
    help: 'Log lines for a server of CloudWatch Logs. result: stored | dropped (refused, tried too often, or too many waited).',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ result: 'stored' }, read()?.shipped ?? 0);
      this.inc({ result: 'dropped' }, read()?.dropped ?? 0);
    },
  });
}
