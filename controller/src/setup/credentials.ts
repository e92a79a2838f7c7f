import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { isAlreadyExists } from '@kappa/crds/client/errors';
import { configMaps, secrets } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

/** A Secret that an install needs, with the text of its keys. */
export interface Credential {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
}

/** Label of the Secrets that are callers' access keys. */
export const accessKeyLabel = 'kappa.dev/access-key';
/** On everything that the setup makes: it is no part of the Helm release and outlives it. */
const ownLabels = { 'app.kubernetes.io/part-of': 'kappa', 'app.kubernetes.io/managed-by': 'kappa-setup' };
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * The key by which agents know gateways, and gateways each other: Ed25519.
 *
 * @returns `privateKey.pem` (PKCS#8) and `publicKey` (base64 of the SPKI's DER, as the ConfigMap of the pools has it)
 */
export function makeGatewayKey(): Credential {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    name: 'kappa-gateway-key',
    values: {
      'privateKey.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    },
  };
}

/** Keys of the bundled object store. */
export function makeStoreKeys(): Credential {
  return { name: 'kappa-store', values: makeKeyPair() };
}

/** The first caller's key. */
export function makeAccessKey(): Credential {
  return { name: 'kappa-access-key', labels: { [accessKeyLabel]: 'true' }, values: makeKeyPair() };
}

/** Password of the bundled Redis, and the piece of its configuration that sets it. */
export function makeRedisPassword(): Credential {
  const password = randomBytes(32).toString('base64url');
  return { name: 'kappa-redis', values: { password, 'auth.conf': `requirepass ${password}\n` } };
}

/** In AWS's form: 20 characters of base32 that begin with AKIA, and 40 of base64. */
function makeKeyPair(): Readonly<Record<string, string>> {
  const random = [...randomBytes(16)].map((byte) => base32[byte % base32.length]).join('');
  return { accessKeyId: `AKIA${random}`, secretAccessKey: randomBytes(30).toString('base64') };
}

/**
 * Creates the Secret unless there is one of that name, which then stays as it is. Needs no right to read Secrets.
 *
 * @returns whether it was created
 */
export async function ensureSecret(
  kubernetes: Pick<Kubernetes, 'create'>,
  namespace: string,
  { name, labels, values }: Credential,
): Promise<boolean> {
  const metadata = { name, namespace, labels: { ...ownLabels, ...labels } };
  const data = Object.fromEntries(
    Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  try {
    await kubernetes.create(secrets, { metadata, type: 'Opaque', data });
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

/** Name of the ConfigMap that pool pods take the gateways' public key from. */
const publicKeyConfigMap = 'kappa-gateway';

/** Writes the gateways' public key where pool pods find it. Repeatable; a pod keeps the key that it was started with. */
export async function publishKey(
  kubernetes: Pick<Kubernetes, 'apply'>,
  poolNamespace: string,
  publicKey: string,
): Promise<void> {
  const metadata = { name: publicKeyConfigMap, namespace: poolNamespace, labels: ownLabels };
  await kubernetes.apply(configMaps, { metadata, data: { publicKey } }, 'kappa-setup');
}
