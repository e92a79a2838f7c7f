import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Informer, SnapshotOptions } from './informer.ts';
import { configMaps } from './kinds.ts';
import { connect } from './kubernetes.ts';
import { readSnapshot, SnapshotError, writeSnapshot } from './snapshot-file.ts';
import { FakeApi, until } from './testing.ts';
import { startEmbedded } from './testing-embedded.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const scope = '/api/v1/configmaps?&';
let directory: string;
let api: FakeApi;
let lives: AbortController[];
let changes: [string, string | null][];
let problems: unknown[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kappa-snapshot-'));
  api = await new FakeApi().start();
  lives = [];
  changes = [];
  problems = [];
});
afterEach(async () => {
  for (const life of lives) life.abort();
  await api.stop();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const path = () => join(directory, 'maps');
const put = (name: string, value: string) =>
  api.put(collection, { metadata: { name, namespace: 'default' }, data: { value } });

/** A life of the process: its informer. */
function live(kubeconfig = api.kubeconfig, options: Partial<SnapshotOptions> = {}, shape = 1): Informer<string> {
  const life = new AbortController();
  lives.push(life);
  return connect(kubeconfig, {
    snapshots: { directory, pacing: { quietMs: 5, everyMs: 10 }, ...options },
    onProblem: (problem) => void problems.push(problem),
  }).watch(configMaps, {
    project: (map) => map.data?.['value'] ?? '',
    onChange: (key, value) => void changes.push([key, value]),
    signal: life.signal,
    snapshot: { name: 'maps', shape },
  });
}

const kept = (): unknown => {
  try {
    return readSnapshot(path(), { scope, shape: 1 })?.map(([key, , value]) => [key, value]);
  } catch {
    return null;
  }
};

async function keptIs(expected: readonly (readonly [string, string])[]): Promise<void> {
  await until('the file has it', () => JSON.stringify(kept()) === JSON.stringify(expected));
}

/** Ends the present life, leaving a file with a = 1 and b = 2. */
async function liveOnce(): Promise<void> {
  put('a', '1');
  put('b', '2');
  const informer = live();
  await informer.whenSynced();
  await keptIs([
    ['default/a', '1'],
    ['default/b', '2'],
  ]);
  lives.pop()?.abort();
  changes = [];
}

describe('a watch that keeps its view', () => {
  test('writes it after the first list and after changes, for its owner only', async () => {
    await liveOnce();
    const informer = live();
    await informer.whenSynced();
    await until('the watch is open', () => api.openWatches > 0);
    api.remove(collection, 'a');
    put('b', '3');
    await keptIs([['default/b', '3']]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(informer.isStale).toBe(false);
    expect(readdirSync(directory)).toEqual(['maps']);
  });

  test.each<['refuses' | 'is silent' | 'fails', Partial<SnapshotOptions>]>([
    ['refuses', {}],
    ['is silent', { seedAfterMs: 30 }],
    ['fails', {}],
  ])('is seeded from it while the API server %s, and set right afterwards', async (how, options) => {
    await liveOnce();
    if (how === 'is silent') api.fail('list', 'silent');
    if (how === 'fails') api.fail('list', ...Array<{ status: number }>(4).fill({ status: 503 }));
    if (how === 'refuses') api.fail('list', ...Array<'reset'>(5).fill('reset'));
    const startMs = performance.now();
    const informer = live(api.kubeconfig, options);
    expect(informer.hasSynced).toBe(false);
    await informer.whenSynced();
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect([informer.isStale, informer.get('default/a'), informer.size]).toEqual([true, '1', 2]);
    expect(changes).toEqual([
      ['default/a', '1'],
      ['default/b', '2'],
    ]);
    if (how === 'is silent') return; // that call lasts 30 s
    put('c', '3');
    api.remove(collection, 'a');
    await until('the real list came', () => !informer.isStale);
    expect(changes.slice(2)).toEqual([
      ['default/c', '3'],
      ['default/a', null],
    ]); // and nothing of b, which is the same
  });

  test('waits for the list as long as there is no file', async () => {
    api.fail('list', ...Array<'reset'>(4).fill('reset'));
    put('a', '1');
    const informer = live(api.kubeconfig, { seedAfterMs: 1 });
    await informer.whenSynced();
    expect([informer.isStale, informer.size]).toEqual([false, 1]);
    expect(problems.filter((problem) => problem instanceof SnapshotError)).toEqual([]);
  });

  test('does not write what it has from the file alone', async () => {
    await liveOnce();
    const before = readFileSync(path(), 'utf8');
    api.fail('list', ...Array<'reset'>(4).fill('reset'));
    const informer = live();
    await informer.whenSynced();
    expect(readFileSync(path(), 'utf8')).toBe(before);
  });

  test.each<[string, (text: string) => string]>([
    ['half a file', (text) => text.slice(0, text.length / 2)],
    ['nothing', () => ''],
    ['another byte', (text) => text.replace('"1"', '"7"')],
    ['no snapshot', () => 'hello\n'],
    ['a later format', (text) => signed(text.replace('kappa-snapshot/1', 'kappa-snapshot/2'))],
    ['another collection', (text) => signed(text.replace('/api/v1/configmaps', '/api/v1/secrets'))],
    ['another shape', (text) => signed(text.replace('"shape":1', '"shape":2'))],
    ['fewer entries', (text) => signed(text.replace('"entries":2', '"entries":3'))],
  ])('does not use %s, and says so', async (_what, spoil) => {
    await liveOnce();
    writeFileSync(path(), spoil(readFileSync(path(), 'utf8')));
    api.fail('list', ...Array<'reset'>(3).fill('reset'));
    const informer = live();
    await informer.whenSynced();
    expect(informer.isStale).toBe(false);
    expect(problems.filter((problem) => problem instanceof SnapshotError)).toHaveLength(1);
    await keptIs([
      ['default/a', '1'],
      ['default/b', '2'],
    ]);
  });

  test('goes on without a directory that it can write', async () => {
    put('a', '1');
    const informer = live(api.kubeconfig, { directory: '/dev/null/none' });
    await informer.whenSynced();
    await until('it was told', () => problems.length > 0);
    expect(informer.get('default/a')).toBe('1');
  });
});

/** The right sum under other lines. */
function signed(text: string): string {
  const body = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1);
  return `${body}${createHash('sha256').update(body).digest('hex')}\n`;
}

test('many entries are kept while other work goes on', async () => {
  const entries = [...Array(2_000).keys()].map(
    (n) => [`ns/f${n}`, String(n), { name: `f${n}`, text: 'é'.repeat(500) }] as const,
  );
  let turns = 0;
  const other = setInterval(() => {
    turns += 1;
  }, 0);
  await writeSnapshot(path(), { scope, shape: 1 }, entries);
  clearInterval(other);
  expect(turns).toBeGreaterThan(0);
  expect(readSnapshot(path(), { scope, shape: 1 })).toEqual(entries);
});

test('the embedded API goes away, the process restarts, the API comes back', async () => {
  const stateDir = join(directory, 'api');
  const kubeconfig = join(stateDir, 'kubeconfig');
  let server = await startEmbedded(stateDir, 0);
  try {
    const map = (name: string, value: string) => ({
      apiVersion: 'v1' as const,
      kind: 'ConfigMap' as const,
      metadata: { namespace: 'default', name },
      data: { value },
    });
    const writer = connect(kubeconfig);
    await writer.create(configMaps, map('a', '1'));
    await writer.create(configMaps, map('b', '2'));
    const before = live(kubeconfig);
    await before.whenSynced();
    await until('the file has both', () => existsSync(path()) && readFileSync(path(), 'utf8').includes('default/b'));
    lives.pop()?.abort();
    await server.stop();

    const startMs = performance.now();
    const after = live(kubeconfig);
    await after.whenSynced();
    expect(performance.now() - startMs).toBeLessThan(1_500);
    expect([after.isStale, after.get('default/a'), after.get('default/b')]).toEqual([true, '1', '2']);

    server = await startEmbedded(stateDir, server.port);
    await writer.delete(configMaps, 'default', 'b');
    await writer.create(configMaps, map('c', '3'));
    await until('the view is the real one', () => !after.isStale && after.get('default/c') === '3');
    expect([after.get('default/a'), after.get('default/b')]).toEqual(['1', undefined]);
  } finally {
    await server.stop();
  }
});
