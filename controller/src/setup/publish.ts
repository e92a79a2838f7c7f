/**
 * Before the controller starts: gives pool pods what they need beside them, the gateways' public key and the Secrets that their images are
 * pulled with. Wiring only.
 *
 * `KAPPA_NAMESPACE`: of the release. `KAPPA_POOL_NAMESPACE`: of the pools. `KAPPA_PUBLIC_KEY`: base64 of the SPKI's DER, from the Secret that
 * the hook made. `KAPPA_POOL_PULL_SECRETS`: names, comma separated.
 */
import { connect } from '@kappa/crds/client/kubernetes';
import { pino } from 'pino';
import { publishKey } from './credentials.ts';
import { copySecret } from './pull-secrets.ts';

const {
  KAPPA_NAMESPACE: namespace = 'kappa-system',
  KAPPA_POOL_NAMESPACE: poolNamespace = 'kappa-functions',
  KAPPA_PUBLIC_KEY: publicKey,
  KAPPA_POOL_PULL_SECRETS: pullSecrets = '',
} = process.env;
if (publicKey === undefined || publicKey === '') throw new Error('KAPPA_PUBLIC_KEY is empty');
const log = pino({ name: 'publish', base: {} });
const kubernetes = connect();
await publishKey(kubernetes, poolNamespace, publicKey);
for (const name of pullSecrets.split(',').filter((text) => text !== '')) {
  const isCopied = await copySecret(kubernetes, name, { from: namespace, to: poolNamespace });
  log.info({ secret: name }, isCopied ? 'copied' : 'not in the release namespace');
}
