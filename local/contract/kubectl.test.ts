import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const cluster = useCluster({ kappa: true });
const kubectl = (args: string, options: { input?: string; env?: Record<string, string> } = {}): Promise<string> =>
  cluster.kubectl.ok(['-n', cluster.namespace, ...args.split(' ')], options);
const json = async (args: string): Promise<Json> => JSON.parse(await kubectl(`${args} -o json`));

const functionYaml = (name: string, more = ''): string => `
apiVersion: kappa.dev/v1alpha1
kind: Function
metadata:
  name: ${name}
spec:
  runtime: nodejs24.x
  handler: index.handler
  code:
    inline:
      files:
        - path: index.mjs
          content: "export const handler = async () => 'hi';"
${more}`;
const configMapYaml = (name: string, data: Record<string, string>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const podYaml = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { schedulerName: 'nobody', containers: [{ name: 'c', image: 'none.invalid/none' }] },
  });

/** The columns of a line of output; they stand at least two blanks apart. */
const columns = (line: string | undefined): string[] => (line ?? '').trim().split(/\s{2,}/);

test('kubectl is 1.35 or newer and knows the server', async () => {
  const { clientVersion, serverVersion } = JSON.parse(await kubectl('version -o json'));
  expect(Number(clientVersion.minor.replace(/\D/g, ''))).toBeGreaterThanOrEqual(35);
  expect(serverVersion.gitVersion).toMatch(/^v1\./);
});

describe('apply', () => {
  test('client-side: created, unchanged, configured', async () => {
    expect(await kubectl('apply -f -', { input: functionYaml('client') })).toBe('function.kappa.dev/client created\n');
    expect(await kubectl('apply -f -', { input: functionYaml('client') })).toBe(
      'function.kappa.dev/client unchanged\n',
    );
    const changed = functionYaml('client', '  memoryMiB: 256\n');
    expect(await kubectl('apply -f -', { input: changed })).toBe('function.kappa.dev/client configured\n');
    expect((await json('get fn client')).spec.memoryMiB).toBe(256);
    await kubectl('apply -f -', { input: functionYaml('client') });
    expect((await json('get fn client')).spec.memoryMiB).toBe(128);
  });

  test('client-side on built-in kinds removes what is left out', async () => {
    await kubectl('apply -f -', { input: configMapYaml('config', { a: '1', b: '2' }) });
    await kubectl('apply -f -', { input: configMapYaml('config', { a: '1', c: '3' }) });
    expect((await json('get cm config')).data).toEqual({ a: '1', c: '3' });
  });

  test('server-side: applied, conflict, forced', async () => {
    const apply = 'apply --server-side -f -';
    expect(await kubectl(apply, { input: functionYaml('server') })).toBe(
      'function.kappa.dev/server serverside-applied\n',
    );
    await kubectl(`${apply} --field-manager other --force-conflicts`, {
      input: functionYaml('server', '  memoryMiB: 512\n'),
    });
    const mine = { input: functionYaml('server', '  memoryMiB: 1024\n') };
    const refused = await cluster.kubectl.run(['-n', cluster.namespace, ...apply.split(' ')], mine);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Apply failed with 1 conflict: conflict with "other": .spec.memoryMiB');
    await kubectl(`${apply} --force-conflicts`, mine);
    expect((await json('get fn server')).spec.memoryMiB).toBe(1024);
  });

  test('from client-side to server-side ownership moves', async () => {
    await kubectl('apply -f -', { input: functionYaml('migrated', '  timeoutSeconds: 5\n') });
    await kubectl('apply --server-side -f -', { input: functionYaml('migrated', '  timeoutSeconds: 6\n') });
    await kubectl('apply --server-side -f -', { input: functionYaml('migrated') });
    expect((await json('get fn migrated')).spec.timeoutSeconds).toBe(3);
  });

  test('a mistake is told with field and reason', async () => {
    const input = functionYaml('broken', '  memoryMiB: 64\n');
    const { code, stderr } = await cluster.kubectl.run(['-n', cluster.namespace, 'apply', '-f', '-'], { input });
    expect(code).toBe(1);
    expect(stderr).toContain('The Function "broken" is invalid: ');
    expect(stderr).toContain(
      'spec.memoryMiB: Invalid value: 64: spec.memoryMiB in body should be greater than or equal to 128',
    );
  });

  test('an unknown field is told before anything is made', async () => {
    const input = functionYaml('misspelt', '  memory: 256\n');
    const { code, stderr } = await cluster.kubectl.run(['-n', cluster.namespace, 'apply', '-f', '-'], { input });
    expect(code).toBe(1);
    expect(stderr).toContain('unknown field "spec.memory"');
    expect((await cluster.kubectl.run(['-n', cluster.namespace, 'get', 'fn', 'misspelt'])).stderr).toContain(
      'NotFound',
    );
  });

  test('a List, both ways', async () => {
    const items = ['l1', 'l2'].map((name) => JSON.parse(configMapYaml(name, { a: '1' })));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    expect(await kubectl('apply -f -', { input })).toBe('configmap/l1 created\nconfigmap/l2 created\n');
    expect(await kubectl('apply --server-side --force-conflicts -f -', { input })).toBe(
      'configmap/l1 serverside-applied\nconfigmap/l2 serverside-applied\n',
    );
  });

  test('several documents in one file, some of them already there', async () => {
    await kubectl('apply -f -', { input: configMapYaml('d1', { a: '1' }) });
    const input = [configMapYaml('d1', { a: '1' }), configMapYaml('d2', { a: '1' }), functionYaml('d3')].join(
      '\n---\n',
    );
    expect(await kubectl('apply -f -', { input })).toBe(
      'configmap/d1 unchanged\nconfigmap/d2 created\nfunction.kappa.dev/d3 created\n',
    );
  });

  test('dry runs and diff', async () => {
    expect(await kubectl('apply --dry-run=server -f -', { input: functionYaml('dry') })).toContain(
      'created (server dry run)',
    );
    await kubectl('apply -f -', { input: configMapYaml('diffed', { a: '1' }) });
    const diff = await cluster.kubectl.run(['-n', cluster.namespace, 'diff', '-f', '-'], {
      input: configMapYaml('diffed', { a: '2' }),
    });
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/^\+ {2}a: "2"$/m);
  });
});

describe('get', () => {
  beforeAll(async () => {
    await kubectl('apply -f -', { input: functionYaml('shown') });
    await kubectl('create -f -', { input: podYaml('shown') });
  });

  test('the columns of a custom resource', async () => {
    const [header, line] = (await kubectl('get fn shown')).split('\n');
    expect(columns(header)).toEqual(['NAME', 'RUNTIME', 'STATE', 'READY', 'PODS', 'URL', 'AGE']);
    expect(columns(line).slice(0, 2)).toEqual(['shown', 'nodejs24.x']);
    const [wide] = (await kubectl('get fn shown -o wide')).split('\n');
    expect(columns(wide)).toEqual(expect.arrayContaining(['HANDLER', 'MEMORY', 'TIMEOUT']));
  });

  test('the columns of pods', async () => {
    const [header, line] = (await kubectl('get pod shown')).split('\n');
    expect(columns(header)).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']);
    expect(columns(line).slice(0, 4)).toEqual(['shown', '0/1', 'Pending', '0']);
    const [wide, wideLine] = (await kubectl('get pod shown -o wide')).split('\n');
    expect(columns(wide).slice(5)).toEqual(['IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES']);
    expect(columns(wideLine).slice(5)).toEqual(['<none>', '<none>', '<none>', '<none>']);
  });

  test('names, YAML, JSON paths, custom columns, labels', async () => {
    expect(await kubectl('get fn shown -o name')).toBe('function.kappa.dev/shown\n');
    expect(await kubectl('get fn shown -o yaml')).toMatch(
      /^apiVersion: kappa\.dev\/v1alpha1\nkind: Function\nmetadata:\n/,
    );
    expect(await kubectl('get fn shown -o jsonpath={.spec.runtime}')).toBe('nodejs24.x');
    expect(await kubectl('get fn shown -o custom-columns=R:.spec.runtime')).toBe('R\nnodejs24.x\n');
    expect(await kubectl('get pods -l app=shown --no-headers -o name')).toBe('pod/shown\n');
    expect(columns((await kubectl('get pod shown --show-labels')).split('\n')[1]).at(-1)).toBe('app=shown');
  });

  test('a category, several kinds, all namespaces', async () => {
    expect(await kubectl('get kappa -o name')).toContain('function.kappa.dev/shown');
    const both = await kubectl('get fn,pods -o name');
    expect(both).toContain('function.kappa.dev/shown');
    expect(both).toContain('pod/shown');
    const [header, line] = (
      await cluster.kubectl.ok(['get', 'fn', '-A', '--field-selector', 'metadata.name=shown'])
    ).split('\n');
    expect(columns(header)[0]).toBe('NAMESPACE');
    expect(columns(line).slice(0, 2)).toEqual([cluster.namespace, 'shown']);
  });

  test('nothing found, and a kind that is not there', async () => {
    expect((await cluster.kubectl.run(['-n', cluster.namespace, 'get', 'leases'])).stderr).toContain(
      'No resources found in',
    );
    expect((await cluster.kubectl.run(['get', 'frobs'])).stderr).toContain(
      'the server doesn\'t have a resource type "frobs"',
    );
  });

  test.each([
    'nodes',
    'namespaces',
    'events',
    'configmaps',
    'secrets',
    'serviceaccounts',
    'leases',
    'services',
    'endpointslices',
    'crds',
  ])('%s can be listed', async (plural) => {
    const { code, stderr } = await cluster.kubectl.run(['get', plural, '-A', '-o', 'wide']);
    expect({ code, stderr: stderr.replace('No resources found\n', '') }).toEqual({ code: 0, stderr: '' });
  });

  test('a watch shows changes as they come', async () => {
    const watching = cluster.kubectl.start(['-n', cluster.namespace, 'get', 'fn', '-w', '--no-headers']);
    try {
      await eventually(() => expect(watching.lines().join('\n')).toContain('shown'));
      await kubectl('apply -f -', { input: functionYaml('watched') });
      await eventually(() => expect(watching.lines().join('\n')).toMatch(/^watched +nodejs24\.x/m));
    } finally {
      await watching.stop();
    }
  });

  test('a watch of one pod from its list on', async () => {
    const watching = cluster.kubectl.start([
      '-n',
      cluster.namespace,
      'get',
      'pod',
      'shown',
      '-w',
      '--output-watch-events',
    ]);
    try {
      await eventually(() => expect(watching.lines().join('\n')).toMatch(/^ADDED +shown +0\/1 +Pending/m));
      await kubectl('label pod shown seen=yes');
      await eventually(() => expect(watching.lines().join('\n')).toMatch(/^MODIFIED +shown/m));
    } finally {
      await watching.stop();
    }
  });
});

describe('describe', () => {
  test('a custom resource with its events', async () => {
    await kubectl('apply -f -', { input: functionYaml('described') });
    const { metadata } = await json('get fn described');
    await cluster.api.ok('POST', cluster.path('events.k8s.io/v1', 'events'), {
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'described.1' },
        eventTime: new Date().toISOString().replace('Z', '000Z'),
        action: 'Testing',
        reason: 'Tested',
        note: 'It was tested.',
        type: 'Warning',
        regarding: {
          apiVersion: 'kappa.dev/v1alpha1',
          kind: 'Function',
          name: 'described',
          namespace: cluster.namespace,
          uid: metadata.uid,
        },
        reportingController: 'contract.kappa.dev/suite',
        reportingInstance: 'suite-1',
      },
    });
    const text = await kubectl('describe fn described');
    expect(text).toMatch(/^Name: +described$/m);
    expect(text).toMatch(/^ {2}Runtime: +nodejs24\.x$/m);
    expect(text).toMatch(/Warning +Tested +.*It was tested\./);
    expect(await kubectl('events --for function.kappa.dev/described')).toMatch(
      /Warning +Tested +Function\/described +It was tested\./,
    );
    expect(await kubectl('get events')).toMatch(/Tested +function\/described +It was tested\./);
  });

  test.each(['pod', 'cm', 'secret', 'sa', 'ns', 'lease'])('%s', async (kind) => {
    const makers: Record<string, string> = {
      pod: podYaml('told'),
      cm: configMapYaml('told', { a: '1' }),
      secret: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'told' }, stringData: { a: 'b' } }),
      sa: JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'told' } }),
      lease: JSON.stringify({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'told' },
        spec: { holderIdentity: 'h' },
      }),
    };
    const name = kind === 'ns' ? cluster.namespace : 'told';
    const input = makers[kind];
    if (input !== undefined) await kubectl('apply -f -', { input });
    expect(await kubectl(`describe ${kind} ${name}`)).toMatch(new RegExp(`^Name: +${name}$`, 'm'));
  });
});

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
    await kubectl('patch fn changed --subresource=status --type=merge -p {"status":{"state":"Active","pods":2}}');
    const [, line] = (await kubectl('get fn changed')).split('\n');
    expect(columns(line)).toEqual(expect.arrayContaining(['Active', '2']));
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

describe('asking about the API', () => {
  test('explain', async () => {
    const whole = await kubectl('explain fn');
    expect(whole).toMatch(/^GROUP: +kappa\.dev$/m);
    expect(whole).toMatch(/^KIND: +Function$/m);
    expect(await kubectl('explain fn.spec.memoryMiB')).toMatch(/^FIELD: memoryMiB <integer>$/m);
    expect(await kubectl('explain functions.spec --recursive')).toMatch(/runtime\t<string>/);
    expect(await kubectl('explain pod.spec.containers')).toMatch(/^FIELD: containers <\[\]/m);
  });

  test('api-resources and api-versions', async () => {
    const line = (await kubectl('api-resources --api-group=kappa.dev'))
      .split('\n')
      .find((one) => one.startsWith('functions '));
    expect(columns(line)).toEqual(['functions', 'fn', 'kappa.dev/v1alpha1', 'true', 'Function']);
    const versions = (await kubectl('api-versions')).split('\n');
    expect(versions).toEqual(
      expect.arrayContaining(['v1', 'kappa.dev/v1alpha1', 'coordination.k8s.io/v1', 'events.k8s.io/v1']),
    );
  });

  test('who am I, may I, and raw paths', async () => {
    expect(await kubectl('auth whoami -o jsonpath={.status.userInfo.groups}')).toContain('system:authenticated');
    expect((await kubectl('auth can-i create functions')).trim()).toBe('yes');
    expect(await kubectl('get --raw /readyz')).toBe('ok');
  });

  test('a namespace is made, used and deleted with a wait', async () => {
    const name = `${cluster.namespace}-made`;
    expect(await kubectl(`create namespace ${name}`)).toBe(`namespace/${name} created\n`);
    await kubectl(`create configmap inside -n ${name} --from-literal=a=b`);
    expect(await kubectl(`delete namespace ${name}`)).toContain('deleted');
    expect((await cluster.kubectl.run(['get', 'namespace', name])).stderr).toContain('NotFound');
  });

  test('create makes the common kinds', async () => {
    await kubectl('create configmap literal --from-literal=a=b');
    await kubectl('create secret generic literal --from-literal=a=b');
    await kubectl('create serviceaccount literal');
    expect((await json('get secret literal')).data).toEqual({ a: 'Yg==' });
    expect((await kubectl('create token literal')).split('.')).toHaveLength(3);
  });
});
