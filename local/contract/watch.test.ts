import { afterEach, describe, expect, test } from '@jest/globals';
import { type Json, patchTypes } from './api.ts';
import { useCluster } from './cluster.ts';
import type { Watch, WatchEvent } from './watch-stream.ts';

const cluster = useCluster();
const open: Watch[] = [];
afterEach(() => {
  for (const watch of open.splice(0)) watch.close();
});

const make = (name: string, labels: Json = {}): Promise<Json> =>
  cluster.api.ok('POST', cluster.core('configmaps'), {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { n: '0' } },
  });
const change = (name: string, patch: Json): Promise<Json> =>
  cluster.api.ok('PATCH', cluster.core('configmaps', name), { body: patch, contentType: patchTypes.merge });
const remove = (name: string): Promise<Json> => cluster.api.ok('DELETE', cluster.core('configmaps', name));

async function watch(query: Record<string, string> = {}): Promise<Watch> {
  const started = await cluster.api.watch(cluster.core('configmaps'), query);
  open.push(started);
  return started;
}

async function listVersion(): Promise<string> {
  const { metadata } = await cluster.api.ok('GET', cluster.core('configmaps'));
  return metadata.resourceVersion;
}

const about = (name: string) => (event: WatchEvent) => event.object.metadata?.name === name;

describe('from a version on', () => {
  test('every change comes once, in order, with the whole object', async () => {
    const running = await watch({ resourceVersion: await listVersion() });
    await make('seen');
    await change('seen', { data: { n: '1' } });
    await remove('seen');
    const added = await running.next(about('seen'));
    expect(added).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', apiVersion: 'v1', data: { n: '0' } } });
    const modified = await running.next(about('seen'));
    expect(modified).toMatchObject({ type: 'MODIFIED', object: { data: { n: '1' } } });
    const deleted = await running.next(about('seen'));
    expect(deleted).toMatchObject({ type: 'DELETED', object: { data: { n: '1' } } });
    const versions = [added, modified, deleted].map((event) => Number(event.object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
  });

  test('what happened since is told, what was before is not', async () => {
    await make('before');
    const resourceVersion = await listVersion();
    await make('after');
    const running = await watch({ resourceVersion });
    expect(await running.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'after' } } });
  });

  test('the version of an event is a place to go on from', async () => {
    const first = await watch({ resourceVersion: await listVersion() });
    await make('one');
    const event = await first.next(about('one'));
    await make('two');
    const second = await watch({ resourceVersion: event.object.metadata.resourceVersion });
    expect((await second.next()).object.metadata.name).toBe('two');
  });
});

test('without a version, what exists comes first', async () => {
  await make('existing');
  const running = await watch();
  expect(await running.next(about('existing'))).toMatchObject({ type: 'ADDED' });
});

test('with initial events, a bookmark ends them', async () => {
  await make('initial');
  const running = await watch({
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
  });
  const bookmark = await running.next((event) => event.type === 'BOOKMARK');
  expect(bookmark.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  expect(running.events.map((event) => event.object.metadata.name)).toContain('initial');
});

test('an object that leaves the selection is deleted, one that enters it is added', async () => {
  const running = await watch({ labelSelector: 'in=yes', resourceVersion: await listVersion() });
  await make('moving', { in: 'no' });
  await change('moving', { metadata: { labels: { in: 'yes' } } });
  expect(await running.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'moving' } } });
  await change('moving', { metadata: { labels: { in: 'no' } } });
  expect(await running.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'moving' } } });
});

test('one object is watched by its name', async () => {
  const running = await watch({ fieldSelector: 'metadata.name=only', resourceVersion: await listVersion() });
  await make('not-only');
  await make('only');
  expect((await running.next()).object.metadata.name).toBe('only');
});

test('a watch ends after the time that the client asked for', async () => {
  const running = await watch({ timeoutSeconds: '1', resourceVersion: await listVersion() });
  expect(running.status).toBe(200);
  await running.ended;
});

test('bookmarks, where they come, carry a version and nothing else', async () => {
  const query = { timeoutSeconds: '4', allowWatchBookmarks: 'true', resourceVersion: await listVersion() };
  const running = await watch(query);
  await running.ended;
  for (const event of running.events.filter((one) => one.type === 'BOOKMARK')) {
    const metadata = { resourceVersion: expect.stringMatching(/^\d+$/) };
    expect(event.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata });
    expect(event.object.metadata.name).toBeUndefined();
  }
});

test('a version that is long gone is Gone, in the status or in the stream', async () => {
  const running = await watch({ resourceVersion: '1' });
  if (running.status === 410) return;
  const event = await running.next((one) => one.type === 'ERROR' || one.type === 'ADDED');
  if (event.type === 'ERROR') expect(event.object).toMatchObject({ kind: 'Status', code: 410 });
});

test('a version that is no number is refused', async () => {
  const answer = await cluster.api.send('GET', cluster.core('configmaps'), {
    query: { watch: 'true', resourceVersion: 'abc' },
  });
  expect(answer.status).toBeGreaterThanOrEqual(400);
});

test('a watch may come as tables', async () => {
  await make('tabled');
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const answer = await cluster.api.send('GET', cluster.core('configmaps'), {
    accept,
    query: { watch: 'true', timeoutSeconds: '1' },
  });
  const events = answer.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const [first] = events;
  expect(first).toMatchObject({ type: 'ADDED', object: { kind: 'Table', rows: [{ cells: expect.any(Array) }] } });
});

test('a list that is not older than a version waits for it or has it', async () => {
  const made = await make('fresh');
  const list = await cluster.api.ok('GET', cluster.core('configmaps'), {
    query: { resourceVersion: made.metadata.resourceVersion, resourceVersionMatch: 'NotOlderThan' },
  });
  expect(list.items.map((one: Json) => one.metadata.name)).toContain('fresh');
});
