import { expect, test } from '@jest/globals';

import type { Letter } from '../../async/destinations/sender.ts';
import { mappingView } from '../mapping/testing-view.ts';
import { TestClock } from '../testing-clock.ts';
import { FakeStream } from '../testing-source.ts';
import { type Failure, failureTeller } from './tell-failure.ts';
import { testShard } from './testing-poller.ts';
import { sourceRecord } from './testing-records.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:hello';
const failure: Failure = {
  requestId: 'r',
  condition: 'RetryAttemptsExhausted',
  invokeCount: 2,
  executedVersion: '$LATEST',
  decidedMs: 0,
  stream: new FakeStream(),
  shard: testShard,
  records: [sourceRecord('a')],
};

function world(send: (letter: Letter) => Promise<void>) {
  const clock = new TestClock();
  const tell = failureTeller({ senders: { sqs: send, s3: send }, arnOf: () => arn, clock });
  return {
    clock,
    tell: (onFailure: string, over: Partial<Failure> = {}) => tell(mappingView({ onFailure }), { ...failure, ...over }),
  };
}

test.each<[reason: string, onFailure: string, hasPayload: boolean]>([
  ['a queue gets the record alone', 'arn:aws:sqs:us-east-1:000000000000:dead', false],
  ['a bucket gets the event, too', 'arn:aws:s3:::dead', true],
])('%s', async (_reason, onFailure, hasPayload) => {
  const letters: Letter[] = [];
  await world(async (letter) => void letters.push(letter)).tell(onFailure);
  const [letter] = letters;
  expect(letter).toMatchObject({ arn: onFailure, namespace: 'default', attributes: {} });
  expect(letter?.key).toMatch(/^aws\/lambda\/[0-9a-f-]+\/shard\/1970\/01\/01\/1970-01-01T00\.00\.00-r$/);
  const body = JSON.parse(letter?.body ?? '');
  expect(body).toMatchObject({
    requestContext: { functionArn: `${arn}:$LATEST`, condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
    FakeBatchInfo: { shardId: 'shard', batchSize: 1 },
  });
  expect(body.payload).toBe(hasPayload ? '{"Records":[{"id":"a"}]}' : undefined);
});

test('a topic of Kafka gets a letter for each record, where the source has topics', async () => {
  const { tell } = world(() => Promise.resolve());
  await expect(tell('kafka://dead')).rejects.toThrow('has no topics');
  const sent: unknown[] = [];
  const stream = Object.assign(new FakeStream(), {
    sendDeadLetters: async (topic: string, _shard: unknown, records: readonly { id: string }[]) =>
      void sent.push(
        topic,
        records.map(({ id }) => id),
      ),
  });
  await tell('kafka://dead', { stream });
  expect(sent).toEqual(['dead', ['a']]);
});

test('nobody answers: it is told again later, so this one ends', async () => {
  const { clock, tell } = world(() => new Promise(() => undefined));
  await expect(clock.settled(tell('arn:aws:sqs:us-east-1:000000000000:dead'))).rejects.toThrow('no answer in 25000 ms');
  await expect(tell('arn:aws:lambda:us-east-1:000000000000:function:f')).rejects.toThrow('no service that can be told');
});
