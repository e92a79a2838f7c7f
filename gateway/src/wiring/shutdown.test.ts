import { expect, test } from '@jest/globals';

import { type Ending, shutDown } from './shutdown.ts';

const lagMs = 7;
const graceMs = 1000;

/** An end whose steps are written down, and which waits where the test says. */
function startEnd(over: { answered?: Promise<void>; drained?: Promise<void>; graceOver?: Promise<void> } = {}) {
  const steps: string[] = [];
  const say = (step: string) => () => void steps.push(step);
  const never = new Promise<void>(() => undefined);
  const ending: Ending = {
    failReadiness: say('unready'),
    leaveRing: say('left the ring'),
    closeServer: say('no new connections'),
    whenAnswered: async () => {
      await over.answered;
      say('own callers answered')();
    },
    drain: async (signal) => {
      signal.addEventListener('abort', say('gave up what ran'));
      await over.drained;
      say('others answered, pods let go')();
    },
    closeConnections: say('connections closed'),
    stopRing: async () => say('links to gateways closed')(),
    stopWatching: say('blind'),
  };
  const sleep = (ms: number, keepsProcess: boolean): Promise<void> => {
    steps.push(`${keepsProcess ? 'waits' : 'at most'} ${ms}`);
    return ms === graceMs ? (over.graceOver ?? never) : Promise.resolve();
  };
  return { steps, done: shutDown(ending, { lagMs, graceMs, sleep }) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const begun = ['unready', 'left the ring', 'waits 7', 'no new connections', 'at most 1000'];
const closed = ['connections closed', 'links to gateways closed', 'blind'];

test('the whole order: away from callers and ring first, then what runs, then what it runs on', async () => {
  const { steps, done } = startEnd();
  await done;
  expect(steps).toEqual([...begun, 'own callers answered', 'others answered, pods let go', ...closed]);
});

test('an own caller without an answer holds pods, ring and watches', async () => {
  const answered = Promise.withResolvers<void>();
  const { steps, done } = startEnd({ answered: answered.promise });
  await settle();
  expect(steps).toEqual(begun);
  answered.resolve();
  await done;
  expect(steps.slice(-3)).toEqual(closed);
});

test('another gateway’s request that runs here holds the links it is answered over', async () => {
  const drained = Promise.withResolvers<void>();
  const { steps, done } = startEnd({ drained: drained.promise });
  await settle();
  expect(steps).toEqual([...begun, 'own callers answered']);
  drained.resolve();
  await done;
  expect(steps.slice(-4)).toEqual(['others answered, pods let go', ...closed]);
});

test('when the grace is over, what still runs is given up', async () => {
  const drained = Promise.withResolvers<void>();
  const graceOver = Promise.withResolvers<void>();
  const never = new Promise<void>(() => undefined);
  const { steps, done } = startEnd({ answered: never, drained: drained.promise, graceOver: graceOver.promise });
  await settle();
  graceOver.resolve();
  await settle();
  drained.resolve();
  await done;
  expect(steps).toEqual([...begun, 'others answered, pods let go', ...closed]);
});
