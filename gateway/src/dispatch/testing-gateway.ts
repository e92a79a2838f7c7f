import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach, beforeAll } from '@jest/globals';
import { startDispatcher } from './dispatcher.ts';
import type { DispatchLimits } from './limits.ts';
import type { DispatchOptions } from './options.ts';
import { type Ownership, soleOwner } from './ownership.ts';
import { deafCluster, deafObserver, makeTarget } from './testing.ts';
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
  if (event.fill) return event.char.repeat(event.fill);
  return { calls, length: JSON.stringify(event).length };
};
`;

const keys: TestKeys = makeKeys();
const undo: (() => Promise<void>)[] = [];
let code: Awaited<ReturnType<typeof makeCode>>;
let badCode: Awaited<ReturnType<typeof makeCode>>;
let epoch = 0;
let requests = 0;

// For every test file that imports this one: the code once, an empty machine after each test.
beforeAll(async () => {
  code = await makeCode({ 'index.mjs': source });
  badCode = await makeCode({ 'index.mjs': `throw new Error('init failed on purpose');` });
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A dispatcher with real time and real links, and what it told the cluster. */
export interface TestGateway {
  readonly gatewayId: string;
  readonly dispatcher: Dispatcher;
  readonly claimed: string[];
  /** Types of the errors that inits of claimed pods have ended with. */
  readonly initErrors: string[];
  readonly wanted: number[];
  readonly paused: number[];
  /** The first view is complete; said at the start unless `isSynced` is false. */
  sync(): void;
  stop(): Promise<void>;
}

const realClock: DispatchOptions['clock'] = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs).unref();
    return () => clearTimeout(timer);
  },
  every: (periodMs, call) => {
    const timer = setInterval(call, periodMs).unref();
    return () => clearInterval(timer);
  },
  soon: (call) => setImmediate(call),
};

/** Starts one that knows `targets`; it stops after the test. */
export function startGateway(
  targets: readonly Target[],
  options: {
    limits?: Partial<DispatchLimits>;
    linkPort?: number;
    isSynced?: boolean;
    ownership?: (gatewayId: string) => Ownership;
    /** In the blob store, besides those of `hello` and `failing`. */
    zips?: readonly Awaited<ReturnType<typeof makeCode>>[];
  } = {},
): TestGateway {
  epoch += 1;
  const claimed: string[] = [];
  const initErrors: string[] = [];
  const wanted: number[] = [];
  const paused: number[] = [];
  const zips = new Map([code, badCode, ...(options.zips ?? [])].map((each) => [each.codeSha256, each.zip]));
  const gatewayId = `gateway-${epoch}`;
  const dispatcher = startDispatcher({
    identity: { gatewayId, epoch, signingKey: keys.privateKey },
    ownership: (options.ownership ?? soleOwner)(gatewayId),
    cluster: {
      ...deafCluster,
      claimed: (pod, _target, initError) => {
        claimed.push(pod.name);
        if (initError !== undefined) initErrors.push(initError);
      },
      wantPods: (_pool, count) => wanted.push(count),
    },
    observer: { ...deafObserver, initFailed: (_target, ms) => paused.push(ms) },
    code: async (sha256) => zips.get(sha256) ?? Buffer.from('no zip at all'),
    clock: realClock,
    zone: 'a',
    linkPort: options.linkPort ?? 9100,
    limits: { redialMs: 50, foreignPollMs: 30, tickMs: 10, ...options.limits },
  });
  const sync = () => dispatcher.onVersions(new Map(targets.map((target) => [target.versionUid, target])));
  if (options.isSynced !== false) sync();
  const stop = () => dispatcher.drain(AbortSignal.abort());
  undo.push(stop);
  return { gatewayId, dispatcher, claimed, initErrors, wanted, paused, sync, stop };
}

/** Starts real agents, ready and generic; they end after the test. */
export async function startPods(count: number, overrides: Partial<PoolPod> = {}): Promise<TestAgent[]> {
  const agents = await Promise.all([...Array(count).keys()].map(() => startAgent(keys, overrides)));
  for (const agent of agents) undo.push(agent.stop);
  return agents;
}

/** Shows the agents to the dispatcher, as the informer would, and waits until it has linked them. */
export async function offer(gateway: TestGateway, agents: readonly TestAgent[]): Promise<void> {
  for (const agent of agents) gateway.dispatcher.onPod(agent.key, agent.pod);
  await untilStats(
    gateway,
    (stats) => stats.pools.reduce((sum, pool) => sum + pool.generic + pool.claimed + pool.held, 0) >= agents.length,
  );
}

/** Polls the dispatcher's numbers. */
export function untilStats(
  gateway: TestGateway,
  holds: (stats: ReturnType<Dispatcher['stats']>) => boolean,
): Promise<void> {
  return until(
    () => holds(gateway.dispatcher.stats()),
    () => JSON.stringify(gateway.dispatcher.stats()),
  );
}

/** One invocation with a request id of its own. */
export function call(gateway: TestGateway, target: Target, event: unknown = {}): Promise<Outcome> {
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

/** A function whose module throws. */
export const failing = () => makeTarget({ ...badCode, versionUid: 'failing', functionObjectName: 'failing' });
/** The function of all tests. */
export const hello = () => makeTarget({ ...code });
/** The JSON of an outcome. */
export const answer = (outcome: Outcome): unknown => JSON.parse(outcome.payload.toString('utf8'));
/** Waits for the end of an agent that nobody kills. */
export const exited = (agent: TestAgent): Promise<void> =>
  until(
    () => agent.child.exitCode !== null,
    () => `${agent.pod.name} does not end: ${agent.output()}`,
  );

/** A TCP hop that can go silent, both ways, without closing what is open: a pulled cable. */
export async function startProxy(host: string): Promise<{ port: number; freeze(): void }> {
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
