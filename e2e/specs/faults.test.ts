import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

const whoAmI = `export const handler = async (e) => { await new Promise((r) => setTimeout(r, e.ms ?? 0)); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };`;
let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  await kappa.applyReady(nodeFunction('steady', whoAmI, { timeoutSeconds: 30, idleTimeoutSeconds: 600 }));
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

test('kill -9 of the controller fails no call; a new one refills the pool and takes new functions', async () => {
  const before = await invoke(kappa.endpoint, 'steady');
  await kappa.kill('controller');
  const during = await Promise.all(Array.from({ length: 10 }, () => invoke(kappa.endpoint, 'steady')));
  expect([before, ...during].every(({ status, functionError }) => status === 200 && functionError === null)).toBe(true);
  await kappa.start('controller');
  await kappa.applyReady(nodeFunction('after-controller', `export const handler = () => 'new';`));
  expect((await invoke(kappa.endpoint, 'after-controller')).payload).toBe('new');
  await eventually('the pool is full again', async () => kappa.isPoolFull('nodejs24.x'));
}, 120_000);

test('kill -9 of the gateway: its pods are adopted, not leaked', async () => {
  const before = (await invoke(kappa.endpoint, 'steady')).payload;
  await eventually('the claim is labelled', async () => (await kappa.podsOf('steady')).length > 0);
  const pods = (await kappa.podsOf('steady')).map((pod) => pod.metadata.name).sort();
  await kappa.kill('gateway');
  await kappa.start('gateway');
  const after = await eventually('it answers again', async () => {
    const answer = await invoke(kappa.endpoint, 'steady');
    return answer.status === 200 ? answer : undefined;
  });
  expect(after.isCold).toBe(false);
  expect(pods.length).toBeGreaterThan(0);
  expect(typeof before).toBe('string');
  expect((await kappa.podsOf('steady')).map((pod) => pod.metadata.name).sort()).toEqual(pods);
}, 60_000);

test('SIGTERM of the gateway lets a running call finish', async () => {
  const running = invoke(kappa.endpoint, 'steady', { payload: { ms: 2_000 } });
  await eventually('the call runs', async () => (await kappa.busyPods()) >= 1);
  await kappa.kill('gateway', 'SIGTERM');
  expect(await running).toMatchObject({ status: 200, functionError: null });
  await kappa.start('gateway');
}, 60_000);

test('the API stopped: warm calls go on, and so do first calls out of the pool', async () => {
  await kappa.applyReady(nodeFunction('first-call', `export const handler = () => 'cold and well';`));
  await eventually('the pool is full', async () => kappa.isPoolFull('nodejs24.x'));
  await invoke(kappa.endpoint, 'steady');
  await kappa.kill('api');
  try {
    for (let call = 0; call < 5; call++) {
      expect(await invoke(kappa.endpoint, 'steady')).toMatchObject({ status: 200, functionError: null });
    }
    expect(await invoke(kappa.endpoint, 'first-call')).toMatchObject({
      status: 200,
      payload: 'cold and well',
      isCold: true,
    });
  } finally {
    await kappa.start('api');
  }
  await eventually(
    'the claim is labelled afterwards',
    async () => (await kappa.podsOf('first-call')).length === 1,
    60_000,
  );
}, 120_000);

test('SIGSTOP of the API: calls do not wait for it', async () => {
  kappa.signal('api', 'SIGSTOP');
  try {
    const startMs = performance.now();
    expect(await invoke(kappa.endpoint, 'steady')).toMatchObject({ status: 200 });
    expect(performance.now() - startMs).toBeLessThan(2_000);
  } finally {
    kappa.signal('api', 'SIGCONT');
  }
});

test('kill -9 of a busy pod’s agent: its call fails as the platform’s fault, the next one is fine', async () => {
  await kappa.applyReady(nodeFunction('victim', whoAmI, { timeoutSeconds: 60 }));
  await invoke(kappa.endpoint, 'victim');
  await eventually('its pod is labelled', async () => (await kappa.podsOf('victim')).length === 1);
  const running = invoke(kappa.endpoint, 'victim', { payload: { ms: 50_000 } });
  await eventually('the call runs', async () => (await kappa.busyPods()) >= 1);
  await kappa.killAgentsOf('victim');
  const answer = await running;
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(answer.requestId).not.toBe('');
  expect(await invoke(kappa.endpoint, 'victim')).toMatchObject({ status: 200, functionError: null });
}, 60_000);

test('kill -9 of the node: pods go on, and it takes them back', async () => {
  const before = await invoke(kappa.endpoint, 'steady');
  await kappa.kill('node');
  expect(await invoke(kappa.endpoint, 'steady')).toMatchObject({ status: 200, payload: before.payload });
  await kappa.start('node');
  expect(await invoke(kappa.endpoint, 'steady')).toMatchObject({ status: 200, payload: before.payload });
  await kappa.applyReady(nodeFunction('after-node', `export const handler = () => 'new';`));
  expect((await invoke(kappa.endpoint, 'after-node')).payload).toBe('new');
}, 60_000);

test('a deleted function is gone at once, and so are its pods', async () => {
  await kappa.applyReady(nodeFunction('short-lived', whoAmI));
  await invoke(kappa.endpoint, 'short-lived');
  await eventually('its pod is labelled', async () => (await kappa.podsOf('short-lived')).length === 1);
  await kappa.kubectl.ok(['delete', 'fn', 'short-lived']);
  await eventually('404', async () => (await invoke(kappa.endpoint, 'short-lived')).status === 404);
  await eventually('no pod is left', async () => (await kappa.podsOf('short-lived')).length === 0);
}, 60_000);

test('pods of a function that was deleted while no gateway lived are removed by the controller', async () => {
  await kappa.applyReady(nodeFunction('orphaned', whoAmI));
  await invoke(kappa.endpoint, 'orphaned');
  await eventually('its pod is labelled', async () => (await kappa.podsOf('orphaned')).length === 1);
  await kappa.kill('gateway');
  await kappa.kubectl.ok(['delete', 'fn', 'orphaned']);
  await eventually('no pod is left', async () => (await kappa.podsOf('orphaned')).length === 0);
  await kappa.start('gateway');
  expect(await invoke(kappa.endpoint, 'steady')).toMatchObject({ status: 200 });
}, 60_000);

test('stopping leaves no process behind', async () => {
  const pids = await kappa.allPids();
  expect(pids.length).toBeGreaterThan(4);
  await kappa.stop();
  expect(pids.filter((pid) => kappa.isAlive(pid))).toEqual([]);
}, 60_000);
