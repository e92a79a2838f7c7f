/**
 * The chart's hook before an uninstall: ends the pools, so that their namespace can go at once. Wiring only.
 *
 * `KAPPA_NAMESPACE`: of the release. `KAPPA_POOL_NAMESPACE`: of the pools. `KAPPA_UNINSTALL_GRACE_SECONDS`: a running call may take so long.
 *
 * Fails open: the uninstall goes on without it, and the namespace takes its pods along, later.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@kappa/crds/client/kubernetes';
import { pino } from 'pino';
import { endPools } from './end-pools.ts';
import { Waiting } from './waiting.ts';

const log = pino({ name: 'uninstall', base: {} });
const {
  KAPPA_NAMESPACE: namespace = 'kappa-system',
  KAPPA_POOL_NAMESPACE: poolNamespace = 'kappa-functions',
  KAPPA_UNINSTALL_GRACE_SECONDS: grace = '60',
} = process.env;
const graceSeconds = Number(grace);
const nowMs = (): number => performance.now();
const waiting = new Waiting({
  nowMs,
  sleep: (ms) => sleep(ms),
  limitMs: (graceSeconds + 60) * 1000,
  everyMs: 500,
  onWait: (what) => log.info({ what, graceSeconds }, 'waiting'),
});
try {
  await endPools(connect(), { namespace, poolNamespace, graceSeconds }, waiting, nowMs);
  log.info('done');
} catch (error) {
  log.warn({ error: error instanceof Error ? error.message : String(error) }, 'pools are left; going on');
}
