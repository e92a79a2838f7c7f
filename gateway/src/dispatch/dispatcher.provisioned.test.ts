import { expect, test } from '@jest/globals';
import { makeCode, until } from './testing-agent.ts';
import { answer, call, exited, failing, hello, offer, startGateway, startPods, untilStats } from './testing-gateway.ts';

const source = `
await new Promise((resolve) => setTimeout(resolve, 300));
export const handler = () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE;
`;

test('a provisioned pod is there when its init has ended; calls beyond it get pods on demand', async () => {
  const code = await makeCode({ 'index.mjs': source });
  const slow = { ...hello(), ...code, provisionedConcurrency: 1 };
  const gateway = startGateway([slow], { zips: [code] });
  await offer(gateway, await startPods(1));
  await untilStats(gateway, ({ slots }) => slots.claiming === 1);
  expect(gateway.claimed).toEqual([]);
  await untilStats(gateway, ({ slots }) => slots.idle === 1);
  expect(gateway.claimed).toHaveLength(1);
  const first = call(gateway, slow);
  await offer(gateway, await startPods(1));
  const second = call(gateway, slow);
  const types = (await Promise.all([first, second])).map(answer);
  expect(types).toContain('provisioned-concurrency');
  expect(new Set(types).size).toBe(gateway.claimed.length); // the second call may have met the first pod, free again
});

test('a pod whose init has failed is told, ends, and the next one comes after a pause', async () => {
  const broken = { ...failing(), provisionedConcurrency: 1 };
  const gateway = startGateway([broken]);
  const agents = await startPods(2);
  await offer(gateway, agents);
  await until(
    () => gateway.initErrors.length === 2,
    () => JSON.stringify(gateway.dispatcher.stats()),
  );
  expect(new Set(gateway.initErrors)).toEqual(new Set(['Runtime.Unknown']));
  expect(gateway.paused.length).toBeGreaterThanOrEqual(1);
  await Promise.all(agents.map(exited));
  expect(agents.map(({ child }) => child.exitCode)).toEqual([0, 0]);
  expect(gateway.dispatcher.stats()).toMatchObject({ slots: { idle: 0, claiming: 0 } });
});
