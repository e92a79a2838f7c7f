import { expect, test } from '@jest/globals';

import type { LeasedEvent } from '../../queue/event-queue.ts';
import { asyncEvent, asyncSettings } from '../testing.ts';
import { deliverer } from './deliver.ts';
import type { Teller } from './telling.ts';

const delivery = { condition: 'RetriesExhausted', decidedMs: 0, failures: 0 } as const;
const event = asyncEvent();
const leased: LeasedEvent = {
  lease: { line: event.line, id: event.id, token: 't' },
  event,
  progress: { attempts: 1, refusals: 0, delivery },
  dueMs: 0,
  leasedUntilMs: 1,
};
const settings = asyncSettings({
  onFailure: [
    { kind: 'destination', arn: 'arn:aws:sns:r:a:topic' },
    { kind: 'deadLetter', arn: 'arn:aws:sqs:r:a:queue' },
  ],
});

test.each<[reason: string, sns: Teller, problem: string]>([
  ['refuses', () => Promise.reject(new Error('no such topic')), 'no such topic'],
  ['never answers', () => new Promise(() => undefined), 'no answer in 30000 ms'],
])('one that %s is told again, and does not keep the others from hearing', async (_reason, sns, problem) => {
  const failures: string[] = [];
  const heard: string[] = [];
  let pending = 0;
  const tell = deliverer({
    tellers: { sns, sqs: async ({ arn }) => void heard.push(arn) },
    onFailed: ({ arn }, err) => failures.push(`${arn}: ${err instanceof Error ? err.message : ''}`),
    after: (_ms, then) => {
      pending += 1;
      const timer = setImmediate(then);
      return () => {
        pending -= 1;
        clearImmediate(timer);
      };
    },
  });
  expect(await tell(leased, settings)).toEqual(['arn:aws:sqs:r:a:queue']);
  expect(heard).toEqual(['arn:aws:sqs:r:a:queue']);
  expect(failures).toEqual([`arn:aws:sns:r:a:topic: ${problem}`]);
  expect(pending).toBe(0);
});
