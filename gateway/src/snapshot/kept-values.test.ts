import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from '@kappa/crds/client/kubernetes';
import { until } from '@kappa/crds/client/testing';

import { sourceReader } from '../registry/source-reader.ts';
import { keepValues } from './kept-values.ts';
import { base64Values, type KeepingCluster, startKeepingCluster } from './testing.ts';

const collection = '/api/v1/namespaces/team/secrets';
const ref = { kind: 'Secret', namespace: 'team', name: 'db' } as const;
let cluster: KeepingCluster;

beforeEach(async () => {
  cluster = await startKeepingCluster();
});
afterEach(() => cluster.stop());

const path = () => join(cluster.directory, 'values');
const fileText = () => cluster.keptText('values');
const put = (value: string, name = 'db') =>
  cluster.api.put(collection, { metadata: { name, namespace: 'team' }, data: base64Values({ password: value }) });
/** A life of the process. */
const live = () =>
  keepValues(sourceReader(connect(cluster.api.kubeconfig)), {
    directory: cluster.directory,
    signal: cluster.signal,
    now: () => performance.now(),
    onProblem: (problem) => void cluster.problems.push(problem),
    pacing: { quietMs: 1, everyMs: 2 },
  });

async function liveOnce(): Promise<void> {
  put('first');
  expect(await live()(ref)).toEqual({ password: 'first' });
  await until('the value is kept', () => fileText().includes('first'));
}

test('after a restart the kept value is the answer while the API server is away', async () => {
  await liveOnce();
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  const read = live();
  cluster.api.fail('call', 'reset', 'reset', { status: 503 });
  expect(await read(ref)).toEqual({ password: 'first' });
  await expect(read({ ...ref, name: 'unknown' })).rejects.toThrow();
});

test('and while it is silent, within a second', async () => {
  await liveOnce();
  cluster.api.fail('call', 'silent');
  const startMs = performance.now();
  expect(await live()(ref)).toEqual({ password: 'first' });
  expect(performance.now() - startMs).toBeLessThan(1_500);
});

test('a server that answers is believed: a new value, or none', async () => {
  await liveOnce();
  const read = live();
  put('second');
  expect(await read(ref)).toEqual({ password: 'second' });
  await until('the new value is kept', () => fileText().includes('second'));
  expect(fileText()).not.toContain('first');
  cluster.api.remove(collection, 'db');
  expect(await read(ref)).toBeNull();
  await until('it is forgotten', () => !fileText().includes('second'));
  cluster.api.fail('call', 'reset', 'reset');
  await expect(live()(ref)).rejects.toThrow();
});

test('a refusal is an answer too: the value is forgotten', async () => {
  await liveOnce();
  const read = live();
  cluster.api.fail('call', { status: 403 }, 'reset', 'reset');
  await expect(read(ref)).rejects.toMatchObject({ code: 403 });
  await expect(read(ref)).rejects.toMatchObject({ code: 0 });
  await until('it is forgotten', () => !fileText().includes('first'));
});

test('a damaged file is passed over, and told', async () => {
  await liveOnce();
  writeFileSync(path(), fileText().replace('first', 'worst'));
  cluster.api.fail('call', 'reset', 'reset');
  await expect(live()(ref)).rejects.toThrow();
  expect(cluster.problems).toHaveLength(1);
});

test('an object too large for variables is read, not kept', async () => {
  const read = live();
  put('x'.repeat(300_000), 'large');
  put('small');
  await read({ ...ref, name: 'large' });
  await read(ref);
  await until('the small one is kept', () => fileText() !== '');
  expect(fileText().length).toBeLessThan(1_000);
});
