import { createRequire } from 'node:module';

import { LambdaClient, PutFunctionRecursionConfigCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Functions that call each other until somebody stops them: by the AWS SDK, which hands the trace id on by itself, and by plain HTTP.
 */

/** Calls the next function of the ring and waits for it; answers what the last one has answered, or what stopped it. */
const bySdk = `
import { createRequire } from 'node:module';
const { InvokeCommand, LambdaClient } = createRequire(import.meta.url)(process.env.SDK);
const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
const client = new LambdaClient({ endpoint: process.env.ENDPOINT, region: 'us-east-1', credentials, maxAttempts: 1 });
export const handler = async ({ ring, until, run = 1 }) => {
  if (run === until) return { runs: run };
  try {
    const Payload = JSON.stringify({ ring, until, run: run + 1 });
    const answer = await client.send(new InvokeCommand({ FunctionName: ring[run % ring.length], Payload }));
    return JSON.parse(Buffer.from(answer.Payload).toString());
  } catch ({ name, message, $metadata }) {
    return { runs: run, name, message, status: $metadata?.httpStatusCode };
  }
};`;

/** The same without the SDK, which takes a second to load in each execution environment: it hands the trace id on itself. */
const byHttp = `
export const handler = async ({ ring, until, run = 1 }) => {
  if (run === until) return { runs: run };
  const url = process.env.ENDPOINT + '/2015-03-31/functions/' + ring[run % ring.length] + '/invocations';
  const headers = { 'X-Amzn-Trace-Id': process.env._X_AMZN_TRACE_ID };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ ring, until, run: run + 1 }) });
  if (answer.ok) return answer.json();
  const { Message: message } = await answer.json();
  return { runs: run, name: answer.headers.get('x-amzn-errortype'), message, status: answer.status };
};`;

/** Calls its own URL; plain HTTP clients do not hand the trace id on, so it does that itself. */
const byUrl = `
export const handler = async ({ rawQueryString }, { functionName }) => {
  const runs = Number(rawQueryString || 1);
  const url = process.env.ENDPOINT + '/fn/default/' + functionName + '/?' + (runs + 1);
  const answer = await fetch(url, { headers: { 'X-Amzn-Trace-Id': process.env._X_AMZN_TRACE_ID } });
  if (answer.ok) return answer.json();
  return { runs, status: answer.status, type: answer.headers.get('x-amzn-errortype') };
};`;

const sdk = createRequire(import.meta.url).resolve('@aws-sdk/client-lambda');
const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };

let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
}, 60_000);

const spec = () => ({
  timeoutSeconds: 120,
  environment: [
    { name: 'SDK', value: sdk },
    { name: 'ENDPOINT', value: kappa.endpoint },
  ],
});
const applyAll = (names: readonly string[], code: string) =>
  Promise.all(names.map((name) => kappa.applyReady(nodeFunction(name, code, spec()))));
const call = (ring: readonly string[], until: number, headers: Readonly<Record<string, string>> = {}) =>
  invoke(kappa.endpoint, ring[0] ?? '', { payload: { ring, until }, headers });

const stopped = (name: string, runs: number) => ({
  runs,
  name: 'RecursiveInvocationException',
  status: 400,
  message: expect.stringContaining(`function:${name} is called in a loop: it has run 16 times`),
});

async function setRecursion(FunctionName: string, RecursiveLoop: 'Allow' | 'Terminate'): Promise<void> {
  const client = new LambdaClient({ endpoint: kappa.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  await client.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop }));
  client.destroy();
}

test('with Allow a function goes on to call itself for as long as it wants', async () => {
  await kappa.applyReady(nodeFunction('echoes', bySdk, { ...spec(), recursiveLoop: 'Allow' }));
  expect((await call(['echoes'], 20)).payload).toEqual({ runs: 20 });
}, 180_000);

test('a function that calls itself by the AWS SDK runs sixteen times, and its owner can see why no more', async () => {
  await setRecursion('echoes', 'Terminate');
  const ended = await eventually('it is stopped', async () => {
    const { payload } = await call(['echoes'], 20);
    return Object(payload)['runs'] === 20 ? undefined : payload;
  });
  expect(ended).toEqual(stopped('echoes', 16));
  expect(await kappa.metrics('gateway')).toMatch(
    /^kappa_gateway_recursive_invocations_dropped_total\{namespace="default",function="echoes"\} 1$/m,
  );
  const event = await eventually('the event', async () => {
    const { items } = await kappa.kubectl.json<{ items: { reason: string }[] }>(['events']);
    return items.find(({ reason }) => reason === 'RecursiveLoopStopped');
  });
  expect(event).toMatchObject({
    type: 'Warning',
    involvedObject: { kind: 'Function', namespace: 'default', name: 'echoes' },
    message: expect.stringContaining('set spec.recursiveLoop to Allow'),
  });
  expect(await kappa.kubectl.ok(['describe', 'fn', 'echoes'])).toContain('RecursiveLoopStopped');
  expect((await call(['echoes'], 16)).payload).toEqual({ runs: 16 });
  await setRecursion('echoes', 'Allow');
  await eventually('twenty runs', async () => Object((await call(['echoes'], 20)).payload)['runs'] === 20);
  await kappa.deleteFunction('echoes');
}, 180_000);

test('of two functions that call each other each runs sixteen times, whoever hands the trace id on', async () => {
  const ring = ['ping', 'pong'];
  await applyAll(ring, byHttp);
  const headers: Record<string, string> = {};
  for (let run = 0; run < 28; run += 1) {
    const answer = await call([ring[run % 2] ?? ''], 1, headers);
    expect(answer.payload).toEqual({ runs: 1 });
    headers['x-amzn-trace-id'] = answer.headers.get('x-amzn-trace-id') ?? '';
  }
  expect((await call(ring, 99, headers)).payload).toEqual(stopped('ping', 4)); // two more runs of each
  expect((await call(ring, 3)).payload).toEqual({ runs: 3 }); // another chain is not concerned
  for (const name of ring) await kappa.deleteFunction(name);
}, 180_000);

test('a function that calls its own URL runs sixteen times', async () => {
  await kappa.applyReady(nodeFunction('round', byUrl, spec()));
  const answer = await fetch(`${kappa.endpoint}/fn/default/round/`);
  expect(await answer.json()).toEqual({ runs: 16, status: 400, type: 'RecursiveInvocationException' });
  await kappa.deleteFunction('round');
}, 180_000);

test('a chain of fifteen functions is no loop', async () => {
  const ring = Array.from({ length: 15 }, (_, at) => `link-${at}`);
  await applyAll(ring, byHttp);
  expect((await call(ring, 15)).payload).toEqual({ runs: 15 });
}, 180_000);
