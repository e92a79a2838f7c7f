import { beforeAll, describe, expect, test } from '@jest/globals';
import { useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { columns, configMapYaml, functionYaml, jsonIn, kubectlIn, podYaml } from './kubectl-input.ts';

const cluster = useCluster({ kappa: true });
const kubectl = kubectlIn(cluster);
const json = jsonIn(cluster);

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
