import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type DispatchOptions, startDispatcher } from './dispatcher.ts';
import type { DispatchLimits } from './limits.ts';
import { makeTarget } from './testing.ts';
import { makeCode, makeKeys, startAgent, type TestAgent, type TestKeys, until } from './testing-agent.ts';
import type { Dispatcher, Outcome, PoolPod, Target } from './types.ts';

/** One function for all tests: the event says what it does. */
const source = `
import { appendFileSync } from 'node:fs';
let calls = 0;
export const handler = async (event) => {
  calls += 1;
  if (event.mark) appendFileSync(event.mark, 'x');
  if (event.throw) throw new TypeError('thrown on purpose');
  if (event.exit) process.exit(1);
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
  if (event.fill) return 'y'.repeat(event.fill);
  return { calls, length: JSON.stringify(event).length };
};
`;

const keys: TestKeys = makeKeys();
const undo: (() => Promise<void>)[] = [];
let code: Awaited<ReturnType<typeof makeCode>>;
let badCode: Awaited<ReturnType<typeof makeCode>>;
let epoch = 0;
let requests = 0;

beforeAll(async () => {
  code = await makeCode({ 'index.mjs': source });
  badCode = await makeCode({ 'index.mjs': `throw new Error('init failed on purpose');` });
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface TestGateway {
  readonly dispatcher: Dispatcher;
  readonly claimed: string[];
  readonly wanted: number[];
  readonly paused: number[];
  stop(): Promise<void>;
}

const realClock: DispatchOptions['clock'] = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
  every: (periodMs, call) => {
    const timer = setInterval(call, periodMs);
    return () => clearInterval(timer);
  },
  soon: (call) => setImmediate(call),
};

function startGateway(
  targets: readonly Target[],
  options: { limits?: Partial<DispatchLimits>; linkPort?: number } = {},
): TestGateway {
  epoch += 1;
  const claimed: string[] = [];
  const wanted: number[] = [];
  const paused: number[] = [];
  const zips = new Map([code, badCode].map((each) => [each.codeSha256, each.zip]));
  const dispatcher = startDispatcher({
    identity: { gatewayId: `gateway-${epoch}`, epoch, signingKey: keys.privateKey },
    cluster: { claimed: (pod) => claimed.push(pod.name), wantPods: (_pool, count) => wanted.push(count) },
    observer: {
      started() {},
      reported() {},
      throttled() {},
      failed() {},
      claimed() {},
      initFailed: (_target, ms) => paused.push(ms),
    },
    code: async (sha256) => zips.get(sha256) ?? Buffer.from('no zip at all'),
    clock: realClock,
    zone: 'a',
    linkPort: options.linkPort ?? 9100,
    limits: { redialMs: 50, foreignPollMs: 30, tickMs: 10, ...options.limits },
  });
  dispatcher.onVersions(new Map(targets.map((target) => [target.versionUid, target])));
  const stop = () => dispatcher.drain(AbortSignal.abort());
  undo.push(stop);
  return { dispatcher, claimed, wanted, paused, stop };
}

async function startPods(count: number, overrides: Partial<PoolPod> = {}): Promise<TestAgent[]> {
  const agents = await Promise.all([...Array(count).keys()].map(() => startAgent(keys, overrides)));
  for (const agent of agents) undo.push(agent.stop);
  return agents;
}

async function offer(gateway: TestGateway, agents: readonly TestAgent[]): Promise<void> {
  for (const agent of agents) gateway.dispatcher.onPod(agent.key, agent.pod);
  await untilStats(
    gateway,
    (stats) => stats.pools.reduce((sum, pool) => sum + pool.generic + pool.claimed, 0) >= agents.length,
  );
}

function untilStats(gateway: TestGateway, holds: (stats: ReturnType<Dispatcher['stats']>) => boolean): Promise<void> {
  return until(
    () => holds(gateway.dispatcher.stats()),
    () => JSON.stringify(gateway.dispatcher.stats()),
  );
}

function call(gateway: TestGateway, target: Target, event: unknown = {}): Promise<Outcome> {
  requests += 1;
  const requestId = `00000000-0000-4000-8000-${String(requests).padStart(12, '0')}`;
  const invokedFunctionArn = 'arn:aws:lambda:us-east-1:000000000000:function:hello';
  return gateway.dispatcher.invoke(target, {
    requestId,
    invokedFunctionArn,
    event: Buffer.from(JSON.stringify(event)),
    tail: false,
  });
}

const hello = () => makeTarget({ ...code });
const answer = (outcome: Outcome): unknown => JSON.parse(outcome.payload.toString('utf8'));
const exited = (agent: TestAgent): Promise<void> =>
  until(
    () => agent.child.exitCode !== null,
    () => `${agent.pod.name} does not end: ${agent.output()}`,
  );

describe('calls', () => {
  test('the first is cold, the rest are warm, and a hundred in a row use one pod', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    const first = await call(gateway, hello());
    expect(first).toMatchObject({ kind: 'response', start: 'cold' });
    expect(await first.report).toMatchObject({ status: 'success', initDurationMs: expect.any(Number) });
    for (let n = 2; n <= 100; n += 1) expect(answer(await call(gateway, hello()))).toMatchObject({ calls: n });
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 1, coldStartsTotal: 1, inFlight: 0, queued: 0 });
    expect(gateway.claimed).toHaveLength(1);
  });

  test('four at once are four pods, and a fifth waits for the pod that comes', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(5);
    await offer(gateway, agents.slice(0, 4));
    const five = [...Array(5).keys()].map(() => call(gateway, hello(), { sleepMs: 600 }));
    await until(
      () => gateway.wanted.includes(1),
      () => 'no pod was asked for',
    );
    await offer(gateway, agents.slice(4));
    const outcomes = await Promise.all(five);
    expect(outcomes.map((outcome) => outcome.start)).toEqual(new Array(5).fill('cold'));
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 5, queued: 0 });
  });

  test('large events and answers pass whole', async () => {
    const gateway = startGateway([hello()]);
    await offer(gateway, await startPods(1));
    const event = { pad: 'x'.repeat(3_000_000) };
    expect(answer(await call(gateway, hello(), event))).toMatchObject({ length: JSON.stringify(event).length });
    const outcome = await call(gateway, hello(), { fill: 3_000_000 });
    expect(outcome.payload.length).toBe(3_000_002);
    expect(outcome.payload.subarray(1, -1).every((byte) => byte === 'y'.charCodeAt(0))).toBe(true);
  });

  test('an exception is an outcome and keeps the pod; an exit is one and costs it', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    const thrown = await call(gateway, hello(), { throw: true });
    expect(thrown.kind).toBe('error');
    expect(answer(thrown)).toMatchObject({ errorType: 'TypeError', errorMessage: 'thrown on purpose' });
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 2 });
    const outcome = await call(gateway, hello(), { exit: true });
    expect(outcome).toMatchObject({ kind: 'error', errorType: 'Runtime.ExitError' });
    expect(await outcome.report).toMatchObject({ reusable: false });
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 1 });
    expect(gateway.dispatcher.stats()).toMatchObject({ claimsTotal: 2 });
  });

  test('a zip that is none is the function owner’s error and leaves the pod generic', async () => {
    const broken = makeTarget({
      versionUid: 'broken',
      functionObjectName: 'broken',
      codeSha256: 'f'.repeat(64),
      codeBytes: 13,
    });
    const gateway = startGateway([hello(), broken]);
    await offer(gateway, await startPods(1));
    await expect(call(gateway, broken)).rejects.toMatchObject({ code: 'InvalidZipFileException', fault: 'function' });
    expect(await call(gateway, hello())).toMatchObject({ kind: 'response' });
  });

  test('a failing init is the answer of everyone who waits, and does not empty the pool', async () => {
    const failing = makeTarget({ ...badCode, versionUid: 'failing', functionObjectName: 'failing' });
    const gateway = startGateway([hello(), failing]);
    await offer(gateway, await startPods(3));
    expect(await call(gateway, failing)).toMatchObject({ kind: 'error' });
    const both = [call(gateway, failing), call(gateway, failing)];
    for (const outcome of await Promise.all(both))
      expect(answer(outcome)).toMatchObject({ errorMessage: 'init failed on purpose' });
    await until(
      () => gateway.paused.length >= 2,
      () => `pauses: ${gateway.paused}`,
    );
    expect(gateway.paused.slice(0, 2)).toEqual([0, 100]);
  });
});

describe('lost pods', () => {
  test('a killed agent fails the call that runs, which is not run again; the next call is fine', async () => {
    const gateway = startGateway([hello()]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    const running = call(gateway, hello(), { sleepMs: 60_000 });
    await untilStats(gateway, (stats) => stats.slots.claiming + stats.slots.busy === 1 && gateway.claimed.length === 1);
    const victim = agents.find((agent) => agent.pod.name === gateway.claimed[0]);
    victim?.child.kill('SIGKILL');
    await expect(running).rejects.toMatchObject({
      code: 'ServiceException',
      message: expect.stringContaining('may have run'),
    });
    expect(await call(gateway, hello())).toMatchObject({ kind: 'response', start: 'cold' });
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
    const gateway = startGateway([hello()], { limits: { capacityBudgetMs: 300 } });
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    gateway.dispatcher.onPod(agent.key, { ...agent.pod, uid: 'the-pod-that-was-there-before' });
    await expect(call(gateway, hello())).rejects.toMatchObject({ code: 'ServiceException', fault: 'platform' });
    gateway.dispatcher.onPod(agent.key, agent.pod);
    expect(answer(await call(gateway, hello()))).toMatchObject({ calls: 1 });
  });

  test('an older gateway’s claim is refused by the pod, and its request does not run', async () => {
    const older = startGateway([hello()], { limits: { capacityBudgetMs: 300 } });
    const newer = startGateway([hello()]);
    const agents = await startPods(1);
    await offer(older, agents);
    await offer(newer, agents);
    await expect(call(older, hello())).rejects.toMatchObject({ code: 'ServiceException' });
    expect(answer(await call(newer, hello()))).toMatchObject({ calls: 1 });
  });
});

describe('life of a version', () => {
  test('idle pods expire to zero and the agent ends well', async () => {
    const short = { ...hello(), idleTimeoutMs: 100 };
    const gateway = startGateway([short]);
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    await offer(gateway, [agent]);
    await call(gateway, short);
    await exited(agent);
    expect(agent.child.exitCode).toBe(0);
    expect(gateway.dispatcher.stats()).toMatchObject({ activeVersions: 0, slots: { idle: 0 } });
  });

  test('a new version takes over without a failed call, the old one’s pods go', async () => {
    const next = { ...hello(), versionUid: 'uid-2' };
    const gateway = startGateway([hello()]);
    const agents = await startPods(3);
    await offer(gateway, agents);
    const busy = call(gateway, hello(), { sleepMs: 300 });
    await call(gateway, hello());
    gateway.dispatcher.onVersions(new Map([[next.versionUid, next]]));
    expect(answer(await call(gateway, next))).toMatchObject({ calls: 1 });
    expect(await busy).toMatchObject({ kind: 'response' });
    const old = agents.filter((agent) => gateway.claimed.slice(0, 2).includes(agent.pod.name));
    await Promise.all(old.map(exited));
    expect(gateway.dispatcher.stats().slots).toMatchObject({ idle: 1, busy: 0 });
  });

  test('provisioned pods are claimed before the first call, which is then warm', async () => {
    const provisioned = { ...hello(), provisionedConcurrency: 1, idleTimeoutMs: 20 };
    const gateway = startGateway([provisioned]);
    const agents = await startPods(2);
    await offer(gateway, agents);
    await untilStats(gateway, (stats) => stats.slots.idle === 1);
    expect(await call(gateway, provisioned)).toMatchObject({ kind: 'response', start: 'warm' });
    agents.find((agent) => agent.pod.name === gateway.claimed[0])?.child.kill('SIGKILL');
    await untilStats(gateway, (stats) => stats.claimsTotal === 2 && stats.slots.idle === 1);
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

/** A TCP hop that can go silent, both ways, without closing what is open: a pulled cable. */
async function startProxy(host: string): Promise<{ port: number; freeze(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = createConnection(9100, host);
    near.pipe(far).pipe(near);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const freeze = () => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, freeze };
}
