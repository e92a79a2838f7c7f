import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { type Api, connect, type Json, patchTypes } from './api.ts';
import { eventually } from './eventually.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';
import { type ApiServer, repositoryRoot, startServer } from './server.ts';

/** What a test file works with. The fields are there once `beforeAll` has run. */
export interface Cluster {
  readonly server: ApiServer;
  readonly api: Api;
  readonly kubectl: Kubectl;
  /** A namespace of this file's own, deleted at the end. */
  readonly namespace: string;
  /** A directory of this file's own. */
  readonly home: string;
  /** `/api/v1/namespaces/NAMESPACE/PLURAL` */
  core(plural: string, name?: string): string;
  /** `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL` */
  path(groupVersion: string, plural: string, name?: string): string;
}

/**
 * Gives a test file a server, a namespace and kubectl, and takes all of it away again.
 *
 * @param options.kappa installs the CRDs of Kappa first; they stay
 * @param options.crds CRDs of the file's own, installed first and removed at the end
 */
export function useCluster(options: { kappa?: boolean; crds?: readonly Json[] } = {}): Cluster {
  const parts: { -readonly [K in keyof Cluster]?: Cluster[K] } = {};
  beforeAll(async () => {
    parts.server = await startServer();
    parts.api = await connect(parts.server.kubeconfig);
    parts.home = await mkdtemp(join(tmpdir(), 'kappa-contract-home-'));
    parts.kubectl = await kubectlFor(parts.server.kubeconfig, parts.home);
    parts.namespace = await makeNamespace(parts.api);
    const manifests = options.kappa === true ? await kappaManifests() : [];
    for (const crd of [...manifests, ...(options.crds ?? [])]) await installCrd(parts.api, crd);
  });
  afterAll(async () => {
    if (parts.namespace !== undefined) await parts.api?.send('DELETE', `/api/v1/namespaces/${parts.namespace}`);
    for (const crd of options.crds ?? []) if (parts.api !== undefined) await removeCrd(parts.api, crd.metadata.name);
    parts.api?.close();
    await parts.server?.stop();
    if (parts.home !== undefined) await rm(parts.home, { recursive: true, force: true });
  });
  const part = <K extends keyof Cluster>(key: K): Cluster[K] => {
    const value: Cluster[K] | undefined = parts[key];
    if (value === undefined) throw new Error(`${key} is not there before beforeAll has run`);
    return value;
  };
  const pathIn = (prefix: string, plural: string, name?: string): string =>
    `${prefix}/namespaces/${part('namespace')}/${plural}${name === undefined ? '' : `/${name}`}`;
  return {
    get server() {
      return part('server');
    },
    get api() {
      return part('api');
    },
    get kubectl() {
      return part('kubectl');
    },
    get namespace() {
      return part('namespace');
    },
    get home() {
      return part('home');
    },
    core: (plural, name) => pathIn('/api/v1', plural, name),
    path: (groupVersion, plural, name) => pathIn(`/apis/${groupVersion}`, plural, name),
  };
}

/** A new namespace in which pods can be made: its default service account is there. */
export async function makeNamespace(api: Api): Promise<string> {
  const { metadata } = await api.ok('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: 'contract-' } },
  });
  await eventually(() => api.ok('GET', `/api/v1/namespaces/${metadata.name}/serviceaccounts/default`));
  return metadata.name;
}

/** The CustomResourceDefinitions of Kappa, as they lie in the repository. */
export async function kappaManifests(): Promise<Json[]> {
  const folder = join(repositoryRoot, 'crds/manifests');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
  return Promise.all(files.map(async (file) => parseYaml(await readFile(join(folder, file), 'utf8'))));
}

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Applies a CRD and waits until its resource is served in every version. */
export async function installCrd(api: Api, crd: Json): Promise<void> {
  await api.ok('PATCH', `${crdPath}/${crd.metadata.name}`, {
    body: crd,
    contentType: patchTypes.apply,
    query: { fieldManager: 'contract', force: 'true' },
  });
  await eventually(async () => {
    const { status } = await api.ok('GET', `${crdPath}/${crd.metadata.name}`);
    const established = status?.conditions?.find((one: Json) => one.type === 'Established');
    if (established?.status !== 'True') throw new Error(`${crd.metadata.name} is not established`);
    for (const version of crd.spec.versions) {
      await api.ok('GET', `/apis/${crd.spec.group}/${version.name}/${crd.spec.names.plural}`);
    }
  });
}

/** Removes a CRD and waits until it is gone. */
export async function removeCrd(api: Api, name: string): Promise<void> {
  await api.send('DELETE', `${crdPath}/${name}`);
  await eventually(async () => {
    const { status } = await api.send('GET', `${crdPath}/${name}`);
    if (status !== 404) throw new Error(`${name} is still there`);
  });
}

/** A namespaced CRD for one test file: its own group, so that files do not meet on a shared cluster. */
export function makeCrd(word: string, schema: Json, more: Json = {}): Json {
  const group = `${word}.contract.kappa.dev`;
  const { version = {}, spec = {} } = more;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `widgets.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: 'Widget',
        listKind: 'WidgetList',
        plural: 'widgets',
        singular: 'widget',
        shortNames: [`${word}w`],
      },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...spec,
    },
  };
}
