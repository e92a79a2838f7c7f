/**
 * The chart's hook: what must be there before anything else of an install, or of an upgrade. Wiring only.
 *
 * `KAPPA_NAMESPACE`: of the release. `KAPPA_POOL_NAMESPACE`: of the pools. `KAPPA_SETUP_REDIS`, `KAPPA_SETUP_STORE`: `true` when the bundled
 * one is installed and needs credentials.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@kappa/crds/client/kubernetes';
import { readManifest } from '@kappa/crds/manifests';
import { pino } from 'pino';
import { ensureSecret, makeAccessKey, makeGatewayKey, makeRedisPassword, makeStoreKeys } from './credentials.ts';
import { applyDefinitions, definitionNames } from './definitions.ts';
import { waitWhileTerminating } from './pool-namespace.ts';
import { Waiting } from './waiting.ts';

const log = pino({ name: 'setup', base: {} });
const {
  KAPPA_NAMESPACE: namespace = 'kappa-system',
  KAPPA_POOL_NAMESPACE: poolNamespace = 'kappa-functions',
  KAPPA_SETUP_REDIS: withRedis = 'false',
  KAPPA_SETUP_STORE: withStore = 'false',
} = process.env;
const kubernetes = connect();
const waiting = (limitMs: number): Waiting =>
  new Waiting({
    nowMs: () => performance.now(),
    sleep: (ms) => sleep(ms),
    limitMs,
    everyMs: 500,
    onWait: (what) => log.info({ what }, 'waiting'),
  });

const manifests = definitionNames.map(readManifest);
log.info({ definitions: await applyDefinitions(kubernetes, manifests, waiting(60_000)) }, 'served');

const credentials = [
  makeGatewayKey(),
  makeAccessKey(),
  ...(withRedis === 'true' ? [makeRedisPassword()] : []),
  ...(withStore === 'true' ? [makeStoreKeys()] : []),
];
for (const credential of credentials) {
  const isNew = await ensureSecret(kubernetes, namespace, credential);
  log.info({ secret: credential.name }, isNew ? 'created' : 'kept');
}

// A call in a pod of the earlier install may take its 15 minutes.
await waitWhileTerminating(kubernetes, poolNamespace, waiting(1_000_000));
log.info('done');
