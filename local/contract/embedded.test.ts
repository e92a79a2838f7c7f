/**
 * Embedded API only: what local mode promises beyond the Kubernetes API. This file starts its own server
 * and is not part of the contract that a real kube-apiserver is held to.
 */
import { stat } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Api, connect, type Json } from './api.ts';
import { installCrd, kappaManifests } from './cluster.ts';
import { eventually } from './eventually.ts';
import { type ApiServer, startEmbeddedServer } from './server.ts';

let server: ApiServer;
let api: Api;
beforeAll(async () => {
  server = await startEmbeddedServer();
  api = await connect(server.kubeconfig);
});
afterAll(async () => {
  api.close();
  await server.stop();
});

/** The same objects behind a new process: connections of before are gone. */
async function restart(): Promise<void> {
  api.close();
  await server.restart();
  api = await connect(server.kubeconfig);
}

const configMaps = '/api/v1/namespaces/default/configmaps';
const make = (name: string): Promise<Json> =>
  api.ok('POST', configMaps, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { k: 'v' } } });

test('objects, definitions and versions live over a restart', async () => {
  for (const crd of await kappaManifests()) await installCrd(api, crd);
  const before = await make('kept');
  const pool = {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Pool',
    metadata: { name: 'p' },
    spec: { runtime: 'nodejs24.x' },
  };
  const pools = '/apis/kappa.dev/v1alpha1/namespaces/default/pools';
  const madePool = await api.ok('POST', pools, { body: pool });
  await restart();
  expect(await api.ok('GET', `${configMaps}/kept`)).toEqual(before);
  expect(await api.ok('GET', `${pools}/p`)).toEqual(madePool);
  const after = await make('later');
  expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(Number(before.metadata.resourceVersion));
});

test('the same credentials open the door after a restart', async () => {
  const namespace = await api.ok('GET', '/api/v1/namespaces/default');
  const answer = await api.ok('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
  });
  await restart();
  expect((await api.ok('GET', '/api/v1/namespaces/default')).metadata.uid).toBe(namespace.metadata.uid);
  expect((await api.send('GET', '/version', { token: answer.status.token })).status).toBe(200);
});

test('a watch ends when the server does, and goes on from its version at the next one, or is told to list again', async () => {
  const { metadata } = await api.ok('GET', configMaps);
  const watch = await api.watch(configMaps, { resourceVersion: metadata.resourceVersion });
  await restart();
  await watch.ended;
  await make('after-restart');
  const next = await api.watch(configMaps, { resourceVersion: metadata.resourceVersion });
  if (next.status === 200) {
    const event = await next.next((one) => one.type === 'ERROR' || one.object.metadata?.name === 'after-restart');
    expect(event.type === 'ERROR' ? event.object.code : event.type).toEqual(event.type === 'ERROR' ? 410 : 'ADDED');
  } else {
    expect(next.status).toBe(410);
  }
  next.close();
});

test('a watch that asks for bookmarks gets one before its end, always', async () => {
  const { metadata } = await api.ok('GET', configMaps);
  const query = { timeoutSeconds: '3', allowWatchBookmarks: 'true', resourceVersion: metadata.resourceVersion };
  const watch = await api.watch(configMaps, query);
  const bookmark = await watch.next((event) => event.type === 'BOOKMARK');
  expect(Number(bookmark.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(metadata.resourceVersion));
  await watch.ended;
});

test('nobody else on the machine can read the kubeconfig', async () => {
  expect((await stat(server.kubeconfig)).mode & 0o077).toBe(0);
});

test('only loopback answers', async () => {
  const port = Number(new URL(api.server).port);
  const others = Object.values(networkInterfaces())
    .flat()
    .flatMap((one) => (one !== undefined && !one.internal && one.family === 'IPv4' ? [one.address] : []));
  for (const host of others) {
    const outcome = await new Promise((resolve) => {
      const socket = connectSocket({ host, port });
      socket.once('connect', () => resolve('connected'));
      socket.once('error', (error) => resolve(error.message));
    });
    expect(outcome).toContain('ECONNREFUSED');
  }
  expect(new URL(api.server).hostname).toBe('127.0.0.1');
});

test('a body above 3 MiB is refused', async () => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'huge' }, data: { k: 'x'.repeat(3_200_000) } };
  const answer = await api.send('POST', configMaps, { body });
  expect(answer.status).toBe(413);
});

test('five hundred objects are listed and watched in full', async () => {
  const count = 500;
  const { metadata } = await api.ok('GET', configMaps);
  const watch = await api.watch(configMaps, { resourceVersion: metadata.resourceVersion });
  for (let index = 0; index < count; index++) await make(`many-${index}`);
  await eventually(() => {
    const names = new Set(watch.events.filter((one) => one.type === 'ADDED').map((one) => one.object.metadata.name));
    expect(names.size).toBe(count);
  });
  watch.close();
  const { items } = await api.ok('GET', configMaps);
  expect(items.filter((one: Json) => one.metadata.name.startsWith('many-'))).toHaveLength(count);
});
