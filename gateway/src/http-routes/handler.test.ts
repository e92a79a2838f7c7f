import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Outcome } from '../dispatch/types.ts';
import { TooManyRequests } from '../errors.ts';
import { answered, fetchOnce, until } from '../testing.ts';
import { guarded, RouteRig, requestId, shown } from './testing-rig.ts';

let rig: RouteRig;
beforeEach(async () => {
  rig = await RouteRig.start();
});
afterEach(() => rig.stop());

const cors = {
  allowOrigins: ['https://a.example'],
  allowMethods: ['GET' as const, 'DELETE' as const],
  allowHeaders: ['authorization'],
  exposeHeaders: ['x-b'],
  allowCredentials: false,
  maxAgeSeconds: 60,
};
const fromPage = { origin: 'https://a.example' };
const preflight = { ...fromPage, 'access-control-request-method': 'GET' };

describe('requests and answers', () => {
  test('a route answers, by the path of its namespace and by its host', async () => {
    rig.serve({ path: '/pets/{id}' }, { path: '/pets', host: 'shop.example.com' });
    const reply = await rig.get('/pets/7?a=1');
    expect(reply.status).toBe(200);
    expect(reply.body.toString()).toBe('hello');
    expect(reply.headers).toMatchObject({ 'content-type': 'text/plain', 'x-amzn-requestid': requestId });
    const byHost = await fetchOnce(rig.port, { path: '/pets', headers: { host: `Shop.example.com:${rig.port}` } });
    expect(byHost.status).toBe(200);
    expect(rig.ran.map(({ event }) => [event.rawPath, event.requestContext.domainName])).toEqual([
      ['/pets/7', '127.0.0.1'],
      ['/pets', 'shop.example.com'],
    ]);
    expect(rig.ran[0]?.target.functionObjectName).toBe('hello');
  });

  test('bytes, cookies and values of many both ways', async () => {
    rig.serve({ payloadFormat: '1.0', methods: ['POST'] });
    const answer = {
      statusCode: 201,
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      headers: { 'content-type': 'image/gif' },
      body: 'AP8=',
      isBase64Encoded: true,
    };
    rig.hello = () => answered(JSON.stringify(answer));
    const reply = await rig.get('/pets', { cookie: 'c=3' }, 'POST', Buffer.from([255, 0]));
    expect(reply.status).toBe(201);
    expect(reply.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(reply.body).toEqual(Buffer.from([0, 255]));
    expect(rig.ran[0]?.event).toMatchObject({
      body: '/wA=',
      isBase64Encoded: true,
      multiValueHeaders: { cookie: ['c=3'] },
    });
    expect(rig.budget.usedBytes).toBe(0);
  });

  test('HEAD has headers and no body', async () => {
    rig.serve({});
    const reply = await rig.get('/pets', {}, 'HEAD');
    expect([reply.status, reply.body.length, reply.headers['content-length']]).toEqual([200, 0, '5']);
  });

  test.each<[reason: string, path: string, method: string, want: unknown]>([
    ['another path', '/cats', 'GET', [404, { message: 'Not Found' }]],
    ['another method', '/pets', 'PUT', [404, { message: 'Not Found' }]],
    ['OPTIONS that nobody answers', '/pets', 'OPTIONS', [404, { message: 'Not Found' }]],
    ['dots', '/pets/%2e%2e/x', 'GET', [400, { message: 'Bad Request' }]],
  ])('%s: refused as API Gateway does', async (_reason, path, method, want) => {
    rig.serve({ methods: ['GET'] });
    expect(await shown(rig.get(path, {}, method))).toEqual(want);
    expect(rig.ran).toEqual([]);
    expect(rig.refusedWith).toMatchObject([{ fault: 'caller' }]);
  });

  test.each<[reason: string, answer: () => Outcome, fault: string]>([
    ['fails', () => answered('{"errorMessage":"x"}', { kind: 'error', errorType: 'TypeError' }), 'TypeError'],
    ['answers no HTTP answer', () => answered('"x"'), 'Kappa.MalformedAnswer'],
    ['answers a bad header', () => answered('{"statusCode":200,"headers":{"a b":"c"}}'), 'Kappa.MalformedAnswer'],
  ])('a function that %s is 502', async (_reason, answer, fault) => {
    rig.serve({ payloadFormat: '1.0' });
    rig.hello = answer;
    const reply = await rig.get('/pets');
    expect([reply.status, JSON.parse(reply.body.toString())]).toEqual([502, { message: 'Internal Server Error' }]);
    expect(reply.headers).toMatchObject({ 'x-kappa-fault': 'function', 'x-kappa-error': fault });
  });

  test('what the platform refuses', async () => {
    rig.serve({});
    rig.hello = () => Promise.reject(new TooManyRequests('ConcurrentInvocationLimitExceeded'));
    const reply = await rig.get('/pets');
    expect([reply.status, JSON.parse(reply.body.toString())]).toEqual([429, { message: 'Too Many Requests' }]);
    expect(reply.headers['retry-after']).toBe('1');
    const large = await rig.get('/pets', {}, 'POST', Buffer.alloc(6_291_557));
    expect([large.status, JSON.parse(large.body.toString())]).toEqual([413, { message: 'Request Entity Too Large' }]);
    expect(rig.budget.usedBytes).toBe(0);
  });

  test('a change of the routes loses no request under way', async () => {
    rig.serve({ payloadFormat: '1.0' });
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    rig.hello = () => promise;
    const before = rig.get('/pets');
    await until(() => rig.ran.length === 1);
    rig.serve({ path: '/cats' });
    expect((await rig.get('/pets')).status).toBe(404);
    resolve(answered('{"statusCode":202}'));
    expect((await before).status).toBe(202);
  });
});

describe('CORS', () => {
  test('a preflight is answered by the gateway, before anybody is asked', async () => {
    rig.serve({ methods: ['GET'], cors, ...guarded() });
    const reply = await rig.get('/pets', preflight, 'OPTIONS');
    expect([reply.status, reply.body.length]).toEqual([204, 0]);
    expect(reply.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET,DELETE',
      'access-control-allow-headers': 'authorization',
      'access-control-max-age': '60',
    });
    expect(rig.ran).toEqual([]);
  });

  test('without cors a preflight is the function’s, where it answers OPTIONS', async () => {
    rig.serve({ methods: ['GET', 'OPTIONS'] });
    expect((await rig.get('/pets', preflight, 'OPTIONS')).status).toBe(200);
  });

  test('answers and refusals have its headers; what the function says is replaced', async () => {
    rig.serve({ methods: ['GET'], cors, ...guarded() });
    rig.hello = () => answered('{"statusCode":200,"headers":{"access-control-allow-origin":"*"}}');
    const good = await rig.get('/pets', { ...fromPage, authorization: 'x' });
    expect(good.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-expose-headers': 'x-b',
    });
    const bad = await rig.get('/pets', fromPage);
    expect([bad.status, bad.headers['access-control-allow-origin']]).toEqual([401, 'https://a.example']);
    const other = await rig.get('/pets', { origin: 'https://b.example', authorization: 'x' });
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('throttle', () => {
  const throttle = { ratePerSecond: 10, burst: 2 };
  const status = async (path = '/pets'): Promise<number> => (await rig.get(path)).status;

  test('a burst, then the rate; other routes go on', async () => {
    rig.serve({ throttle }, { path: '/cats' });
    expect([await status(), await status(), await status()]).toEqual([200, 200, 429]);
    expect(await shown(rig.get('/pets'))).toEqual([429, { message: 'Too Many Requests' }]);
    expect(await status('/cats')).toBe(200);
    rig.nowMs += 100;
    expect([await status(), await status()]).toEqual([200, 429]);
  });

  test('what is throttled asks no authorizer', async () => {
    rig.serve({ throttle: { ratePerSecond: 1, burst: 1 }, ...guarded({ identitySource: [] }) });
    expect([await status(), await status()]).toEqual([200, 429]);
    expect(rig.ran).toHaveLength(2);
  });

  test('gateways share it', async () => {
    rig.gateways = 4;
    rig.serve({ throttle });
    expect([await status(), await status()]).toEqual([200, 429]);
    rig.nowMs += 100;
    expect(await status()).toBe(429);
    rig.nowMs += 300;
    expect(await status()).toBe(200);
  });
});
