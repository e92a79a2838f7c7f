import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

let kappa: TestPlatform;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: true });
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

test('get shows what matters, wide shows more', async () => {
  const lines = (await kappa.kubectl.ok(['get', 'fn', 'hello-node'])).split('\n');
  expect(lines[0]).toMatch(/^NAME +RUNTIME +.*READY +.*AGE/);
  expect(lines[1]).toMatch(/^hello-node +nodejs24\.x +.*True/);
  expect(await kappa.kubectl.ok(['get', 'kappa', '-A'])).toContain('pool.kappa.dev/nodejs24.x');
});

test('describe tells the URL and the conditions', async () => {
  const text = await kappa.kubectl.ok(['describe', 'fn', 'hello-node']);
  expect(text).toContain(`${kappa.endpoint}/fn/default/hello-node/`);
  expect(text).toContain('scales from zero on the first call');
});

test('logs -f follows the function’s pod: START, what it prints, END, REPORT', async () => {
  await kappa.applyReady(
    nodeFunction('prints', `export const handler = (e) => { console.log('said', e.n); return e.n; };`),
  );
  await invoke(kappa.endpoint, 'prints', { payload: { n: 1 } });
  await eventually('the claim is labelled', async () => (await kappa.podsOf('prints')).length === 1);
  const follower = kappa.kubectl.start(['logs', '-f', '-n', 'kappa-functions', '-l', 'kappa.dev/function=prints']);
  let text = '';
  follower.stdout?.on('data', (chunk) => {
    text += String(chunk);
  });
  try {
    await eventually('the past is shown', async () => text.includes('REPORT RequestId'));
    const { requestId } = await invoke(kappa.endpoint, 'prints', { payload: { n: 2 } });
    await eventually('the new call is followed', async () => text.includes(`REPORT RequestId: ${requestId}`));
    const own = text.slice(text.indexOf(`START RequestId: ${requestId} Version: $LATEST`));
    expect(own).toMatch(
      /said 2[\s\S]*END RequestId[\s\S]*REPORT RequestId: .*\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB/,
    );
  } finally {
    follower.kill();
  }
});

test('scale sets provisioned concurrency: the pods are there before any call', async () => {
  await kappa.applyReady(nodeFunction('provided', `export const handler = () => 1;`, { idleTimeoutSeconds: 1 }));
  await kappa.kubectl.ok(['scale', 'fn/provided', '--replicas=3']);
  await eventually('three pods', async () => (await kappa.podsOf('provided')).length === 3);
  const answers = await Promise.all(Array.from({ length: 3 }, () => invoke(kappa.endpoint, 'provided')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  await kappa.kubectl.ok(['scale', 'fn/provided', '--replicas=0']);
  await eventually('zero', () => kappa.isAtZero('provided'));
}, 60_000);

test('reserved concurrency is a hard cap with Lambda’s words', async () => {
  const source = `export const handler = () => new Promise((r) => setTimeout(r, 1000, 1));`;
  await kappa.applyReady(nodeFunction('capped', source, { concurrency: { reserved: 2 } }));
  const answers = await Promise.all(Array.from({ length: 6 }, () => invoke(kappa.endpoint, 'capped')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  expect(refused).toHaveLength(4);
  expect(refused[0]?.payload).toMatchObject({ Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' });
  expect(refused[0]?.headers.get('retry-after')).not.toBeNull();
});

test('environment: literal, from a Secret and from a ConfigMap', async () => {
  await kappa.kubectl.ok(['create', 'secret', 'generic', 'keys', '--from-literal=token=s3cret']);
  await kappa.kubectl.ok(['create', 'configmap', 'settings', '--from-literal=colour=blue']);
  const environment = [
    { name: 'PLAIN', value: 'text' },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
    { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
    { name: 'NODE_OPTIONS', value: '--max-old-space-size=77' },
  ];
  const source = `import v8 from 'node:v8';
export const handler = () => ({ env: process.env, heapMB: Math.round(v8.getHeapStatistics().heap_size_limit / 1048576) });`;
  await kappa.applyReady(nodeFunction('environment', source, { environment, memoryMiB: 256 }));
  const { payload } = await invoke(kappa.endpoint, 'environment');
  const { env, heapMB } = payload as { env: Record<string, string>; heapMB: number };
  expect(env).toMatchObject({
    PLAIN: 'text',
    TOKEN: 's3cret',
    COLOUR: 'blue',
    AWS_LAMBDA_FUNCTION_NAME: 'environment',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    TZ: ':UTC',
  });
  expect(Object.keys(env).filter((name) => name.startsWith('KAPPA_'))).toEqual([]);
  expect(heapMB).toBeLessThan(140); // NODE_OPTIONS is only taken by a fresh process
});

test('events tell what went wrong', async () => {
  await kappa.kubectl.apply(nodeFunction('wrong', '', { code: { zip: { sha256: 'f'.repeat(64) } } }));
  await eventually('an event', async () =>
    (await kappa.kubectl.ok(['events', '--for', 'fn/wrong'])).includes('BlobMissing'),
  );
  expect(await invoke(kappa.endpoint, 'wrong')).toMatchObject({ status: 409 });
});
