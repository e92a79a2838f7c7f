import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isConflict, isUnavailable } from '@kappa/crds/client/errors';
import { configMaps, type Kind, namespaces, pods, pools } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { parse } from 'yaml';

/** What the parts find in a fresh cluster. */
export interface SetUp {
  /** Folder of the CRDs. */
  readonly manifests: string;
  /** The gateway's private key; made when it is missing. */
  readonly keyFile: string;
  readonly systemNamespace: string;
  readonly poolNamespace: string;
}

const fieldManager = 'kappa-setup';

/** Only what is looked at here. */
interface CustomResourceDefinition {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const customResourceDefinitions: Kind<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  isNamespaced: false,
  parse: (value) => value as CustomResourceDefinition, // the API server's own type; optional fields are read as such
};

/**
 * Gives a cluster what Kappa needs before its parts start: namespaces, CRDs, the gateway's public key. Repeatable.
 *
 * @throws KubernetesError when the API refuses something; Error when a CRD is not established within 30 s
 */
export async function setUpCluster(
  kubernetes: Kubernetes,
  setUp: SetUp,
  sleep: (ms: number) => Promise<unknown>,
): Promise<void> {
  for (const name of [setUp.systemNamespace, setUp.poolNamespace]) {
    await kubernetes.apply(namespaces, { metadata: { name } }, fieldManager);
  }
  const names: string[] = [];
  for (const file of readdirSync(setUp.manifests).filter((name) => name.endsWith('.yaml'))) {
    const manifest = parse(readFileSync(join(setUp.manifests, file), 'utf8'));
    await kubernetes.apply(customResourceDefinitions, manifest, fieldManager);
    names.push(manifest.metadata.name);
  }
  await Promise.all(names.map((name) => established(kubernetes, name, sleep)));
  const publicKey = ensureKey(setUp.keyFile);
  await kubernetes.apply(
    configMaps,
    { metadata: { name: 'kappa-gateway', namespace: setUp.poolNamespace }, data: { publicKey } },
    fieldManager,
  );
}

/** Removes the pods that an earlier run has left in the store: their processes have ended, nobody should call them. */
export async function removeEndedPods(kubernetes: Kubernetes): Promise<void> {
  const ended = await kubernetes.list(pods);
  await Promise.all(
    ended.map(({ metadata: { namespace, name, uid } }) =>
      kubernetes.delete(pods, namespace, name, { preconditionUid: uid, graceSeconds: 0 }),
    ),
  );
}

/** Waits until each pool has a warm pod, so that the first call is a fast one. Gives up quietly after `withinMs`. */
export async function warmPools(
  kubernetes: Kubernetes,
  sleep: (ms: number) => Promise<unknown>,
  withinMs: number,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += 50) {
    const found = await kubernetes.list(pools);
    if (found.length > 0 && found.every(({ status }) => (status?.readyReplicas ?? 0) > 0)) return;
    await sleep(50);
  }
}

/**
 * The gateway's Ed25519 key: made once, readable by its owner only.
 *
 * @returns the public half, base64 of its SPKI DER form
 */
export function ensureKey(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(`${file}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  const key = createPublicKey(createPrivateKey(readFileSync(file)));
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}

async function established(
  kubernetes: Kubernetes,
  name: string,
  sleep: (ms: number) => Promise<unknown>,
): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const crd = await kubernetes.get(customResourceDefinitions, null, name).catch(later);
    if (crd?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) return;
    await sleep(50);
  }
  throw new Error(`the API did not establish ${name} within 30 s`);
}

function later(error: unknown): null {
  if (isUnavailable(error) || isConflict(error)) return null;
  throw error;
}
