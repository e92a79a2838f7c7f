import type { Server } from 'node:http';

import { afterEach, describe, expect, test } from '@jest/globals';
import { functionUrlId } from '@kappa/crds/function-url';

import { TooManyRequests } from '../errors.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { makeServer } from '../http/server.ts';
import { noRouteHosts } from '../http-routes/route-hosts.ts';
import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import type { RoutedFunction } from '../registry/routing.ts';
import { answered, fetchOnce, httpView, listen, type Run, routed, sendRaw } from '../testing.ts';
import { functionUrlHandler } from './handler.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const id = functionUrlId({ namespace: 'default', name: 'hello', alias: null });
const cors = {
  allowOrigins: ['https://a.example'],
  allowMethods: ['GET' as const],
  allowHeaders: [],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSeconds: 0,
};
const functions: readonly RoutedFunction[] = [
  routed(),
  routed({ name: 'signed', http: httpView({ auth: 'AwsIam' }) }),
  routed({ name: 'closed', http: httpView({ auth: 'Policy' }) }),
  routed({ name: 'inner', http: null }),
  routed({ name: 'cors', http: httpView({ cors }) }),
  routed({ name: 'young', latestVersion: null, state: 'Pending' }, []),
];

async function start(run: Run): Promise<number> {
  const server = makeServer(
    {
      urlDomain: 'fn.localhost',
      routeHosts: noRouteHosts,
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      keepAliveTimeoutMs: 5000,
      lingerMs: 50,
      stallMs: 5000,
    },
    {
      invoke: () => Promise.reject(new Error('not in this test')),
      invokeStream: () => Promise.reject(new Error('not in this test')),
      httpRoute: () => Promise.reject(new Error('not in this test')),
      functionUrl: functionUrlHandler({
        authenticator: null,
        functions: {
          byName: () => undefined,
          byObject: (namespace, name) =>
            namespace === 'default' ? functions.find((fn) => fn.name === name) : undefined,
          byUrlId: (id) => {
            const fn = functions.find(({ http }) => http?.id === id);
            return fn === undefined ? undefined : { fn, url: fn.http };
          },
        },
        dispatcher: { invoke: run },
        budget: new BufferBudget(100_000_000),
        urlDomain: 'fn.localhost',
        region: 'us-east-1',
        now: () => 1_700_000_000_000,
        random: () => 0,
        stream: { windowBytes: STREAM_WINDOW_BYTES, maxBytes: 1_000_000 },
        onRefused: () => undefined,
      }),
      control: (_req, res) => res.end('control'),
      newRequestId: () => 'the-id',
      isStopping: () => false,
      onInFlight: () => undefined,
      onBug: () => undefined,
    },
  );
  servers.push(server);
  return listen(server);
}

const echo: Run = (_target, { event }) => Promise.resolve(answered(event));
const eventOf = async (port: number, options: Parameters<typeof fetchOnce>[1]) =>
  JSON.parse((await fetchOnce(port, options)).body.toString());

describe('function URL', () => {
  test('by path and by host the function sees the same path and domain', async () => {
    const port = await start(echo);
    const want = {
      rawPath: '/a%20b/c',
      rawQueryString: 'x=1',
      requestContext: {
        domainName: `${id}.lambda-url.us-east-1.fn.localhost`,
        http: { method: 'GET', sourceIp: '127.0.0.1' },
      },
    };
    expect(await eventOf(port, { path: '/fn/default/hello/a%20b/c?x=1' })).toMatchObject(want);
    expect(
      await eventOf(port, { path: '/a%20b/c?x=1', headers: { Host: `hello.default.fn.localhost:${port}` } }),
    ).toMatchObject(want);
    const byId = { path: '/a%20b/c?x=1', headers: { Host: `${id}.lambda-url.us-east-1.example.org` } };
    expect(await eventOf(port, byId)).toMatchObject(want);
  });

  test('a described answer becomes an HTTP answer', async () => {
    const port = await start(() =>
      Promise.resolve(
        answered(JSON.stringify({ statusCode: 418, headers: { 'X-A': 'b' }, cookies: ['a=1', 'b=2'], body: 'tea' })),
      ),
    );
    const reply = await fetchOnce(port, { path: '/fn/default/hello/' });
    expect(reply).toMatchObject({
      status: 418,
      headers: { 'x-a': 'b', 'set-cookie': ['a=1', 'b=2'], 'x-amzn-requestid': 'the-id' },
    });
    expect(reply.body.toString()).toBe('tea');
  });

  test('HEAD has the headers and no body', async () => {
    const port = await start(() => Promise.resolve(answered('{"statusCode":200,"body":"12345"}')));
    const reply = await fetchOnce(port, { method: 'HEAD', path: '/fn/default/hello/' });
    expect(reply).toMatchObject({ status: 200, headers: { 'content-length': '5' }, body: Buffer.alloc(0) });
  });

  test('204 and 304 have no body and no length', async () => {
    const port = await start(() => Promise.resolve(answered('{"statusCode":204,"body":"12345"}')));
    const reply = await sendRaw(port, 'GET /fn/default/hello/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(reply).toMatch(/^HTTP\/1.1 204 /);
    expect(reply).not.toMatch(/content-length/i);
    expect(reply).toMatch(/\r\n\r\n$/);
  });

  test('a function error is AWS’s 502, and headers say whose fault it is', async () => {
    const port = await start(() => Promise.resolve(answered('{}', { kind: 'error', errorType: 'Runtime.ExitError' })));
    const reply = await fetchOnce(port, { path: '/fn/default/hello/' });
    expect(reply).toMatchObject({
      status: 502,
      headers: { 'x-kappa-fault': 'function', 'x-kappa-error': 'Runtime.ExitError', 'x-amzn-requestid': 'the-id' },
    });
    expect(reply.body.toString()).toBe('{"message":"Internal Server Error"}');
  });

  test('an error type of the function’s own making cannot break the headers', async () => {
    const port = await start(() => Promise.resolve(answered('{}', { kind: 'error', errorType: 'a\r\nb: c' })));
    expect((await fetchOnce(port, { path: '/fn/default/hello/' })).headers['x-kappa-error']).toBe('Unhandled');
  });

  test('a malformed answer is 502 and says what is wrong; nothing of it is sent', async () => {
    const port = await start(() =>
      Promise.resolve(answered('{"statusCode":200,"headers":{"a":"b\\r\\nSet-Cookie: x=y"},"body":"no"}')),
    );
    const reply = await sendRaw(port, 'GET /fn/default/hello/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(reply).toMatch(/^HTTP\/1.1 502 /);
    expect(reply).toContain('x-kappa-error-message: header "a" is not valid');
    expect(reply).not.toMatch(/set-cookie/i);
  });

  test.each<[reason: string, path: string, status: number, text: RegExp]>([
    ['unknown function', '/fn/default/nobody/', 404, /there is no function nobody in namespace default/],
    ['unknown namespace', '/fn/other/hello/', 404, /no function hello in namespace other/],
    ['no URL', '/fn/default/inner/', 404, /has no URL: its spec.http is not set/],
    ['only signed requests', '/fn/default/signed/', 403, /Forbidden/],
    ['nobody is let in by the policy', '/fn/default/closed/', 403, /^Forbidden\. For troubleshooting Function URL/],
    ['an alias that is not there', '/fn/default/hello:live/', 404, /alias live of function hello .* has no URL/],
    ['no version yet', '/fn/default/young/', 503, /state: Pending/],
  ])('refuses: %s', async (_reason, path, status, text) => {
    const port = await start(() => Promise.reject(new Error('ran')));
    const reply = await fetchOnce(port, { path });
    expect(reply.status).toBe(status);
    expect(JSON.parse(reply.body.toString()).Message).toMatch(text);
    expect(reply.headers['x-amzn-requestid']).toBe('the-id');
  });

  test('a loop of calls ends with the seventeenth run; each finds its trace id among its headers', async () => {
    const port = await start((_target, { event, traceId }) => {
      expect(JSON.parse(event.toString()).headers['x-amzn-trace-id']).toBe(traceId);
      return Promise.resolve(answered(JSON.stringify(traceId)));
    });
    const headers: Record<string, string> = { 'X-Amzn-Trace-Id': 'Root=1-2-3;Sampled=0' };
    for (let run = 0; run < 16; run += 1) {
      const reply = await fetchOnce(port, { path: '/fn/default/hello/', headers });
      headers['X-Amzn-Trace-Id'] = JSON.parse(reply.body.toString());
    }
    expect(headers['X-Amzn-Trace-Id']).toBe('Root=1-2-3;Sampled=0;Lineage=0b9ba47a:15');
    const reply = await fetchOnce(port, { path: '/fn/default/hello/', headers });
    expect(reply).toMatchObject({ status: 400, headers: { 'x-amzn-errortype': 'RecursiveInvocationException' } });
    expect(JSON.parse(reply.body.toString()).Message).toMatch(/is called in a loop: it has run 16 times/);
  });

  test('a throttle is 429 with Retry-After', async () => {
    const port = await start(() => Promise.reject(new TooManyRequests('ConcurrentInvocationLimitExceeded')));
    expect(await fetchOnce(port, { path: '/fn/default/hello/' })).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
    });
  });

  test('a body whose event is above the limit is 413', async () => {
    const port = await start(echo);
    const options = { method: 'POST', path: '/fn/default/hello/', headers: { 'content-type': 'image/png' } };
    expect((await fetchOnce(port, { ...options, body: Buffer.alloc(5_000_000) })).status).toBe(413);
    expect((await fetchOnce(port, { ...options, body: Buffer.alloc(6_291_557) })).status).toBe(413);
    expect((await fetchOnce(port, { ...options, body: Buffer.alloc(4_000_000) })).status).toBe(200);
  });

  test('a preflight is answered without the function', async () => {
    const port = await start(() => Promise.reject(new Error('ran')));
    const headers = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'GET' };
    const reply = await fetchOnce(port, { method: 'OPTIONS', path: '/fn/default/cors/', headers });
    expect(reply).toMatchObject({
      status: 200,
      headers: { 'access-control-allow-origin': 'https://a.example', 'access-control-allow-methods': 'GET' },
    });
  });

  test('errors have CORS headers too, so that a page can read them', async () => {
    const port = await start(() => Promise.reject(new TooManyRequests('ConcurrentInvocationLimitExceeded')));
    const reply = await fetchOnce(port, { path: '/fn/default/cors/', headers: { Origin: 'https://a.example' } });
    expect(reply).toMatchObject({ status: 429, headers: { 'access-control-allow-origin': 'https://a.example' } });
  });

  test('OPTIONS without CORS goes to the function', async () => {
    const port = await start(echo);
    expect((await eventOf(port, { method: 'OPTIONS', path: '/fn/default/hello/' })).requestContext.http.method).toBe(
      'OPTIONS',
    );
  });
});
