import { expect, test } from '@jest/globals';
import { answered } from '../testing.ts';
import { type Ownership, soleOwner } from './ownership.ts';
import { hello, offer, startGateway, startPods, untilStats } from './testing-gateway.ts';
import type { Outcome } from './types.ts';

type Elsewhere = () => Promise<Outcome | null>;
/** What the other owners do with a request that they are asked to run, by its id. */
const others = new Map<string, Elsewhere>();

/** One of several owners of everything (from the moment on that `isShared` says so), with a short patience. */
const start = (isShared = () => true) => {
  const askIdle: Ownership['askIdle'] = (_target, { requestId }) => others.get(requestId)?.() ?? Promise.resolve(null);
  const ownership = (id: string): Ownership => ({ ...soleOwner(id), isShared, askIdle });
  return startGateway([hello()], { ownership, limits: { offerAfterMs: 20 } });
};

let requests = 0;
const invoke = (gateway: ReturnType<typeof start>, elsewhere: Elsewhere): Promise<Outcome> => {
  requests += 1;
  others.set(`offer-${requests}`, elsewhere);
  const invocation = {
    requestId: `offer-${requests}`,
    invokedFunctionArn: 'arn',
    event: Buffer.from('{}'),
    tail: false,
  };
  return gateway.dispatcher.invoke(hello(), invocation);
};

test('a request that waits is offered to the other owners until one has an idle pod', async () => {
  const gateway = start();
  let asked = 0;
  const outcome = await invoke(gateway, async () => {
    asked += 1;
    return asked < 3 ? null : answered('elsewhere');
  });
  expect(outcome.payload.toString()).toBe('elsewhere');
  expect(asked).toBe(3);
  await untilStats(gateway, ({ queued, inFlight }) => queued + inFlight === 0);
});

test('one that came while this gateway was the only owner is offered as soon as there are others', async () => {
  let isShared = false;
  const gateway = start(() => isShared);
  const outcome = invoke(gateway, async () => answered('elsewhere'));
  await untilStats(gateway, ({ queued }) => queued === 1);
  isShared = true;
  expect((await outcome).payload.toString()).toBe('elsewhere');
});

test('one after the other, the oldest first', async () => {
  const gateway = start();
  const order: string[] = [];
  let open = 0;
  const take = (name: string) => async (): Promise<Outcome> => {
    order.push(name);
    open += 1;
    expect(open).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    return answered(name);
  };
  await Promise.all(['first', 'second', 'third'].map((name) => invoke(gateway, take(name))));
  expect(order).toEqual(['first', 'second', 'third']);
});

test('one that nobody takes keeps its place, and a pod here serves it', async () => {
  const gateway = start();
  let asked = 0;
  const refuse = async (): Promise<null> => {
    asked += 1;
    if (asked === 2) await offer(gateway, await startPods(1));
    return null;
  };
  const [first, second] = await Promise.all([invoke(gateway, refuse), invoke(gateway, async () => null)]);
  expect([first.kind, second.kind]).toEqual(['response', 'response']);
  expect(asked).toBeGreaterThanOrEqual(2);
});

test('an error of the owner that took it is its answer', async () => {
  const failed = new Error('the pod was lost');
  await expect(invoke(start(), () => Promise.reject(failed))).rejects.toBe(failed);
});

test('one that is being offered when the gateway ends fails like those that wait', async () => {
  const gateway = start();
  const asked = Promise.withResolvers<void>();
  const reply = Promise.withResolvers<null>();
  const outcome = invoke(gateway, () => {
    asked.resolve();
    return reply.promise;
  });
  await asked.promise;
  const stopped = gateway.stop();
  reply.resolve(null);
  await expect(outcome).rejects.toThrow('This gateway is shutting down');
  await stopped;
});
