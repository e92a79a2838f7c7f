import { expect, test } from '@jest/globals';

import { isLoopback, parseConfig } from './config.ts';
import { defaultLimits } from './queue/queue-limits.ts';

test('parseConfig: everything has a default that suits local mode', () => {
  expect(parseConfig({})).toMatchObject({ host: '127.0.0.1', port: 9000, region: 'us-east-1', updateHoldMs: 2_000 });
});

test('parseConfig: the public address is the callers’ port unless it is said, without a slash at the end', () => {
  expect(parseConfig({ KAPPA_PORT: '9100' }).publicUrl).toBe('http://127.0.0.1:9100');
  expect(parseConfig({ KAPPA_PUBLIC_URL: 'https://kappa.example/' }).publicUrl).toBe('https://kappa.example');
  expect(() => parseConfig({ KAPPA_PUBLIC_URL: 'kappa.example' })).toThrow(/KAPPA_PUBLIC_URL/);
});

test('parseConfig: one error names every bad variable', () => {
  expect(() => parseConfig({ KAPPA_PORT: 'x', KAPPA_REGION: 'here', KAPPA_AUTH: 'iam' })).toThrow(
    /KAPPA_AUTH.*KAPPA_PORT.*KAPPA_REGION/,
  );
});

test.each(['0.0.0.0', '::', '10.1.2.3', 'gateway.example.com'])(
  'parseConfig: without authentication it does not listen on %s',
  (host) => {
    expect(() => parseConfig({ KAPPA_HOST: host })).toThrow(/bad configuration: KAPPA_HOST .* KAPPA_AUTH is none/);
    expect(() => parseConfig({ KAPPA_HOST: host, KAPPA_AUTH: 'none' })).toThrow(/KAPPA_AUTH is none/);
  },
);

test('parseConfig: with authentication it listens everywhere, with health and metrics apart', () => {
  const env = {
    KAPPA_HOST: '0.0.0.0',
    KAPPA_AUTH: 'sigv4',
    KAPPA_ADMIN_PORT: '9003',
    KAPPA_S3_ENDPOINT: 'http://store:7070',
  };
  expect(parseConfig(env)).toMatchObject({
    host: '0.0.0.0',
    auth: 'sigv4',
    adminPort: 9003,
    s3: { endpoint: 'http://store:7070', bucket: 'kappa-code', region: 'us-east-1' },
  });
});

test('parseConfig: what mappings may name', () => {
  expect(parseConfig({}).eventSources).toEqual({ allow: ['127.0.0.0/8', '::1'], refuse: [] });
  const env = { KAPPA_EVENT_SOURCE_ALLOW: '', KAPPA_EVENT_SOURCE_REFUSE: 'kubernetes.default.svc,fd00::/8,10.0.0.1' };
  const refuse = ['kubernetes.default.svc', 'fd00::/8', '10.0.0.1'];
  expect(parseConfig(env).eventSources).toEqual({ allow: [], refuse });
  for (const wrong of ['a b', 'a,', ',a', '10.0.0.0/8/8', 'http://a'])
    expect(() => parseConfig({ KAPPA_EVENT_SOURCE_ALLOW: wrong })).toThrow(/KAPPA_EVENT_SOURCE_ALLOW/);
});

test('parseConfig: hosts of routes are never those of the install', () => {
  expect(parseConfig({})).toMatchObject({ routeHosts: ['*.api.localhost'], privateIssuers: [] });
  const env = { KAPPA_ROUTE_HOSTS: 'a.example.com,*.apps.example.com=shop', KAPPA_PRIVATE_ISSUERS: 'http://idp:8080' };
  expect(parseConfig(env)).toMatchObject({
    routeHosts: ['a.example.com', '*.apps.example.com=shop'],
    privateIssuers: ['http://idp:8080'],
  });
  expect(parseConfig({ KAPPA_ROUTE_HOSTS: '', KAPPA_PRIVATE_ISSUERS: '*' })).toMatchObject({ routeHosts: [] });
  const url = 'https://lambda.example.com';
  for (const own of [{ KAPPA_PUBLIC_URL: url }, { KAPPA_INTERNAL_URL: url }])
    for (const hosts of ['*.example.com', 'lambda.example.com=shop'])
      expect(() => parseConfig({ ...own, KAPPA_ROUTE_HOSTS: hosts })).toThrow(/has lambda.example.com, which/);
  for (const hosts of ['A b', 'a.example.com=', 'a.example.com=Shop', '=shop'])
    expect(() => parseConfig({ KAPPA_ROUTE_HOSTS: hosts })).toThrow(/KAPPA_ROUTE_HOSTS/);
  expect(() => parseConfig({ KAPPA_PRIVATE_ISSUERS: 'http://idp/realms' })).toThrow(/KAPPA_PRIVATE_ISSUERS/);
});

test('parseConfig: bounds of code, and from where it may come', () => {
  expect(parseConfig({})).toMatchObject({
    codeLimits: { zippedBytes: 52_428_800, unpackedBytes: 262_144_000 },
    codeSources: [],
  });
  const env = { KAPPA_CODE_MAX_ZIPPED_BYTES: '1000000000', KAPPA_CODE_SOURCES: '[{}]' };
  expect(() => parseConfig(env)).toThrow(/KAPPA_CODE_MAX_ZIPPED_BYTES .* KAPPA_CODE_SOURCES\[0\]/);
});

test('parseConfig: where asynchronous events wait, and how many', () => {
  expect(parseConfig({})).toMatchObject({ redis: null, eventsFile: '.kappa/events.db', queueLimits: defaultLimits });
  const env = { KAPPA_REDIS_URL: 'rediss://redis:6380/2', KAPPA_REDIS_PASSWORD: 'secret', KAPPA_QUEUE_MIB: '3' };
  expect(parseConfig(env)).toMatchObject({
    redis: { url: 'rediss://redis:6380/2', password: 'secret' },
    queueLimits: { ...defaultLimits, bytes: 3_145_728 },
  });
  expect(() => parseConfig({ KAPPA_REDIS_URL: 'redis:6379' })).toThrow(/KAPPA_REDIS_URL/);
});

test.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost'])('parseConfig: it listens on %s', (host) => {
  expect(parseConfig({ KAPPA_HOST: host }).host).toBe(host);
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.0.0.1.example.com', false],
])('isLoopback: %s is %p', (host, want) => {
  expect(isLoopback(host)).toBe(want);
});
