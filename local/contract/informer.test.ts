import { afterEach, expect, test } from '@jest/globals';
import {
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  KubeConfig,
  type KubernetesObject,
  makeInformer,
  type V1ConfigMap,
} from '@kubernetes/client-node';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const cluster = useCluster({ kappa: true });
const running: Informer<KubernetesObject>[] = [];
afterEach(async () => {
  for (const informer of running.splice(0)) await informer.stop();
});

function config(): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.server.kubeconfig);
  return kubeConfig;
}

/** Starts an informer and writes down what it tells. */
async function watch<T extends KubernetesObject>(
  path: string,
  list: () => Promise<Json>,
): Promise<{ told: string[]; cache: () => readonly T[] }> {
  const informer = makeInformer<T>(config(), path, list);
  running.push(informer as Informer<KubernetesObject>);
  const told: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object) => void told.push(`${verb} ${object.metadata?.name}`));
  }
  informer.on('error', (error) => void told.push(`error ${error}`));
  await informer.start();
  return { told, cache: () => informer.list(cluster.namespace) };
}

test('an informer of a built-in kind lists and follows', async () => {
  const core = config().makeApiClient(CoreV1Api);
  const { namespace } = cluster;
  const make = (name: string): Promise<V1ConfigMap> =>
    core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { n: '0' } } });
  await make('before');
  const { told, cache } = await watch<V1ConfigMap>(cluster.core('configmaps'), () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  await eventually(() => expect(told).toContain('add before'));
  await make('during');
  await eventually(() => expect(told).toContain('add during'));
  await core.patchNamespacedConfigMap({
    namespace,
    name: 'during',
    body: [{ op: 'replace', path: '/data/n', value: '1' }],
  });
  await eventually(() => expect(told).toContain('update during'));
  await core.deleteNamespacedConfigMap({ namespace, name: 'during' });
  await eventually(() => expect(told).toContain('delete during'));
  const names = cache().map((one) => one.metadata?.name);
  expect(names).toContain('before');
  expect(names).not.toContain('during');
  expect(told.filter((line) => line.startsWith('error'))).toEqual([]);
});

test('an informer of a custom resource with bookmarks and a short watch goes on over its end', async () => {
  const custom = config().makeApiClient(CustomObjectsApi);
  const { namespace } = cluster;
  const where = { group: 'kappa.dev', version: 'v1alpha1', plural: 'pools', namespace };
  const path = `${cluster.path('kappa.dev/v1alpha1', 'pools')}?allowWatchBookmarks=true&timeoutSeconds=2`;
  const { told } = await watch(path, () => custom.listNamespacedCustomObject(where));
  const make = (name: string): Promise<Json> =>
    custom.createNamespacedCustomObject({
      ...where,
      body: { apiVersion: 'kappa.dev/v1alpha1', kind: 'Pool', metadata: { name }, spec: { runtime: 'nodejs24.x' } },
    });
  for (const name of ['one', 'two', 'three']) {
    await make(name);
    await eventually(() => expect(told).toContain(`add ${name}`));
  }
  await eventually(() => expect(told.filter((line) => line.startsWith('error'))).toEqual([]));
  expect(told.filter((line) => line === 'add one')).toHaveLength(1);
});
