import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry as MetricRegistry } from 'prom-client';
import { openDoor } from './auth/authenticator.ts';
import { startDispatcher } from './dispatch/dispatcher.ts';
import { makeCode, makeKeys, startAgent, type TestAgent, until } from './dispatch/testing-agent.ts';
import type { Dispatcher } from './dispatch/types.ts';
import { functionUrlHandler } from './function-url/handler.ts';
import { adminRoutes } from './http/admin-routes.ts';
import { BufferBudget } from './http/buffer-budget.ts';
import { controlApp } from './http/control-app.ts';
import { InFlight } from './http/in-flight.ts';
import { makeServer } from './http/server.ts';
import { noRouteHosts } from './http-routes/route-hosts.ts';
import { invokeHandler } from './lambda-api/invoke.ts';
import { invokeStreamHandler } from './lambda-api/invoke-stream.ts';
import { functionResolver } from './lambda-api/resolve.ts';
import { STREAM_WINDOW_BYTES } from './link/generated/frames.ts';
import { gatewayMetrics } from './metrics.ts';
import { Registry } from './registry/registry.ts';
import { fetchOnce, functionView, listen, type Reply, sendRaw, testRouting, versionView } from './testing.ts';
import { shutDown } from './wiring/shutdown.ts';

const source = `
export const handler = async (event) => {
  const ask = event.requestContext ? (event.queryStringParameters ?? {}) : event;
  if (ask.throw) throw new TypeError('thrown on purpose');
  if (ask.sleepMs) await new Promise((resolve) => setTimeout(resolve, Number(ask.sleepMs)));
  if (ask.fill) return 'y'.repeat(Number(ask.fill));
  if (ask.split) return { statusCode: 200, headers: { 'x-a': 'b\\r\\nset-cookie: c=d' }, body: 'no' };
  if (event.requestContext) return { statusCode: 201, cookies: ['a=1', 'b=2'], headers: { 'content-type': 'text/plain' }, body: event.rawPath };
  console.log('handled');
  return { got: event };
};
`;

/** Real HTTP, real dispatch, a real agent with the Node.js runtime; only the Kubernetes API is left out. */
const budget = new BufferBudget(64 * 1024 * 1024);
const inFlight = new InFlight();
const metricRegistry = new MetricRegistry();
let agent: TestAgent;
let dispatcher: Dispatcher;
let server: ReturnType<typeof makeServer>;
let port: number;
let isStopping = false;

beforeAll(async () => {
  const keys = makeKeys();
  const code = await makeCode({ 'index.mjs': source });
  agent = await startAgent(keys);
  const metrics = gatewayMetrics(metricRegistry, {
    dispatch: () => dispatcher.stats(),
    ring: () => null,
    inFlight: () => inFlight.count,
    bufferedBytes: () => budget.usedBytes,
    entries: () => ({ ...registry.stats() }),
    isRegistered: (key) => registry.has(key),
  });
  const after = (ms: number, then: () => void) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  };
  dispatcher = startDispatcher({
    identity: { gatewayId: 'gateway', epoch: 1, signingKey: keys.privateKey },
    cluster: {
      claimed: () => undefined,
      wantPods: () => undefined,
      awaited: () => undefined,
      reclaimed: () => undefined,
    },
    observer: metrics.observer,
    code: async () => code.zip,
    clock: {
      nowMs: () => performance.now(),
      after,
      every: (ms, then) => {
        const timer = setInterval(then, ms);
        return () => clearInterval(timer);
      },
      soon: (then) => void setImmediate(then),
    },
    zone: 'a',
    linkPort: 9100,
    limits: { tickMs: 10 },
  });
  const registry = new Registry({
    routing: testRouting,
    dispatcher,
    holdMs: 500,
    startWaitMs: 1000,
    now: () => performance.now(),
    schedule: after,
    defer: (then) => void setImmediate(then),
  });
  const { codeSha256, codeBytes } = code;
  registry.setVersion('default/hello-aaaaaaaaaa', versionView({ codeSha256, codeBytes, timeoutSeconds: 10 }));
  registry.setFunction('default/hello', functionView());
  registry.markSynced();
  const shared = { dispatcher, budget, now: Date.now, onRefused: () => undefined };
  const { region, arnOf } = testRouting;
  const resolve = functionResolver({
    functions: registry,
    region,
    defaultAccountId: '000000000000',
    arnOf,
    random: () => 0,
  });
  const stream = { windowBytes: STREAM_WINDOW_BYTES, maxBytes: 20_000_000 };
  server = makeServer(
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
      invoke: invokeHandler({
        ...shared,
        authenticator: openDoor,
        resolve,
        accept: () => Promise.reject(new Error('no queue')),
      }),
      invokeStream: invokeStreamHandler({ ...shared, authenticator: openDoor, resolve, stream }),
      httpRoute: () => Promise.reject(new Error('not in this test')),
      functionUrl: functionUrlHandler({
        ...shared,
        authenticator: null,
        functions: registry,
        urlDomain: 'fn.localhost',
        region,
        random: () => 0,
        stream,
      }),
      control: controlApp({
        admin: adminRoutes({
          notReadyBecause: () => (isStopping ? ['stopping'] : []),
          metrics: async () => ({ contentType: metricRegistry.contentType, text: await metricRegistry.metrics() }),
        }),
        blobs: null,
        code: null,
        lambdaApi: null,
        onError: () => undefined,
      }),
      newRequestId: randomUUID,
      isStopping: () => isStopping,
      onInFlight: (change) => inFlight.change(change),
      onBug: (err) => {
        throw err;
      },
    },
  );
  port = await listen(server);
  dispatcher.onPod(agent.key, agent.pod);
});

afterAll(async () => {
  await agent.stop();
});

const path = '/2015-03-31/functions/hello/invocations';
const invoke = (event: unknown, headers = {}): Promise<Reply> =>
  fetchOnce(port, { method: 'POST', path, headers, body: JSON.stringify(event) });
const whenQuiet = () =>
  until(
    () => dispatcher.stats().slots.idle === 1 && inFlight.count === 0 && budget.usedBytes === 0,
    () => JSON.stringify({ ...dispatcher.stats(), held: budget.usedBytes, inFlight: inFlight.count }),
  );

test('Invoke: cold, then warm, with the tail of the log', async () => {
  expect((await invoke({ a: 1 })).body.toString()).toBe('{"got":{"a":1}}');
  const reply = await invoke({}, { 'X-Amz-Log-Type': 'Tail' });
  expect(reply).toMatchObject({ status: 200, headers: { 'x-amz-executed-version': '$LATEST' } });
  const tail = Buffer.from(String(reply.headers['x-amz-log-result']), 'base64').toString();
  expect(tail).toContain(`START RequestId: ${reply.headers['x-amzn-requestid']} Version: $LATEST`);
  expect(tail).toMatch(/handled[\s\S]*REPORT RequestId/);
});

test('Invoke: an exception is 200 with the error object', async () => {
  const reply = await invoke({ throw: true });
  expect(reply).toMatchObject({ status: 200, headers: { 'x-amz-function-error': 'Unhandled' } });
  expect(JSON.parse(reply.body.toString())).toMatchObject({
    errorType: 'TypeError',
    errorMessage: 'thrown on purpose',
  });
});

test('function URL: both ways, by path and by host', async () => {
  const want = { status: 201, headers: { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] } };
  const byPath = await fetchOnce(port, { path: '/fn/default/hello/deep/path' });
  expect([byPath, byPath.body.toString()]).toMatchObject([want, '/deep/path']);
  expect(await fetchOnce(port, { path: '/', headers: { Host: 'hello.default.fn.localhost' } })).toMatchObject(want);
});

test('function URL: what would split the answer is 502', async () => {
  const reply = await fetchOnce(port, { path: '/fn/default/hello/?split=1' });
  expect(reply).toMatchObject({ status: 502, headers: { 'x-kappa-fault': 'function' } });
  expect(reply.headers['set-cookie']).toBeUndefined();
});

test('large events and answers pass whole, a byte more does not', async () => {
  const event = { pad: 'x'.repeat(6_000_000) };
  expect((await invoke(event)).body.length).toBeGreaterThan(6_000_000);
  expect((await invoke({ fill: 6_291_554 })).body.length).toBe(6_291_556);
  const tooLarge = await invoke({ fill: 6_291_555 });
  expect(tooLarge.headers['x-amz-function-error']).toBe('Unhandled');
  expect(JSON.parse(tooLarge.body.toString()).errorType).toBe('Function.ResponseSizeTooLarge');
});

test('callers that go away in the middle leave nothing behind', async () => {
  const body = JSON.stringify({ sleepMs: 50 });
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await until(
    () => dispatcher.stats().slots.busy === 1,
    () => JSON.stringify(dispatcher.stats()),
  );
  socket.destroy();
  await whenQuiet();
  expect((await invoke(1)).status).toBe(200);
});

test('the numbers tell what happened', async () => {
  await whenQuiet();
  const text = (await fetchOnce(port, { path: '/metrics' })).body.toString();
  const value = (line: string) =>
    Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.slice(line.length + 1),
    );
  const fn = 'namespace="default",function="hello"';
  const count = value(`kappa_gateway_invocations_total{${fn}}`);
  expect(count).toBeGreaterThan(5);
  expect(value(`kappa_gateway_duration_seconds_count{${fn}}`)).toBe(count);
  expect(value(`kappa_gateway_duration_seconds_bucket{${fn},le="+Inf"}`)).toBe(count);
  expect(value(`kappa_gateway_cold_starts_total{${fn}}`)).toBe(1);
  expect(value(`kappa_gateway_errors_total{${fn},fault="function"}`)).toBeGreaterThanOrEqual(2);
  expect(value('kappa_gateway_wait_seconds_count{start="cold"}')).toBe(1);
  expect(value('kappa_gateway_init_seconds_count')).toBe(1);
  expect(value('kappa_gateway_slots{state="idle"}')).toBe(1);
  expect(value('kappa_gateway_pods{pool="nodejs24.x",state="claimed"}')).toBe(1);
});

test('the end: ready no more, a call in flight is answered, the connection closed, then nobody is served', async () => {
  const keptAlive = sendRaw(port, `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{"sleepMs":300}`);
  await until(
    () => dispatcher.stats().slots.busy === 1,
    () => JSON.stringify(dispatcher.stats()),
  );
  const steps: string[] = [];
  await shutDown(
    {
      failReadiness: () => {
        isStopping = true;
      },
      leaveRing: () => undefined,
      closeServer: () => void server.close(),
      whenAnswered: () => inFlight.whenIdle(),
      drain: async (signal) => {
        steps.push(`drained with ${inFlight.count} in flight`);
        await dispatcher.drain(signal);
      },
      closeConnections: () => server.closeAllConnections(),
      stopRing: async () => undefined,
      stopWatching: () => void steps.push('blind'),
    },
    {
      lagMs: 1,
      graceMs: 10_000,
      sleep: async (ms) => {
        if (ms === 10_000) return new Promise(() => undefined);
        expect((await fetchOnce(port, { path: '/readyz' })).status).toBe(503);
      },
    },
  );
  expect(await keptAlive).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*Connection: close[\s\S]*"sleepMs":300/);
  expect(steps).toEqual(['drained with 0 in flight', 'blind']);
  await expect(fetchOnce(port, { path: '/healthz' })).rejects.toThrow(/ECONNREFUSED/);
});
