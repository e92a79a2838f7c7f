import { expect, test } from '@jest/globals';
import { answered } from '../testing.ts';
import { type Ownership, soleOwner } from './ownership.ts';
import { hello, offer, startGateway, startPods, untilStats } from './testing-gateway.ts';
import type { Outcome } from './types.ts';

/** One of several owners of everything, with a short patience. */
const start = () => {
  const ownership = (id: string): Ownership => ({ ...soleOwner(id), isShared: () => true });
  return startGateway([hello()], { ownership, limits: { offerAfterMs: 20 } });
};

let requests = 0;
const invoke = (gateway: ReturnType<typeof start>, elsewhere: () => Promise<Outcome | null>): Promise<Outcome> => {
  requests += 1;
  const invocation = {
    requestId: `offer-${requests}`,
    invokedFunctionArn: 'arn',
    event: Buffer.from('{}'),
    tail: false,
  };
  return gateway.dispatcher.invoke(hello(), invocation, { elsewhere });
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
