import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configMaps, functions, namespaces, type Secret, secrets } from '@kappa/crds/client/kinds';
import { accessKeyLabel, makeAccessKey } from './credentials.ts';
import { definitionNames, definitions } from './definitions.ts';
import { waitWhileTerminating } from './pool-namespace.ts';
import { minimalFunction, quickly, runEntry, startApi, type TestApi } from './testing.ts';

let api: TestApi;
const namespace = 'kappa-system';
const poolNamespace = 'kappa-functions';
const setUp = (): Promise<number | null> =>
  runEntry('main.ts', {
    KUBECONFIG: api.kubeconfig,
    KAPPA_NAMESPACE: namespace,
    KAPPA_POOL_NAMESPACE: poolNamespace,
    KAPPA_SETUP_REDIS: 'true',
    KAPPA_SETUP_STORE: 'true',
  });
const read = async (name: string): Promise<Readonly<Record<string, string>>> =>
  valuesOf(await api.kubernetes.get(secrets, namespace, name));
const makeNamespace = async (name: string): Promise<void> => {
  await api.kubernetes.apply(namespaces, { metadata: { name } }, 'test');
};

beforeAll(async () => {
  api = await startApi();
  await makeNamespace(namespace);
});
afterAll(() => api.stop());

describe('the hook', () => {
  test('names every definition there is', () => {
    const files = readdirSync(new URL('../../../crds/manifests', import.meta.url));
    expect(files.sort()).toEqual(definitionNames.map((name) => `${name}.yaml`));
  });

  test('brings an empty cluster to where objects can be written', async () => {
    expect(await setUp()).toBe(0);
    for (const name of definitionNames) {
      const { status } = await api.kubernetes.get(definitions, null, `${name}.kappa.dev`);
      expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
    }
    expect(await api.kubernetes.list(functions)).toEqual([]);
  });

  test('makes a signing key whose public half is the one it says', async () => {
    const key = await read('kappa-gateway-key');
    const publicKey = createPublicKey(createPrivateKey(key['privateKey.pem'] ?? ''));
    expect(publicKey.asymmetricKeyType).toBe('ed25519');
    expect(key['publicKey']).toBe(publicKey.export({ type: 'spki', format: 'der' }).toString('base64'));
  });

  test('makes a first access key that callers can be found by', async () => {
    const found = await api.kubernetes.list(secrets, { namespace, labelSelector: `${accessKeyLabel}=true` });
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['kappa-access-key']);
    expect(await read('kappa-access-key')).toEqual({
      accessKeyId: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
      secretAccessKey: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/),
    });
  });

  test('sets the password in the configuration that Redis reads', async () => {
    const redis = await read('kappa-redis');
    expect(redis['auth.conf']).toBe(`requirepass ${redis['password']}\n`);
  });

  test('keeps keys, passwords and objects when it runs again', async () => {
    const names = ['kappa-gateway-key', 'kappa-access-key', 'kappa-redis', 'kappa-store'];
    const before = await Promise.all(names.map(read));
    const { metadata } = await api.kubernetes.create(functions, minimalFunction('kept'));
    expect(await setUp()).toBe(0);
    expect(await Promise.all(names.map(read))).toEqual(before);
    expect((await api.kubernetes.get(functions, 'default', 'kept')).metadata.uid).toBe(metadata.uid);
  });

  test('brings a definition that was changed back to what this release says', async () => {
    const name = 'pools.kappa.dev';
    const before = await api.kubernetes.get(definitions, null, name);
    const names = { ...Object(before.spec['names']), shortNames: ['older'] };
    const changed = { metadata: { name }, spec: { ...before.spec, names } };
    await api.kubernetes.apply(definitions, changed, 'kappa-setup');
    expect(await setUp()).toBe(0);
    expect((await api.kubernetes.get(definitions, null, name)).spec['names']).not.toHaveProperty('shortNames');
  });

  test('fails without a cluster', async () => {
    expect(await runEntry('main.ts', { KUBECONFIG: '/nowhere' })).not.toBe(0);
  });
});

describe('the public key', () => {
  test('is published where pool pods read it, and follows the Secret', async () => {
    await makeNamespace(poolNamespace);
    for (const publicKey of ['b25l', 'dHdv']) {
      const env = { KUBECONFIG: api.kubeconfig, KAPPA_POOL_NAMESPACE: poolNamespace, KAPPA_PUBLIC_KEY: publicKey };
      expect(await runEntry('publish.ts', env)).toBe(0);
      const { data } = await api.kubernetes.get(configMaps, poolNamespace, 'kappa-gateway');
      expect(data).toEqual({ publicKey });
    }
  });

  test('is never published empty', async () => {
    const env = { KUBECONFIG: api.kubeconfig, KAPPA_POOL_NAMESPACE: poolNamespace, KAPPA_PUBLIC_KEY: '' };
    expect(await runEntry('publish.ts', env)).not.toBe(0);
  });
});

describe('Secrets for private registries', () => {
  const type = 'kubernetes.io/dockerconfigjson';
  const publish = (): Promise<number | null> =>
    runEntry('publish.ts', {
      KUBECONFIG: api.kubeconfig,
      KAPPA_NAMESPACE: namespace,
      KAPPA_POOL_NAMESPACE: poolNamespace,
      KAPPA_PUBLIC_KEY: 'b25l',
      KAPPA_POOL_PULL_SECRETS: 'registry,elsewhere',
    });
  const write = async (where: string, name: string, text: string): Promise<void> => {
    const data = { '.dockerconfigjson': Buffer.from(text).toString('base64') };
    await api.kubernetes.apply(secrets, { metadata: { name, namespace: where }, type, data }, 'user');
  };
  const readCopy = async (name: string): Promise<string | undefined> =>
    valuesOf(await api.kubernetes.get(secrets, poolNamespace, name))['.dockerconfigjson'];

  test('are copied to where pool pods find them, and follow; one that is only there stays', async () => {
    await write(poolNamespace, 'elsewhere', '{"auths":{"own":{}}}');
    for (const text of ['{"auths":{}}', '{"auths":{"new":{}}}']) {
      await write(namespace, 'registry', text);
      expect(await publish()).toBe(0);
      expect(await readCopy('registry')).toBe(text);
    }
    expect((await api.kubernetes.get(secrets, poolNamespace, 'registry')).type).toBe(type);
    expect(await readCopy('elsewhere')).toBe('{"auths":{"own":{}}}');
  });
});

describe('a namespace of an earlier install', () => {
  test('that is being deleted is waited for', async () => {
    const finalizer = 'test.kappa.dev/held';
    const held = { metadata: { name: 'held', namespace: 'leaving', finalizers: [finalizer] } };
    await makeNamespace('leaving');
    await api.kubernetes.create(configMaps, held);
    await api.kubernetes.delete(namespaces, null, 'leaving');
    await expect(waitWhileTerminating(api.kubernetes, 'leaving', quickly(200))).rejects.toThrow('in vain');
    await api.kubernetes.patch(configMaps, 'leaving', 'held', { metadata: { finalizers: null } });
    await waitWhileTerminating(api.kubernetes, 'leaving', quickly());
    await expect(api.kubernetes.get(namespaces, null, 'leaving')).rejects.toThrow('404 NotFound');
  });

  test('that is not there is not waited for', async () => {
    await waitWhileTerminating(api.kubernetes, 'never', quickly(0));
  });
});

test('no two access keys are the same', () => {
  const ids = Array.from({ length: 100 }, () => makeAccessKey().values['accessKeyId']);
  expect(new Set(ids).size).toBe(100);
});

function valuesOf({ data = {} }: Secret): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}
