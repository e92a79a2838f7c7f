import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { useCluster } from './cluster.ts';
import { configMapYaml, functionYaml, jsonIn, kubectlIn, podYaml } from './kubectl-input.ts';

const cluster = useCluster({ kappa: true });
const kubectl = kubectlIn(cluster);
const json = jsonIn(cluster);

describe('changing', () => {
  beforeAll(async () => {
    await kubectl('apply -f -', { input: functionYaml('changed') });
    await kubectl('apply -f -', { input: configMapYaml('changed', { a: '1' }) });
  });

  test.each([
    ['merge', '{"spec":{"memoryMiB":512}}', 512],
    ['json', '[{"op":"replace","path":"/spec/memoryMiB","value":640}]', 640],
  ])('patch --type %s', async (type, patch, want) => {
    await cluster.kubectl.ok(['-n', cluster.namespace, 'patch', 'fn', 'changed', '--type', type, '-p', patch]);
    expect((await json('get fn changed')).spec.memoryMiB).toBe(want);
  });

  test('patch of a built-in kind is a strategic one', async () => {
    await kubectl('patch cm changed -p {"data":{"b":"2"}}');
    expect((await json('get cm changed')).data).toEqual({ a: '1', b: '2' });
  });

  test('patch of the status', async () => {
    // What the patch answers: on a cluster with Kappa its controller writes the status anew at once.
    const patch = 'patch fn changed --subresource=status --type=merge -p {"status":{"state":"Active","pods":2}}';
    expect(await kubectl(`${patch} -o jsonpath={.status.state}-{.status.pods}`)).toBe('Active-2');
  });

  test('label and annotate, add and remove', async () => {
    await kubectl('label fn changed team=red');
    await kubectl('label fn changed team=blue --overwrite');
    await kubectl('annotate cm changed note=x');
    expect((await json('get fn changed')).metadata.labels).toEqual({ team: 'blue' });
    expect((await json('get cm changed')).metadata.annotations.note).toBe('x');
    await kubectl('label fn changed team-');
    expect((await json('get fn changed')).metadata.labels).toBeUndefined();
  });

  test('edit', async () => {
    const editor = join(cluster.home, 'editor.sh');
    await mkdir(cluster.home, { recursive: true });
    await writeFile(
      editor,
      '#!/bin/sh\nsed -i "s/timeoutSeconds: 3/timeoutSeconds: 30/; s/a: \\"1\\"/a: edited/" "$1"\n',
      { mode: 0o755 },
    );
    expect(await kubectl('edit fn changed', { env: { KUBE_EDITOR: editor } })).toContain(
      'function.kappa.dev/changed edited',
    );
    expect((await json('get fn changed')).spec.timeoutSeconds).toBe(30);
    await kubectl('edit cm changed', { env: { KUBE_EDITOR: editor } });
    expect((await json('get cm changed')).data.a).toBe('edited');
  });

  test('replace', async () => {
    const object = await json('get cm changed');
    await kubectl('replace -f -', { input: JSON.stringify({ ...object, data: { z: '9' } }) });
    expect((await json('get cm changed')).data).toEqual({ z: '9' });
  });

  test('scale', async () => {
    expect(await kubectl('scale fn/changed --replicas=3')).toContain('scaled');
    expect((await json('get fn changed')).spec.concurrency.provisioned).toBe(3);
    const wrong = ['-n', cluster.namespace, 'scale', 'fn/changed', '--replicas=4', '--current-replicas=9'];
    expect((await cluster.kubectl.run(wrong)).stderr).toContain('Expected replicas to be 9, was 3');
  });
});

describe('waiting', () => {
  test('for a condition', async () => {
    await kubectl('apply -f -', { input: functionYaml('awaited') });
    const waiting = kubectl('wait fn/awaited --for=condition=Ready --timeout=30s');
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'R',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await cluster.api.ok('PATCH', `${cluster.path('kappa.dev/v1alpha1', 'functions', 'awaited')}/status`, {
      body: { status: { conditions: [condition] } },
      contentType: 'application/merge-patch+json',
    });
    expect(await waiting).toBe('function.kappa.dev/awaited condition met\n');
    expect(await kubectl('wait fn/awaited --for=jsonpath={.spec.runtime}=nodejs24.x --timeout=30s')).toContain(
      'condition met',
    );
  });

  test('for something to be made', async () => {
    const waiting = kubectl('wait fn/expected --for=create --timeout=30s');
    await kubectl('apply -f -', { input: functionYaml('expected') });
    expect(await waiting).toContain('condition met');
  });

  test('for deletion, and not for ever', async () => {
    await kubectl('apply -f -', { input: functionYaml('leaving') });
    const early = await cluster.kubectl.run([
      '-n',
      cluster.namespace,
      'wait',
      'fn/leaving',
      '--for=delete',
      '--timeout=1s',
    ]);
    expect(early.stderr).toContain('timed out waiting for the condition');
    const waiting = kubectl('wait fn/leaving --for=delete --timeout=30s');
    expect(await kubectl('delete fn leaving')).toMatch(/^function\.kappa\.dev "leaving" deleted/);
    await waiting;
  });
});

describe('deleting', () => {
  test('by file, by label, by name with a wait', async () => {
    const input = configMapYaml('doomed', {});
    await kubectl('create -f -', { input });
    expect(await kubectl('delete -f -', { input })).toMatch(/^configmap "doomed" deleted/);
    await kubectl('create -f -', { input: podYaml('doomed') });
    expect(await kubectl('delete pods -l app=doomed')).toMatch(/^pod "doomed" deleted/);
    const again = await cluster.kubectl.run(['-n', cluster.namespace, 'delete', 'pod', 'doomed']);
    expect(again.stderr).toContain('Error from server (NotFound): pods "doomed" not found');
    await kubectl('delete pod doomed --ignore-not-found');
  });

  test('a pod by force', async () => {
    await kubectl('create -f -', { input: podYaml('forced') });
    await kubectl('delete pod forced --force --grace-period=0');
    expect((await cluster.kubectl.run(['-n', cluster.namespace, 'get', 'pod', 'forced'])).code).toBe(1);
  });
});
