import { expect, test } from '@jest/globals';

import { type Authorization, makeRouteEvent, noAuthorization, type RouteRequest } from './event.ts';
import { askedRequest } from './testing.ts';

const rawHeaders = [
  ...['Host', 'kappa.example.com:9000', 'User-Agent', 'me', 'X-A', '1', 'x-a', '2', 'Cookie', 'a=1; b=2'],
  ...['Content-Type', 'text/plain', 'Connection', 'close', 'x-kappa-fault', 'x'],
];
const request = (payloadFormat: '1.0' | '2.0', over: Partial<RouteRequest> = {}): RouteRequest => ({
  ...askedRequest(
    { path: '/pets/{id}/{proxy+}', methods: ['GET'], stage: 'prod', payloadFormat },
    { path: '/prod/pets/a%20b/c/d', query: 'q=1&q=2&r=%20', rawHeaders },
  ),
  body: Buffer.from('text'),
  ...over,
});
const eventOf = (payloadFormat: '1.0' | '2.0', over: Partial<RouteRequest> = {}, by = noAuthorization): unknown =>
  JSON.parse(makeRouteEvent(request(payloadFormat, over), by).toString());

test('payload 2.0', () => {
  expect(eventOf('2.0')).toEqual({
    version: '2.0',
    routeKey: 'GET /pets/{id}/{proxy+}',
    rawPath: '/prod/pets/a%20b/c/d',
    rawQueryString: 'q=1&q=2&r=%20',
    cookies: ['a=1', 'b=2'],
    headers: {
      host: 'kappa.example.com:9000',
      'user-agent': 'me',
      'x-a': '1,2',
      cookie: 'a=1; b=2',
      'content-type': 'text/plain',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-port': '9000',
      'x-forwarded-proto': 'http',
      'x-amzn-trace-id': 'Root=1-a',
    },
    queryStringParameters: { q: '1,2', r: ' ' },
    requestContext: {
      accountId: '000000000000',
      apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
      domainName: 'kappa.example.com',
      domainPrefix: 'kappa',
      http: {
        method: 'GET',
        path: '/prod/pets/a%20b/c/d',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'me',
      },
      requestId: '11111111-2222-4333-8444-555555555555',
      routeKey: 'GET /pets/{id}/{proxy+}',
      stage: 'prod',
      time: '22/Nov/2026:01:02:03 +0000',
      timeEpoch: Date.UTC(2026, 10, 22, 1, 2, 3),
    },
    pathParameters: { id: 'a b', proxy: 'c/d' },
    body: 'text',
    isBase64Encoded: false,
  });
});

test('payload 1.0', () => {
  expect(eventOf('1.0')).toEqual({
    version: '1.0',
    resource: '/pets/{id}/{proxy+}',
    path: '/pets/a%20b/c/d',
    httpMethod: 'GET',
    headers: {
      Host: 'kappa.example.com:9000',
      'User-Agent': 'me',
      'X-A': '2',
      Cookie: 'a=1; b=2',
      'Content-Type': 'text/plain',
      'X-Amzn-Trace-Id': 'Root=1-a',
      'X-Forwarded-For': '127.0.0.1',
      'X-Forwarded-Port': '9000',
      'X-Forwarded-Proto': 'http',
    },
    multiValueHeaders: expect.objectContaining({ 'X-A': ['1', '2'], 'User-Agent': ['me'] }),
    queryStringParameters: { q: '2', r: ' ' },
    multiValueQueryStringParameters: { q: ['1', '2'], r: [' '] },
    pathParameters: { id: 'a b', proxy: 'c/d' },
    stageVariables: null,
    requestContext: expect.objectContaining({
      accountId: '000000000000',
      httpMethod: 'GET',
      identity: expect.objectContaining({ sourceIp: '127.0.0.1', userAgent: 'me', user: null }),
      path: '/prod/pets/a%20b/c/d',
      protocol: 'HTTP/1.1',
      resourcePath: '/pets/{id}/{proxy+}',
      requestTime: '22/Nov/2026:01:02:03 +0000',
      requestTimeEpoch: Date.UTC(2026, 10, 22, 1, 2, 3),
      stage: 'prod',
    }),
    body: 'text',
    isBase64Encoded: false,
  });
});

test('bytes are base64, nothing is nothing', () => {
  const bytes = { body: Buffer.from([0, 255]) };
  expect(eventOf('2.0', bytes)).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  expect(eventOf('1.0', bytes)).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  const nothing = { body: Buffer.alloc(0), query: '', rawHeaders: [] };
  expect(eventOf('2.0', nothing)).not.toHaveProperty('body');
  expect(eventOf('2.0', nothing)).not.toHaveProperty('cookies');
  expect(eventOf('2.0', nothing)).not.toHaveProperty('queryStringParameters');
  expect(eventOf('1.0', nothing)).toMatchObject({
    body: null,
    isBase64Encoded: false,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
  });
});

test('a path without parameters, at the root of its stage', () => {
  const root = (payloadFormat: '1.0' | '2.0') =>
    askedRequest({ path: '/', stage: 'prod', payloadFormat }, { path: '/prod' });
  expect(eventOf('1.0', root('1.0'))).toMatchObject({ path: '/', pathParameters: null });
  expect(eventOf('2.0', root('2.0'))).not.toHaveProperty('pathParameters');
});

test.each<[reason: string, by: Authorization, want2: unknown, want1: unknown]>([
  ['nobody', noAuthorization, undefined, undefined],
  [
    'a token',
    { kind: 'jwt', claims: { sub: 'me' }, scopes: ['a'] },
    { jwt: { claims: { sub: 'me' }, scopes: ['a'] } },
    { claims: { sub: 'me' }, scopes: ['a'] },
  ],
  [
    'a function; texts only in 1.0',
    { kind: 'lambda', principalId: 'me', context: { n: 1, yes: true, o: { a: 1 }, no: null } },
    { lambda: { n: 1, yes: true, o: { a: 1 }, no: null } },
    { principalId: 'me', n: '1', yes: 'true', o: '{"a":1}', no: null },
  ],
])('what is known by %s', (_reason, by, want2, want1) => {
  expect(Object(eventOf('2.0', {}, by)).requestContext.authorizer).toEqual(want2);
  expect(Object(eventOf('1.0', {}, by)).requestContext.authorizer).toEqual(want1);
});
