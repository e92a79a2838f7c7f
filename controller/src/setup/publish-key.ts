/**
 * Before the controller starts: tells pool pods the gateways' public key. Wiring only.
 *
 * `KAPPA_POOL_NAMESPACE`: of the pools. `KAPPA_PUBLIC_KEY`: base64 of the SPKI's DER, from the Secret that the hook made.
 */
import { connect } from '@kappa/crds/client/kubernetes';
import { publishKey } from './credentials.ts';

const { KAPPA_POOL_NAMESPACE: poolNamespace = 'kappa-functions', KAPPA_PUBLIC_KEY: publicKey } = process.env;
if (publicKey === undefined || publicKey === '') throw new Error('KAPPA_PUBLIC_KEY is empty');
await publishKey(connect(), poolNamespace, publicKey);
