import { afterAll, describe, expect, test } from '@jest/globals';
import { type Json, patchTypes } from './api.ts';
import { useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const made: string[] = [];
// Before the server is let go: hooks run in the order in which they are written.
afterAll(async () => {
  for (const name of made) await cluster.api.send('DELETE', `/api/v1/nodes/${name}`);
});

const cluster = useCluster();

async function makeNode(more: Json = {}): Promise<Json> {
  const name = `${cluster.namespace}-n${made.length}`;
  made.push(name);
  return cluster.api.ok('POST', '/api/v1/nodes', {
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'topology.kubernetes.io/zone': 'z1' } },
      ...more,
    },
  });
}

const condition = (status: string): Json => ({
  type: 'Ready',
  status,
  reason: 'R',
  message: '',
  lastHeartbeatTime: '2026-01-01T00:00:00Z',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

describe('nodes', () => {
  test('are outside of namespaces and report through their status', async () => {
    const { metadata } = await makeNode({ spec: { taints: [{ key: 'contract', effect: 'NoSchedule' }] } });
    const status = {
      capacity: { cpu: '2', memory: '4Gi', pods: '110' },
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      conditions: [condition('True')],
    };
    const updated = await cluster.api.ok('PATCH', `/api/v1/nodes/${metadata.name}/status`, {
      body: { status },
      contentType: patchTypes.strategic,
    });
    expect(updated.status).toMatchObject({ capacity: { memory: '4Gi' }, addresses: [{ address: '192.0.2.1' }] });
    const [header, line] = (await cluster.kubectl.ok(['get', 'node', metadata.name])).split('\n');
    expect(header?.split(/\s+/)).toEqual(expect.arrayContaining(['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION']));
    expect(line).toMatch(new RegExp(`^${metadata.name} +(Ready|NotReady)`));
  });

  test('another ready condition replaces the one of its type', async () => {
    const { metadata } = await makeNode();
    const report = (status: string): Promise<Json> =>
      cluster.api.ok('PATCH', `/api/v1/nodes/${metadata.name}/status`, {
        body: { status: { conditions: [condition(status)] } },
        contentType: patchTypes.strategic,
      });
    await report('True');
    const { status } = await report('False');
    expect(status.conditions.filter((one: Json) => one.type === 'Ready')).toHaveLength(1);
    expect(status.conditions[0].status).toBe('False');
  });
});

describe('pods of a node', () => {
  const podOn = (name: string, nodeName: string): Promise<Json> =>
    cluster.api.ok('POST', cluster.core('pods'), {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { nodeName, terminationGracePeriodSeconds: 5, containers: [{ name: 'c', image: 'none.invalid/none' }] },
      },
    });

  test('are watched by field, and leave the watch when they are gone', async () => {
    const { metadata: node } = await makeNode();
    const watch = await cluster.api.watch('/api/v1/pods', { fieldSelector: `spec.nodeName=${node.name}` });
    await podOn('mine', node.name);
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'mine' } } });
    await cluster.api.ok('DELETE', cluster.core('pods', 'mine'));
    const leaving = await watch.next((event) => event.object.metadata.deletionTimestamp !== undefined);
    expect(leaving).toMatchObject({ type: 'MODIFIED', object: { metadata: { deletionGracePeriodSeconds: 5 } } });
    await cluster.api.ok('DELETE', cluster.core('pods', 'mine'), {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
    });
    await watch.next((event) => event.type === 'DELETED');
    watch.close();
  });

  test('a pod that has ended can be deleted like any other', async () => {
    const { metadata: node } = await makeNode();
    const pod = await podOn('ended', node.name);
    await cluster.api.ok('PUT', `${cluster.core('pods', 'ended')}/status`, {
      body: { ...pod, status: { ...pod.status, phase: 'Succeeded' } },
    });
    await cluster.api.ok('DELETE', cluster.core('pods', 'ended'));
    await eventually(async () => {
      expect((await cluster.api.send('GET', cluster.core('pods', 'ended'))).status).toBe(404);
    });
  });
});
