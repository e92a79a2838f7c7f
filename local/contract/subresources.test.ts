import { describe, expect, test } from '@jest/globals';
import { type Json, patchTypes } from './api.ts';
import { makeCrd, useCluster } from './cluster.ts';
import { eventually } from './eventually.ts';

const crd = makeCrd(
  'parts',
  {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { replicas: { type: 'integer', minimum: 0 }, text: { type: 'string' } } },
      status: {
        type: 'object',
        properties: {
          replicas: { type: 'integer' },
          selector: { type: 'string' },
          state: { type: 'string', enum: ['A', 'B'] },
        },
      },
    },
  },
  {
    version: {
      subresources: {
        status: {},
        scale: {
          specReplicasPath: '.spec.replicas',
          statusReplicasPath: '.status.replicas',
          labelSelectorPath: '.status.selector',
        },
      },
    },
  },
);
const cluster = useCluster({ crds: [crd] });
const apiVersion = `${crd.spec.group}/v1`;
const at = (name: string): string => cluster.path(apiVersion, 'widgets', name);

const make = (name: string, spec: Json = { replicas: 2 }, more: Json = {}): Promise<Json> =>
  cluster.api.ok('POST', cluster.path(apiVersion, 'widgets'), {
    body: { apiVersion, kind: 'Widget', metadata: { name }, spec, ...more },
  });

describe('status of a custom resource', () => {
  test('is not taken at creation, nor by an ordinary update', async () => {
    const made = await make('no-status', {}, { status: { state: 'A' } });
    expect(made.status).toBeUndefined();
    const updated = await cluster.api.ok('PUT', at('no-status'), { body: { ...made, status: { state: 'A' } } });
    expect(updated.status).toBeUndefined();
  });

  test('its own door takes the status and leaves the rest', async () => {
    const made = await make('status');
    const body = {
      ...made,
      metadata: { ...made.metadata, labels: { not: 'taken' } },
      spec: { replicas: 9 },
      status: { state: 'A' },
    };
    const updated = await cluster.api.ok('PUT', `${at('status')}/status`, { body });
    expect(updated).toMatchObject({ spec: { replicas: 2 }, status: { state: 'A' } });
    expect(updated.metadata.labels).toBeUndefined();
    expect(updated.metadata.generation).toBe(made.metadata.generation);
  });

  test('it can be patched, and is validated', async () => {
    await make('status-patch');
    const patch = (status: Json) =>
      cluster.api.send('PATCH', `${at('status-patch')}/status`, { body: { status }, contentType: patchTypes.merge });
    expect((await patch({ state: 'B' })).body.status).toEqual({ state: 'B' });
    expect(await patch({ state: 'C' })).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('status.state: Unsupported value: "C": supported values: "A", "B"') },
    });
  });

  test('reading it gives the whole object', async () => {
    await make('status-read');
    expect(await cluster.api.ok('GET', `${at('status-read')}/status`)).toMatchObject({
      kind: 'Widget',
      spec: { replicas: 2 },
    });
  });
});

describe('generation', () => {
  test('counts changes of the spec only', async () => {
    const made = await make('counted');
    expect(made.metadata.generation).toBe(1);
    const patch = (body: Json): Promise<Json> =>
      cluster.api.ok('PATCH', at('counted'), { body, contentType: patchTypes.merge });
    expect((await patch({ metadata: { labels: { a: 'b' } } })).metadata.generation).toBe(1);
    expect((await patch({ spec: { replicas: 3 } })).metadata.generation).toBe(2);
  });
});

describe('scale of a custom resource', () => {
  test('shows replicas and selector', async () => {
    await make('scaled', { replicas: 4 });
    await cluster.api.ok('PATCH', `${at('scaled')}/status`, {
      body: { status: { replicas: 3, selector: 'a=b' } },
      contentType: patchTypes.merge,
    });
    expect(await cluster.api.ok('GET', `${at('scaled')}/scale`)).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'scaled', namespace: cluster.namespace },
      spec: { replicas: 4 },
      status: { replicas: 3, selector: 'a=b' },
    });
  });

  test('a patch or an update of it changes the spec and the generation', async () => {
    await make('rescaled');
    const patched = await cluster.api.ok('PATCH', `${at('rescaled')}/scale`, {
      body: { spec: { replicas: 7 } },
      contentType: patchTypes.merge,
    });
    expect(patched).toMatchObject({ kind: 'Scale', spec: { replicas: 7 } });
    const put = await cluster.api.ok('PUT', `${at('rescaled')}/scale`, { body: { ...patched, spec: { replicas: 8 } } });
    expect(put.spec.replicas).toBe(8);
    const object = await cluster.api.ok('GET', at('rescaled'));
    expect(object).toMatchObject({ spec: { replicas: 8 }, metadata: { generation: 3 } });
  });

  test('a number that is not one is refused', async () => {
    await make('badly-scaled');
    const answer = await cluster.api.send('PATCH', `${at('badly-scaled')}/scale`, {
      body: { spec: { replicas: -1 } },
      contentType: patchTypes.merge,
    });
    expect(answer.status).toBe(422);
  });
});

describe('pods', () => {
  const makePod = (name: string, more: Json = {}): Promise<Json> =>
    cluster.api.ok('POST', cluster.core('pods'), {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          schedulerName: 'nobody',
          containers: [
            {
              name: 'c',
              image: 'none.invalid/none',
              resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
              resizePolicy: [
                { resourceName: 'cpu', restartPolicy: 'NotRequired' },
                { resourceName: 'memory', restartPolicy: 'NotRequired' },
              ],
            },
          ],
          ...more,
        },
      },
    });

  test('begin as Pending, with defaults filled in', async () => {
    const pod = await makePod('fresh');
    expect(pod).toMatchObject({
      status: { phase: 'Pending', qosClass: 'Burstable' },
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' },
    });
  });

  test('their status has a door of its own', async () => {
    const pod = await makePod('reported');
    const status = {
      ...pod.status,
      phase: 'Running',
      podIP: '192.0.2.9',
      podIPs: [{ ip: '192.0.2.9' }],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    };
    const updated = await cluster.api.ok('PUT', `${cluster.core('pods', 'reported')}/status`, {
      body: { ...pod, status },
    });
    expect(updated.status).toMatchObject({ phase: 'Running', podIP: '192.0.2.9' });
  });

  test('conditions merge by type', async () => {
    await makePod('conditions');
    const patch = (type: string, status: string): Promise<Json> =>
      cluster.api.ok('PATCH', `${cluster.core('pods', 'conditions')}/status`, {
        body: { status: { conditions: [{ type, status }] } },
        contentType: patchTypes.strategic,
      });
    await patch('Ready', 'False');
    await patch('example.com/a', 'True');
    const { status } = await patch('Ready', 'True');
    const byType = Object.fromEntries(status.conditions.map((one: Json) => [one.type, one.status]));
    expect(byType).toMatchObject({ Ready: 'True', 'example.com/a': 'True' });
  });

  test('resources change through resize only', async () => {
    await makePod('resized');
    const containers = [{ name: 'c', resources: { requests: { memory: '96Mi' }, limits: { memory: '256Mi' } } }];
    const direct = await cluster.api.send('PATCH', cluster.core('pods', 'resized'), {
      body: { spec: { containers } },
      contentType: patchTypes.strategic,
    });
    expect(direct).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('pod updates may not change fields other than') },
    });
    const resized = await cluster.api.ok('PATCH', `${cluster.core('pods', 'resized')}/resize`, {
      body: { spec: { containers } },
      contentType: patchTypes.strategic,
    });
    expect(resized.spec.containers[0].resources).toMatchObject({
      requests: { memory: '96Mi', cpu: '100m' },
      limits: { memory: '256Mi' },
    });
  });

  test('a request above its limit is refused', async () => {
    const containers = [
      { name: 'c', image: 'none.invalid/none', resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } },
    ];
    const status = await cluster.api.refused('POST', cluster.core('pods'), {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'greedy' }, spec: { containers } },
    });
    expect(status).toMatchObject({
      code: 422,
      message: expect.stringContaining('must be less than or equal to memory limit'),
    });
  });

  test('a pod without containers is refused', async () => {
    const status = await cluster.api.refused('POST', cluster.core('pods'), {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'empty' }, spec: { containers: [] } },
    });
    expect(status).toMatchObject({ code: 422, message: expect.stringContaining('spec.containers: Required value') });
  });

  test('a pod that no node has goes at once when deleted', async () => {
    await makePod('unscheduled');
    await cluster.api.ok('DELETE', cluster.core('pods', 'unscheduled'));
    await eventually(async () => {
      expect((await cluster.api.send('GET', cluster.core('pods', 'unscheduled'))).status).toBe(404);
    });
  });

  test('a pod on a node gets its grace, and goes when the node says so', async () => {
    await makePod('placed', { nodeName: 'contract-no-such-node', terminationGracePeriodSeconds: 7 });
    const deleted = await cluster.api.ok('DELETE', cluster.core('pods', 'placed'));
    expect(deleted).toMatchObject({
      kind: 'Pod',
      metadata: { deletionGracePeriodSeconds: 7, deletionTimestamp: expect.any(String) },
    });
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 };
    await cluster.api.send('DELETE', cluster.core('pods', 'placed'), { body });
    await eventually(async () => {
      expect((await cluster.api.send('GET', cluster.core('pods', 'placed'))).status).toBe(404);
    });
  });
});
