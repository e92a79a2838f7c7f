import { describe, expect, test } from '@jest/globals';
import { useCluster } from './cluster.ts';

const cluster = useCluster();

describe('secrets', () => {
  test('text goes in, base64 comes out', async () => {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      stringData: { a: 'hello' },
      data: { b: 'aGk=' },
    };
    const made = await cluster.api.ok('POST', cluster.core('secrets'), { body });
    expect(made).toMatchObject({ type: 'Opaque', data: { a: 'aGVsbG8=', b: 'aGk=' } });
    expect(made.stringData).toBeUndefined();
  });

  test('the type cannot be changed', async () => {
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'typed' } };
    const made = await cluster.api.ok('POST', cluster.core('secrets'), { body });
    const status = await cluster.api.refused('PUT', cluster.core('secrets', 'typed'), {
      body: { ...made, type: 'other' },
    });
    expect(status).toMatchObject({ code: 422, message: expect.stringContaining('field is immutable') });
  });
});

describe('services and endpoint slices', () => {
  test('a slice is kept as it was given', async () => {
    const body = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { generateName: 'slice-', labels: { 'kubernetes.io/service-name': 'svc' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    };
    const made = await cluster.api.ok('POST', cluster.path('discovery.k8s.io/v1', 'endpointslices'), { body });
    expect(made).toMatchObject({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'] }],
      ports: [{ port: 80 }],
    });
  });
});
