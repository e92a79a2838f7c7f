import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction, pythonFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

let kappa: TestPlatform;
const folder = mkdtempSync(join(tmpdir(), 'kappa-barriers-'));
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: true });
}, 180_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await kappa?.stop();
}, 60_000);

test('a function that nobody made is a 404 with Lambda’s text', async () => {
  const answer = await invoke(kappa.endpoint, 'nobody');
  expect(answer).toMatchObject({
    status: 404,
    payload: {
      Type: 'User',
      Message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST',
    },
  });
  expect(answer.headers.get('x-amzn-errortype')).toMatch(/^ResourceNotFoundException/);
});

test.each(['hello-node', 'hello-python'])('%s: zero → cold → warm → zero → cold', async (name) => {
  const url = `${kappa.endpoint}/fn/default/${name}/`;
  const first = await fetch(url);
  expect(first.status).toBe(200);
  expect(await first.text()).toMatch(/hello/i);
  expect((await invoke(kappa.endpoint, name)).isCold).toBe(false);
  await kappa.kubectl.ok(['patch', 'fn', name, '--type=merge', '-p', '{"spec":{"idleTimeoutSeconds":1}}']);
  await eventually('the pods are gone', async () => (await kappa.podsOf(name)).length === 0);
  const again = await invoke(kappa.endpoint, name);
  expect(again).toMatchObject({ status: 200, functionError: null, isCold: true });
});

test('by host: NAME.NAMESPACE.fn.localhost', async () => {
  const answer = await kappa.requestWithHost('hello-node.default.fn.localhost', '/a/b?x=1');
  expect(answer.statusCode).toBe(200);
});

test('twenty at once on one function are twenty pods, and nobody waits behind a busy one', async () => {
  // Each call ends only when all twenty have begun: one that waited behind another would never end.
  const source = `import { readdirSync, writeFileSync } from 'node:fs';
export const handler = async ({ barrier }) => {
  const pod = process.env.AWS_LAMBDA_LOG_STREAM_NAME.replace(/.*]/, '');
  writeFileSync(barrier + '/' + pod, '');
  while (readdirSync(barrier).length < 20) await new Promise((resolve) => setTimeout(resolve, 20));
  return pod;
};`;
  await kappa.applyReady(nodeFunction('twenty', source, { timeoutSeconds: 60 }));
  const callTwenty = async () => {
    const payload = { barrier: mkdtempSync(join(folder, 'barrier-')) };
    return Promise.all(Array.from({ length: 20 }, () => invoke(kappa.endpoint, 'twenty', { payload })));
  };
  const answers = await callTwenty();
  expect(answers.map(({ status, functionError }) => [status, functionError])).toEqual(Array(20).fill([200, null]));
  expect(new Set(answers.map(({ payload }) => payload)).size).toBe(20);
  await eventually('twenty pods are labelled', async () => (await kappa.podsOf('twenty')).length === 20);
  expect((await callTwenty()).every(({ isCold, status }) => status === 200 && !isCold)).toBe(true);
  await kappa.deleteFunction('twenty');
}, 120_000);

test('one after the other uses one pod', async () => {
  await kappa.applyReady(
    nodeFunction('sequential', `export const handler = () => process.env.AWS_LAMBDA_LOG_STREAM_NAME;`),
  );
  const streams = new Set<unknown>();
  for (let call = 0; call < 200; call++) streams.add((await invoke(kappa.endpoint, 'sequential')).payload);
  expect(streams.size).toBe(1);
  await kappa.deleteFunction('sequential');
});

test('200 scale-from-zero calls in a row, all answered', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `zero-${index}`);
  for (const [index, name] of names.entries()) {
    const make = index % 2 === 0 ? nodeFunction : pythonFunction;
    const source =
      index % 2 === 0 ? `export const handler = (e) => e;` : `def handler(event, context):\n    return event\n`;
    await kappa.applyReady(make(name, source, { idleTimeoutSeconds: 1, timeoutSeconds: 10 }));
  }
  const outcomes = new Map<string, number>();
  for (let call = 0; call < 200; call++) {
    const name = names[call % names.length] ?? '';
    await eventually(`${name} is at zero`, async () => kappa.isAtZero(name));
    const { status, functionError, isCold, payload } = await invoke(kappa.endpoint, name, { payload: { call } });
    const outcome = `${status} ${functionError} ${isCold ? 'cold' : 'warm'} ${JSON.stringify(payload) === `{"call":${call}}`}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  expect(Object.fromEntries(outcomes)).toEqual({ '200 null cold true': 200 });
}, 300_000);
