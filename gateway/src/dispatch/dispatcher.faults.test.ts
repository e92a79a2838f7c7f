import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { until } from './testing-agent.ts';
import {
  answer,
  call,
  exited,
  hello,
  offer,
  startGateway,
  startPods,
  startProxy,
  untilStats,
} from './testing-gateway.ts';

describe('lost pods', () => {
  test('a killed agent fails the call that runs, which is not run again; the next call is fine', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    const mark = join(await mkdtemp(join(tmpdir(), 'kappa-mark-')), 'runs');
    const running = call(gateway, hello(), { sleepMs: 60_000, mark });
    await until(
      () => existsSync(mark),
      () => 'the function did not start',
    );
    await untilStats(gateway, (stats) => stats.slots.claiming + stats.slots.busy === 1 && gateway.claimed.length === 1);
    const victim = agents.find((agent) => agent.pod.name === gateway.claimed[0]);
    victim?.child.kill('SIGKILL');
    await expect(running).rejects.toMatchObject({
      code: 'ServiceException',
      message: expect.stringContaining('may have run'),
    });
    expect(await call(gateway, hello())).toMatchObject({ kind: 'response', start: 'cold' });
    expect(await readFile(mark, 'utf8')).toBe('x');
    await rm(dirname(mark), { recursive: true });
    await untilStats(gateway, (stats) => stats.inFlight === 0 && stats.slots.busy === 0 && stats.slots.finishing === 0);
  });

  test('a half-open link is found by the heartbeat, and the pod is taken back over a new one', async () => {
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    const proxy = await startProxy(agent.pod.ip);
    const gateway = startGateway([hello()], { linkPort: proxy.port, limits: { heartbeatMs: 20 } });
    gateway.dispatcher.onPod(agent.key, { ...agent.pod, ip: '127.0.0.1' });
    await call(gateway, hello());
    const running = call(gateway, hello(), { sleepMs: 300 });
    await until(() => agent.output().split('START RequestId').length > 2, agent.output);
    proxy.freeze();
    await expect(running).rejects.toMatchObject({ code: 'ServiceException' });
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 3 });
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 1 });
  });

  test('a pod that is going away is drained when idle, after its call when busy', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    const calls = [call(gateway, hello(), { sleepMs: 300 }), call(gateway, hello())];
    await calls[1];
    for (const agent of agents) gateway.dispatcher.onPod(agent.key, { ...agent.pod, terminating: true });
    expect(await calls[0]).toMatchObject({ kind: 'response' });
    await Promise.all(agents.map(exited));
    expect(agents.map((agent) => agent.child.exitCode)).toEqual([0, 0]);
  });
});

describe('identity', () => {
  test('a pod behind an address that was another one’s is never given a request', async () => {
    const gateway = startGateway([hello()], { limits: { capacityBudgetMs: 3_000 } });
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    gateway.dispatcher.onPod(agent.key, { ...agent.pod, uid: 'the-pod-that-was-there-before' });
    await expect(call(gateway, hello())).rejects.toMatchObject({ code: 'ServiceException', fault: 'platform' });
    gateway.dispatcher.onPod(agent.key, agent.pod);
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 1 });
  });
});

describe('restart of the gateway', () => {
  test('claimed pods are adopted, busy ones when they are free, whatever their labels say', async () => {
    const before = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(before, agents);
    const lost = call(before, hello(), { sleepMs: 700 });
    await call(before, hello());
    await before.stop();
    await expect(lost).rejects.toMatchObject({ code: 'ServiceException' });
    const after = startGateway([hello()]);
    for (const agent of agents) after.dispatcher.onPod(agent.key, agent.pod);
    await untilStats(after, (stats) => stats.slots.foreign === 1 && stats.slots.idle === 1);
    expect(answer(await call(after, hello()))).toMatchObject({ calls: 2 });
    await untilStats(after, (stats) => stats.slots.foreign === 0 && stats.slots.idle === 2);
    expect(new Set(after.claimed)).toEqual(new Set(agents.map((agent) => agent.pod.name)));
    expect(after.dispatcher.stats().claimsTotal).toBe(0);
  });

  test('provisioned concurrency takes back its pods and claims no others, whatever their labels say', async () => {
    const provided = { ...hello(), provisionedConcurrency: 2 };
    const before = startGateway([provided]);
    const agents = await startPods(4);
    await offer(before, agents);
    await untilStats(before, (stats) => stats.slots.idle === 2);
    await before.stop();
    const after = startGateway([provided], { isSynced: false });
    for (const agent of agents) after.dispatcher.onPod(agent.key, agent.pod);
    after.sync();
    await untilStats(
      after,
      ({ pools, slots }) => slots.idle === 2 && pools.reduce((sum, pool) => sum + pool.generic + pool.claimed, 0) === 4,
    );
    expect(after.dispatcher.stats().claimsTotal).toBe(0);
    expect(after.wanted).toEqual([]);
  });

  test('a pod of a version that nobody knows is drained, but not before the versions are known', async () => {
    const before = startGateway([hello()]);
    const agents = await startPods(1);
    await offer(before, agents);
    await call(before, hello());
    await before.stop();
    const after = startGateway([], { limits: { orphanGraceMs: 50 } });
    for (const agent of agents) after.dispatcher.onPod(agent.key, agent.pod);
    await Promise.all(agents.map(exited));
    expect(agents[0]?.child.exitCode).toBe(0);
  });

  test('drain waits for what is in flight and leaves the pods alone', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(1);
    await offer(gateway, agents);
    const running = call(gateway, hello(), { sleepMs: 200 });
    await gateway.dispatcher.drain(new AbortController().signal);
    expect(await running).toMatchObject({ kind: 'response' });
    expect(agents[0]?.child.exitCode).toBeNull();
    await expect(call(gateway, hello())).rejects.toMatchObject({ code: 'ServiceException' });
  });
});
