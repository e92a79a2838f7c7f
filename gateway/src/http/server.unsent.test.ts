import { afterEach, expect, test } from '@jest/globals';

import { AnswerStream } from '../dispatch/answer-stream.ts';
import { answered, fetchOnce, until } from '../testing.ts';
import { echo, path, startServer, stopServers } from './testing.ts';

afterEach(stopServers);

const url = '/fn/default/hello/';
/** What Node sends no answer with. */
const headers = ['X-A', 'ключ'];

test('an answer that cannot be sent ends its connection, and nothing else', async () => {
  const rig = await startServer(echo, { functionUrl: async () => ({ status: 200, headers, body: '' }) });
  await expect(fetchOnce(rig.port, { path: url })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(rig.bugs).toMatchObject([{ code: 'ERR_INVALID_CHAR' }]);
  expect(rig.inFlight()).toBe(0);
  expect((await fetchOnce(rig.port, { method: 'POST', path: path(), body: '{}' })).status).toBe(200);
});

test('a streamed answer that cannot be sent is in flight until its function has written it', async () => {
  const source = new AnswerStream(() => undefined);
  const rig = await startServer(async () => answered(''), {
    functionUrl: async () => ({ status: 200, headers, source }),
  });
  await expect(fetchOnce(rig.port, { path: url })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect([rig.inFlight(), rig.bugs.length]).toEqual([1, 1]);
  source.finish({ kind: 'complete' });
  await until(() => rig.inFlight() === 0);
});
