import { describe, expect, test } from '@jest/globals';
import { useCluster } from './cluster.ts';
import { columns, configMapYaml, functionYaml, jsonIn, kubectlIn } from './kubectl-input.ts';

const cluster = useCluster({ kappa: true });
const kubectl = kubectlIn(cluster);
const json = jsonIn(cluster);

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
