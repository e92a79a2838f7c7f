import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Ownership } from './ownership.ts';
import { until } from './testing-agent.ts';
import {
  answer,
  call,
  hello,
  offer,
  startGateway,
  startPods,
  type TestGateway,
  untilStats,
} from './testing-gateway.ts';
import type { Target } from './types.ts';

/** A ring that has one owner, of everything; it changes when a test says so. */
class TestRing {
  readonly #gateways: TestGateway[] = [];
  readonly #dead = new Set<string>();
  #owner = '';
  #term = 0;
  #elsewhere = 0;

  start(targets: readonly Target[], options: Parameters<typeof startGateway>[1] = {}): TestGateway {
    const gateway = startGateway(targets, { ...options, ownership: (id) => this.#ownership(id) });
    this.#gateways.push(gateway);
    return gateway;
  }

  /** Makes one the owner of everything, in a new term; null = nobody has one. */
  own(gateway: TestGateway | null): void {
    this.#owner = gateway?.gatewayId ?? '';
    this.#term += 1;
    for (const each of this.#gateways) each.dispatcher.onRing();
  }

  async kill(gateway: TestGateway): Promise<void> {
    await gateway.stop();
    this.#dead.add(gateway.gatewayId);
  }

  /** That many requests wait elsewhere. */
  burden(elsewhere: number): void {
    this.#elsewhere = elsewhere;
  }

  #ownership(gatewayId: string): Ownership {
    const isOwner = () => this.#owner === gatewayId;
    return {
      gatewayId,
      isOwner,
      isFirstOwner: isOwner,
      mayHold: (_target, other) => other !== gatewayId && other === this.#owner,
      isLive: (other) => !this.#dead.has(other),
      term: () => (isOwner() ? this.#term : null),
      outstandingElsewhere: () => this.#elsewhere,
      place: () => ({
        index: this.#gateways.findIndex((each) => each.gatewayId === gatewayId),
        count: this.#gateways.length,
      }),
    };
  }
}

/** Two gateways that know the same pods; the first is the owner. */
async function startTwo(targets: readonly Target[], podCount: number) {
  const ring = new TestRing();
  const first = ring.start(targets);
  const second = ring.start(targets);
  ring.own(first);
  const agents = await startPods(podCount);
  await offer(first, agents);
  await offer(second, agents);
  return { ring, first, second, agents };
}

const held = (gateway: TestGateway, count: number) => untilStats(gateway, ({ pools }) => pools[0]?.held === count);

describe('one owner', () => {
  test('the owner’s pod is held at the other gateway, at once', async () => {
    const { first, second } = await startTwo([hello()], 2);
    await call(first, hello());
    await held(second, 1);
    expect(second.dispatcher.stats().pools).toMatchObject([{ generic: 1, claimed: 0, held: 1 }]);
  });

  test('a dead owner’s pods are adopted: the idle one is warm, the busy one follows when it is free', async () => {
    const { ring, first, second } = await startTwo([hello()], 2);
    const lost = call(first, hello(), { sleepMs: 2_000 });
    await call(first, hello());
    await held(second, 2);
    await ring.kill(first);
    await expect(lost).rejects.toMatchObject({ message: expect.stringContaining('may have run') });
    ring.own(second);
    await untilStats(second, ({ slots }) => slots.idle === 1 && slots.foreign === 1);
    expect(await call(second, hello())).toMatchObject({ kind: 'response', start: 'warm' });
    await untilStats(second, ({ slots }) => slots.idle === 2 && slots.foreign === 0);
    expect(second.dispatcher.stats().claimsTotal).toBe(0);
  });

  test('a new owner takes over without disturbing what runs', async () => {
    const { ring, first, second } = await startTwo([hello()], 2);
    const running = call(first, hello(), { sleepMs: 2_000 });
    await call(first, hello());
    await held(second, 2);
    ring.own(second);
    await untilStats(second, ({ slots }) => slots.idle === 1 && slots.foreign === 1);
    expect(await call(second, hello())).toMatchObject({ start: 'warm' });
    const outcome = await running;
    expect(outcome.kind).toBe('response');
    expect(await outcome.report).toMatchObject({ status: 'success' });
    await untilStats(second, ({ slots }) => slots.idle === 2);
    await held(first, 2);
    expect(first.dispatcher.stats().slots).toMatchObject({ idle: 0, busy: 0, finishing: 0 });
  });

  test('who is no owner serves what comes nevertheless; the owner has the pod afterwards', async () => {
    const { first, second } = await startTwo([hello()], 1);
    expect(await call(second, hello())).toMatchObject({ start: 'cold' });
    await untilStats(first, ({ slots }) => slots.idle === 1);
    expect(answer(await call(first, hello()))).toMatchObject({ calls: 2 });
    await held(second, 1);
  });

  test('a burst at both claims each pod once', async () => {
    const { first, second } = await startTwo([hello()], 6);
    const calls = [first, second, first, second, first, second].map((each) => call(each, hello(), { sleepMs: 300 }));
    expect((await Promise.all(calls)).map((outcome) => outcome.kind)).toEqual(new Array(6).fill('response'));
  });

  test('only idle means no claim and no waiting', async () => {
    const { first } = await startTwo([hello()], 1);
    const ask = () =>
      first.dispatcher.invoke(
        hello(),
        {
          requestId: '00000000-0000-4000-8000-0000000000ff',
          invokedFunctionArn: 'arn',
          event: Buffer.from('{}'),
          tail: false,
        },
        { onlyIdle: true },
      );
    await expect(ask()).rejects.toMatchObject({ kind: 'NoIdleSlot' });
    await call(first, hello());
    await untilStats(first, ({ slots }) => slots.idle === 1);
    expect(await ask()).toMatchObject({ start: 'warm' });
  });

  test('what waits at other gateways counts against the account', async () => {
    const { ring, first } = await startTwo([hello()], 1);
    ring.burden(1_000);
    await expect(call(first, hello())).rejects.toMatchObject({ code: 'TooManyRequestsException' });
  });
});

describe('reserved concurrency', () => {
  const one = () => ({ ...hello(), reservedConcurrency: 1 });

  test('without a term nothing is taken, and what waits goes back when the term is lost', async () => {
    const two = { ...hello(), reservedConcurrency: 2 };
    const { ring, first, second } = await startTwo([two], 1);
    await expect(call(second, two)).rejects.toMatchObject({ kind: 'NotOwner' });
    const running = call(first, two, { sleepMs: 1_000 });
    await untilStats(first, ({ slots }) => slots.claiming === 1);
    const waits = expect(call(first, two)).rejects.toMatchObject({ kind: 'NotOwner' });
    ring.own(null);
    await waits;
    expect(await running).toMatchObject({ kind: 'response' });
    await expect(call(first, two)).rejects.toMatchObject({ kind: 'NotOwner' });
  });

  test('a new term counts what still runs', async () => {
    const { ring, first, second } = await startTwo([one()], 2);
    const mark = join(await mkdtemp(join(tmpdir(), 'kappa-mark-')), 'runs');
    const running = call(first, one(), { sleepMs: 1_500, mark });
    await until(
      () => existsSync(mark),
      () => 'the function did not start',
    );
    ring.own(second);
    let hasEnded = false;
    const waits = call(second, one()).then((outcome) => {
      expect(hasEnded).toBe(true);
      return outcome;
    });
    await untilStats(second, ({ slots }) => slots.foreign === 1);
    expect(second.dispatcher.stats()).toMatchObject({ queued: 1, inFlight: 0 });
    await running;
    hasEnded = true;
    expect(await waits).toMatchObject({ start: 'warm' });
    await rm(dirname(mark), { recursive: true });
  });

  test('a pod that is out of reach counts until it has ended', async () => {
    const [agent] = await startPods(1);
    if (agent === undefined) throw new Error('no agent');
    const gateway = startGateway([one()], { limits: { capacityBudgetMs: 3_000 } });
    const pod = { ...agent.pod, isOver: false };
    gateway.dispatcher.onPod(agent.key, pod);
    await call(gateway, one());
    const running = call(gateway, one(), { sleepMs: 60_000 });
    await until(() => agent.output().split('START RequestId').length > 2, agent.output);
    const lost = expect(running).rejects.toMatchObject({ message: expect.stringContaining('may have run') });
    await agent.stop();
    await lost;
    expect(gateway.dispatcher.stats().slots).toMatchObject({ lost: 1, busy: 0 });
    await expect(call(gateway, one())).rejects.toMatchObject({ code: 'ServiceException' });
    gateway.dispatcher.onPod(agent.key, { ...pod, ready: false, terminating: true, isOver: true });
    expect(gateway.dispatcher.stats().slots).toMatchObject({ lost: 0 });
  });
});
