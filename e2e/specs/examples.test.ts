import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: true });
  for (const file of ['async.yaml', 'echo.yaml', 'layers.yaml', 'settings.yaml'])
    await kappa.kubectl.ok(['apply', '-f', example(file)]);
  await kappa.kappa(['apply', '-f', example('greeter/function.yaml')]);
  await kappa.kubectl.ok(['wait', 'fn', '--all', '--for=condition=Ready', '--timeout=30s']);
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

/** A call of a function's URL, once the gateway knows the function. */
const call = (path: string, init?: RequestInit): Promise<Response> =>
  eventually(`${path} is known`, async () => {
    const answer = await fetch(`${kappa.endpoint}/fn/default/${path}`, init);
    return answer.status === 404 ? undefined : answer;
  });

test('hello-node and hello-python greet', async () => {
  expect(await (await call('hello-node/?name=you')).json()).toMatchObject({ message: 'Hello, you!' });
  expect(await (await call('hello-python/')).text()).toMatch(/hello/i);
});

test('echo shows payload format 2.0 both ways', async () => {
  const answer = await call('echo/any/p%20ath?a=1&a=2&b=', {
    method: 'POST',
    body: 'some text',
    headers: { cookie: 'visits=2; x=y', 'content-type': 'text/plain' },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.getSetCookie()).toEqual(['visits=3; Path=/; HttpOnly', 'theme=dark; Path=/']);
  expect(await answer.json()).toMatchObject({
    text: 'some text',
    event: {
      version: '2.0',
      routeKey: '$default',
      rawPath: '/any/p%20ath',
      rawQueryString: 'a=1&a=2&b=',
      cookies: ['visits=2', 'x=y'],
      queryStringParameters: { a: '1,2', b: '' },
      requestContext: {
        accountId: '000000000000',
        stage: '$default',
        http: { method: 'POST', path: '/any/p%20ath', sourceIp: '127.0.0.1' },
      },
      body: 'some text',
      isBase64Encoded: false,
    },
  });
});

test('who waits for nothing: one function is told of what the other has given up', async () => {
  const url = `${kappa.endpoint}/2015-03-31/functions/resize/invocations`;
  const headers = { 'x-amz-invocation-type': 'Event' };
  for (const picture of ['cat.png', 'no picture']) {
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ picture }) });
    expect(answer.status).toBe(202);
  }
  const told = /kappa_gateway_invocations_total\{namespace="default",function="resize-failed"\} 1\n/;
  await eventually('it was told', async () => told.test(await kappa.metrics('gateway')));
  expect(await kappa.metrics('gateway')).toMatch(
    /async_events_dropped_total\{namespace="default",function="resize",condition="RetriesExhausted"\} 1\n/,
  );
});

test('echo takes and gives bytes', async () => {
  const picture = await call('echo/dot.gif');
  expect(picture.headers.get('content-type')).toBe('image/gif');
  expect(
    Buffer.from(await picture.arrayBuffer())
      .subarray(0, 6)
      .toString(),
  ).toBe('GIF89a');
  const bytes = new Uint8Array([0, 255, 128, 10]);
  const answer = await call('echo/', {
    method: 'POST',
    body: bytes,
    headers: { 'content-type': 'application/octet-stream' },
  });
  expect(await answer.json()).toMatchObject({
    event: { isBase64Encoded: true, body: Buffer.from(bytes).toString('base64') },
  });
});

test('echo answers a preflight by its manifest, without running', async () => {
  const headers = { origin: 'https://shop.example', 'access-control-request-method': 'POST' };
  const answer = await call('echo/', { method: 'OPTIONS', headers });
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
  expect(await answer.text()).toBe('');
});

test('settings come from a ConfigMap and a Secret', async () => {
  expect(await (await call('settings/')).json()).toEqual({
    greeting: 'Good morning',
    logLevel: 'info',
    hasToken: true,
  });
});

test('greetings imports its phrases from a layer', async () => {
  expect(await (await call('greetings/?language=it')).json()).toEqual({ message: 'Ciao from a layer!' });
});

test('greeter is a folder', async () => {
  expect(await (await call('greeter/?language=fr')).text()).toMatch(/bonjour/i);
});
