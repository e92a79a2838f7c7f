import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Informer, InformerTiming } from './informer.ts';
import { configMaps } from './kinds.ts';
import { connect } from './kubernetes.ts';
import { systemRuntime } from './runtime.ts';
import { FakeApi, type Fault, until, type WatchEnd } from './testing.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const timing: InformerTiming = {
  watchSeconds: 25,
  graceMs: 10_000,
  backoff: { firstMs: 100, maxMs: 800 },
  pageSize: 250,
};

const busy = { kind: 'Status', reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } };

let api: FakeApi;
let ended: AbortController;
let pauses: number[];
let problems: unknown[];
let changes: [string, string | null][];

beforeEach(async () => {
  api = await new FakeApi().start();
  ended = new AbortController();
  pauses = [];
  problems = [];
  changes = [];
});

afterEach(async () => {
  ended.abort();
  await api.stop();
});

function put(name: string, value: string): void {
  api.put(collection, { metadata: { name, namespace: 'default', managedFields: [{ manager: 'x' }] }, data: { value } });
}

function watch(
  overrides: Partial<InformerTiming> = {},
  onChange = (key: string, value: string | null) => void changes.push([key, value]),
): Informer<string> {
  const runtime = {
    ...systemRuntime,
    random: () => 0.999,
    sleep: async (ms: number) => void pauses.push(Math.round(ms)),
  };
  const kubernetes = connect(api.kubeconfig, {
    runtime,
    timing: { ...timing, ...overrides },
    onProblem: (problem) => void problems.push(problem),
  });
  return kubernetes.watch(configMaps, { project: (map) => map.data?.['value'] ?? '', onChange, signal: ended.signal });
}

function queries(what: 'list' | 'watch'): (string | null)[] {
  return api.requests
    .filter(({ url }) => url.searchParams.has('watch') === (what === 'watch'))
    .map(({ url }) => url.searchParams.get('resourceVersion'));
}

test('what exists and what comes later is seen, as projections', async () => {
  put('a', '1');
  const informer = watch();
  expect(informer.hasSynced).toBe(false);
  await informer.whenSynced();
  expect(informer.entries()).toEqual([['default/a', '1']]);
  await until('the watch is open', () => api.openWatches === 1);
  put('b', '2');
  put('a', '3');
  await until('b is there', () => informer.get('default/b') === '2');
  api.remove(collection, 'b');
  await until('b is gone', () => informer.size === 1);
  expect(changes).toEqual([
    ['default/a', '1'],
    ['default/b', '2'],
    ['default/a', '3'],
    ['default/b', null],
  ]);
  expect(problems).toEqual([]);
});

test.each<[reason: string, faults: Fault[], pauses: number[]]>([
  ['a list that answers 500', [{ status: 500 }, { status: 500 }, { status: 500 }], [100, 200, 400]],
  ['a list that answers 429', [{ status: 429 }], [100]],
  ['a list that is to come back later', [{ status: 429, body: busy }], [800]],
  ['a list whose connection breaks', ['reset', 'reset'], [100, 200]],
  ['a list that expires between pages', [{ status: 410, body: { kind: 'Status', reason: 'Expired' } }], [100]],
])('it survives %s, pausing longer each time', async (_reason, faults, wanted) => {
  put('a', '1');
  api.fail('list', ...faults);
  const informer = watch();
  await informer.whenSynced();
  expect(informer.list()).toEqual(['1']);
  expect(pauses).toEqual(wanted);
  expect(informer.failures).toBe(faults.length);
});

test('pauses are capped', async () => {
  api.fail('list', ...Array.from({ length: 6 }, () => ({ status: 503 })));
  await watch().whenSynced();
  expect(pauses).toEqual([100, 200, 400, 800, 800, 800]);
});

test.each<[reason: string, faults: Fault[], lists: number, pauses: number]>([
  ['a watch that answers 503 goes on from its version', [{ status: 503 }, { status: 503 }], 1, 2],
  ['a kept connection that breaks before an answer is made anew without a pause', ['reset'], 1, 0],
  ['a watch whose connection breaks goes on from its version', ['reset', 'reset', 'reset'], 1, 2],
  ['a watch that is closed at once goes on from its version', ['close', 'close'], 1, 2],
  ['410 as a status lists again', [{ status: 410, body: { kind: 'Status', reason: 'Expired' } }], 2, 1],
  ['a server that is too busy is asked for no list', Array.from({ length: 5 }, () => ({ status: 429 })), 1, 5],
  ['three failures in a row list again', [{ status: 500 }, { status: 500 }, { status: 500 }], 2, 3],
])('%s', async (_reason, faults, lists, wanted) => {
  put('a', '1');
  api.fail('watch', ...faults);
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  put('b', '2');
  await until('b is there', () => informer.get('default/b') === '2');
  expect(queries('list')).toHaveLength(lists);
  expect(new Set(queries('watch'))).toEqual(new Set(['1']));
  expect(pauses).toHaveLength(wanted);
});

test.each<WatchEnd>(['reset', 'cut', 'torn'])('a watch that breaks (%s) loses nothing', async (how) => {
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  put('a', '1');
  await until('a is there', () => informer.size === 1);
  api.endWatches(how);
  put('b', '2');
  await until('b is there', () => informer.size === 2);
  expect(queries('watch')).toEqual(['0', '1']);
  expect(changes).toHaveLength(2);
});

test('a half-open watch is given up and made anew', async () => {
  const informer = watch({ watchSeconds: 0, graceMs: 100 });
  await until('the watch is open', () => api.openWatches === 1);
  api.muteWatches();
  put('a', '1');
  await until('a is there', () => informer.size === 1);
  expect(queries('list')).toHaveLength(1);
});

test('a watch that is never answered is given up', async () => {
  api.fail('watch', 'silent');
  const informer = watch({ watchSeconds: 0, graceMs: 100 });
  await informer.whenSynced();
  put('a', '1');
  await until('a is there', () => informer.size === 1);
});

test('410 inside a watch lists again, and what went meanwhile is gone', async () => {
  put('a', '1');
  put('b', '2');
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  api.endWatches('reset');
  api.fail('watch', 'silent');
  api.remove(collection, 'a');
  api.compact();
  api.endWatches('close');
  await until('the silent watch is tried', () => queries('watch').length === 2);
  ended.abort(); // that informer is stuck on purpose; the next one hears the error in its stream
  ended = new AbortController();
  changes = [];
  const second = watch();
  await until('the second watch is open', () => api.openWatches === 1);
  api.sendToWatches({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } });
  await until('it has listed again', () => queries('list').length === 3);
  expect(informer.get('default/a')).toBe('1'); // an informer that ended is old, not empty
  expect(second.list()).toEqual(['2']);
});

test('objects that went while the connection was away are reported as gone', async () => {
  put('a', '1');
  put('b', '2');
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  api.fail('watch', { status: 503 });
  api.endWatches('reset');
  api.remove(collection, 'a');
  api.compact();
  await until('a is gone', () => informer.size === 1);
  expect(changes).toEqual([
    ['default/a', '1'],
    ['default/b', '2'],
    ['default/a', null],
  ]);
});

test('another error inside a watch is heard, not swallowed', async () => {
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  api.sendToWatches({ type: 'ERROR', object: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd' } });
  await until('it watches again', () => queries('watch').length === 2);
  expect(problems).toEqual([expect.objectContaining({ code: 500, reason: 'InternalError' })]);
  expect(queries('list')).toHaveLength(1);
  expect(informer.failures).toBe(1);
  expect(informer.isFailing).toBe(true);
  api.bookmark();
  await until('it is heard again', () => !informer.isFailing);
});

test('bookmarks are asked for and move the version on', async () => {
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  expect(api.requests.at(-1)?.url.search).toContain('allowWatchBookmarks=true&timeoutSeconds=25');
  const beforeMs = informer.lastEventMs;
  api.bookmark();
  api.bookmark();
  await until('the bookmarks are heard', () => informer.lastEventMs > beforeMs);
  api.endWatches('close');
  await until('it watches again', () => queries('watch').length === 2);
  expect(queries('watch')).toEqual(['0', '2']);
  expect(pauses).toEqual([]);
});

test('a server that closes every watch at once is not asked in a hot loop', async () => {
  api.fail('watch', ...Array.from({ length: 6 }, () => 'close' as const));
  watch();
  await until('the watch is open', () => api.openWatches === 1);
  expect(pauses).toEqual([100, 200, 400, 800, 800, 800]);
});

test('a list comes in pages', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) put(name, name);
  const informer = watch({ pageSize: 2 });
  await informer.whenSynced();
  expect([...informer.list()].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(queries('list')).toHaveLength(3);
});

test('a handler that throws ends nothing', async () => {
  put('a', '1');
  const informer = watch({}, () => {
    throw new Error('handler');
  });
  await until('the watch is open', () => api.openWatches === 1);
  put('b', '2');
  await until('b is there', () => informer.size === 2);
  expect(problems).toHaveLength(2);
});

test('an object that cannot be read is reported and leaves what was known', async () => {
  put('a', '1');
  const informer = watch();
  await until('the watch is open', () => api.openWatches === 1);
  api.put(collection, { metadata: { name: 'a', namespace: 'default', labels: 'nonsense' }, data: { value: '2' } });
  put('b', '2');
  await until('b is there', () => informer.size === 2);
  expect(informer.get('default/a')).toBe('1');
  expect(problems).toEqual([expect.objectContaining({ code: 'InvalidObject' })]);
});

test('a list that says again what is known calls no handler', async () => {
  put('a', '1');
  watch();
  await until('the watch is open', () => api.openWatches === 1);
  api.sendToWatches({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  await until('it watches again', () => queries('watch').length === 2);
  expect(changes).toEqual([['default/a', '1']]);
});

test('aborting before the first list rejects whoever waits, and closes the connection', async () => {
  api.fail('list', 'silent');
  const informer = watch();
  await until('the list is asked for', () => queries('list').length === 1);
  ended.abort(new Error('enough'));
  await expect(informer.whenSynced()).rejects.toThrow('enough');
  expect(problems).toEqual([]);
});

test('aborting closes the watch', async () => {
  watch();
  await until('the watch is open', () => api.openWatches === 1);
  ended.abort();
  await until('the watch is closed', () => api.openWatches === 0);
});

test('selectors and the namespace are the server’s work, in the list and in the watch', async () => {
  const kubernetes = connect(api.kubeconfig, { timing });
  const options = {
    namespace: 'default',
    labelSelector: 'kappa.dev/pool=nodejs24.x',
    fieldSelector: 'metadata.name=a',
  };
  kubernetes.watch(configMaps, { ...options, project: () => 1, onChange: () => undefined, signal: ended.signal });
  await until('the watch is open', () => api.openWatches === 1);
  const asked = api.requests.map(({ url }) => [
    url.pathname,
    url.searchParams.get('labelSelector'),
    url.searchParams.get('fieldSelector'),
  ]);
  expect(asked).toEqual([
    [collection, 'kappa.dev/pool=nodejs24.x', 'metadata.name=a'],
    [collection, 'kappa.dev/pool=nodejs24.x', 'metadata.name=a'],
  ]);
});
