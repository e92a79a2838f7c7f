import { queueTraits } from './mapping/testing-mapping.ts';
import { sourceRecord } from './poll/testing-records.ts';
import { queueContract, streamContract } from './source-contract.ts';
import { FakeQueue, FakeStream } from './testing-source.ts';

const bodyOf = (record: Readonly<Record<string, unknown>>): string => String(record['body']);
const recordOf = (body: string, at: number) =>
  sourceRecord(`${at}`, {
    text: JSON.stringify({ body }),
    filterable: () => ({ metadata: { messageId: `${at}` }, data: { body } }),
  });

queueContract('the queue in memory', {
  traits: queueTraits,
  bodyOf,
  start: async () => {
    let nowMs = 0;
    const queue = new FakeQueue({ nowMs: () => nowMs });
    return {
      queue,
      send: async (...bodies) => queue.send(...bodies.map(recordOf)),
      pass: async () => {
        nowMs += queue.holdMs;
      },
      end: async () => undefined,
    };
  },
});

streamContract('the stream in memory', {
  traits: queueTraits,
  bodyOf,
  start: async () => {
    const stream = new FakeStream();
    let count = 0;
    stream.add('shard');
    return {
      stream,
      put: async (...bodies) => {
        for (const body of bodies) stream.put('shard', recordOf(body, count++));
      },
      end: async () => undefined,
    };
  },
});
