import { expect, test } from '@jest/globals';

import { shutDown } from './shutdown.ts';

test('a request in flight holds pods and watches until it is answered', async () => {
  const steps: string[] = [];
  const idle = Promise.withResolvers<void>();
  const say = (step: string) => () => void steps.push(step);
  const never = new Promise<void>(() => undefined);
  const done = shutDown(
    {
      failReadiness: say('unready'),
      closeServer: say('closed'),
      whenIdle: () => idle.promise,
      drain: async () => void steps.push('drained'),
      closeConnections: say('disconnected'),
      stopWatching: async () => say('blind')(),
    },
    {
      lagMs: 7,
      graceMs: 1000,
      sleep: (ms) => {
        steps.push(`slept ${ms}`);
        return ms === 1000 ? never : Promise.resolve();
      },
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(steps).toEqual(['unready', 'slept 7', 'closed', 'slept 1000']);
  idle.resolve();
  await done;
  expect(steps.slice(4)).toEqual(['drained', 'disconnected', 'blind']);
});
