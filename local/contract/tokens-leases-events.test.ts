import { describe, expect, test } from '@jest/globals';
import type { Json } from './api.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();

const claimsOf = (token: string): Json => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('tokens', () => {
  const request = (account: string, spec: Json = {}): Promise<Json> =>
    cluster.api.ok('POST', `${cluster.core('serviceaccounts', account)}/token`, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
    });

  test('a service account gets a token that names it and ends', async () => {
    const answer = await request('default', { expirationSeconds: 600 });
    expect(answer).toMatchObject({
      kind: 'TokenRequest',
      status: { token: expect.any(String), expirationTimestamp: expect.any(String) },
    });
    const claims = claimsOf(answer.status.token);
    expect(claims.sub).toBe(`system:serviceaccount:${cluster.namespace}:default`);
    expect(claims['kubernetes.io']).toMatchObject({
      namespace: cluster.namespace,
      serviceaccount: { name: 'default' },
    });
    expect(claims.exp - claims.iat).toBe(600);
  });

  test('the token is for the audience that was asked for', async () => {
    const { status } = await request('default', { audiences: ['contract.kappa.dev'], expirationSeconds: 600 });
    expect(claimsOf(status.token).aud).toEqual(['contract.kappa.dev']);
  });

  test('it opens the door as that account', async () => {
    const { status } = await request('default', { expirationSeconds: 600 });
    const review = await cluster.api.ok('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: status.token } },
    });
    expect(review.status).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${cluster.namespace}:default`,
        groups: expect.arrayContaining(['system:serviceaccounts', 'system:authenticated']),
      },
    });
    const answer = await cluster.api.send('GET', '/version', { token: status.token });
    expect(answer.status).toBe(200);
  });

  test('a token that is none is not authenticated', async () => {
    const review = await cluster.api.ok('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'nonsense' } },
    });
    expect(review.status.authenticated ?? false).toBe(false);
  });

  test('too short a life is refused, and an account that is not there', async () => {
    const path = (account: string): string => `${cluster.core('serviceaccounts', account)}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 5 } };
    expect(await cluster.api.refused('POST', path('default'), { body })).toMatchObject({
      code: 422,
      message: expect.stringContaining('may not specify a duration less than 10 minutes'),
    });
    expect(await cluster.api.refused('POST', path('nobody'), { body: { ...body, spec: {} } })).toMatchObject({
      code: 404,
    });
  });
});

describe('leases', () => {
  const path = (name?: string): string => cluster.path('coordination.k8s.io/v1', 'leases', name);

  test('one of two that take a lease at once wins', async () => {
    const spec = {
      holderIdentity: 'nobody',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.123456Z',
      leaseTransitions: 0,
    };
    const made = await cluster.api.ok('POST', path(), {
      body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'leader' }, spec },
    });
    expect(made.spec).toEqual(spec);
    const take = (holderIdentity: string) =>
      cluster.api.send('PUT', path('leader'), { body: { ...made, spec: { ...spec, holderIdentity } } });
    const codes = (await Promise.all([take('a'), take('b')])).map((answer) => answer.status);
    expect(codes.sort()).toEqual([200, 409]);
  });

  test('a negative duration is refused', async () => {
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'negative' },
      spec: { leaseDurationSeconds: -1 },
    };
    expect(await cluster.api.refused('POST', path(), { body })).toMatchObject({
      code: 422,
      message: expect.stringContaining('spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0'),
    });
  });
});

describe('events', () => {
  const regarding = (): Json => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: 'subject',
    namespace: cluster.namespace,
  });
  const make = (name: string): Promise<Json> =>
    cluster.api.ok('POST', cluster.path('events.k8s.io/v1', 'events'), {
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name },
        eventTime: '2026-01-01T00:00:00.000000Z',
        action: 'Testing',
        reason: 'Tested',
        note: 'It was tested.',
        type: 'Normal',
        regarding: regarding(),
        reportingController: 'contract.kappa.dev/suite',
        reportingInstance: 'suite-1',
      },
    });

  test('the newer API and the older one show the same event', async () => {
    await make('both');
    const older = await cluster.api.ok('GET', cluster.core('events', 'both'));
    expect(older).toMatchObject({
      apiVersion: 'v1',
      kind: 'Event',
      reason: 'Tested',
      message: 'It was tested.',
      involvedObject: { kind: 'ConfigMap', name: 'subject' },
      reportingComponent: 'contract.kappa.dev/suite',
      reportingInstance: 'suite-1',
    });
    const newer = await cluster.api.ok('GET', cluster.path('events.k8s.io/v1', 'events', 'both'));
    expect(newer).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      note: 'It was tested.',
      regarding: { name: 'subject' },
    });
  });

  test('a series counts repetitions', async () => {
    await make('repeated');
    const patched = await cluster.api.ok('PATCH', cluster.path('events.k8s.io/v1', 'events', 'repeated'), {
      body: { series: { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' } },
      contentType: 'application/merge-patch+json',
    });
    expect(patched.series).toEqual({ count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' });
  });

  test('events of one object are selected by field', async () => {
    await make('selected');
    const { items } = await cluster.api.ok('GET', cluster.core('events'), {
      query: { fieldSelector: 'involvedObject.kind=ConfigMap,involvedObject.name=subject,reason=Tested' },
    });
    expect(items.map((one: Json) => one.metadata.name)).toContain('selected');
    const none = await cluster.api.ok('GET', cluster.core('events'), {
      query: { fieldSelector: 'involvedObject.name=nobody' },
    });
    expect(none.items).toEqual([]);
  });

  test('an event without a reporting controller is refused by the newer API', async () => {
    const status = await cluster.api.refused('POST', cluster.path('events.k8s.io/v1', 'events'), {
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'unsigned' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        action: 'A',
        reason: 'R',
        type: 'Normal',
        regarding: regarding(),
      },
    });
    expect(status).toMatchObject({ code: 422, message: expect.stringContaining('reportingController') });
  });
});
