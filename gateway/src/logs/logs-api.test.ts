import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { AccessKey } from '../auth/access-keys.ts';
import { makeAuthenticator } from '../auth/authenticator.ts';
import { makeAuthorizer } from '../auth/authorizer.ts';
import { keysOf, sign, testKey } from '../auth/testing.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { controlApp } from '../http/control-app.ts';
import { fetchOnce, functionView } from '../testing.ts';
import { makeLogsApi } from './logs-api.ts';
import type { Pause } from './select.ts';
import { emptyLogs, hello, pausingGatewaysOf, put, streamA, streamB } from './testing.ts';

const logGroupName = '/aws/lambda/hello';
/** Of another account. */
const teamKey: AccessKey = { ...testKey, accessKeyId: 'AKTEAM', accounts: ['111111111111'], name: 'team' };
/** Has the rights of `jane` in the cluster. */
const janeKey: AccessKey = {
  ...testKey,
  accessKeyId: 'AKJANE',
  name: 'jane',
  identity: { user: 'jane', groups: [] },
};

let server: Awaited<ReturnType<typeof startServer>>;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.stop());

/** @param keepsLogs false = an install without recent logs */
async function startServer(keepsLogs = true, pause: Pause = () => Promise.resolve()) {
  const logs = emptyLogs();
  const granted = new Set<string>();
  const namespaces = new Map([
    ['000000000000', 'default'],
    ['111111111111', 'team'],
  ]);
  const functions = ['hello', 'quiet'].map((functionName) => functionView({ functionName, name: functionName }));
  const budget = new BufferBudget(1_000_000);
  const logsApi = makeLogsApi({
    logs: keepsLogs ? (pausingGatewaysOf(pause, logs)[0] ?? null) : null,
    directory: {
      namespaceOf: async (id) => namespaces.get(id),
      locate: async (id, name) => functions.find((fn) => id === hello.accountId && fn.functionName === name),
      ofAccount: (id) => (id === hello.accountId ? functions : []),
    },
    authenticator: makeAuthenticator({
      keys: keysOf(testKey, teamKey, janeKey),
      region: 'us-east-1',
      scopes: { logs: ['us-east-1'] },
      now: Date.now,
    }),
    authorizer: makeAuthorizer({
      allows: async ({ user }, { verb, resource, namespace, name }) =>
        granted.has(`${user} ${verb} ${resource} ${namespace}/${name}`),
    }),
    region: 'us-east-1',
    budget,
    onRefused: () => undefined,
  });
  const app = controlApp({ admin: null, blobs: null, code: null, lambdaApi: null, logsApi, onError: () => undefined });
  const listening: Server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  const port = Number(Object(listening.address()).port);
  return {
    logs,
    granted,
    call: async (operation: string, input: object | string, key = testKey, service = 'logs') => {
      const body = typeof input === 'string' ? input : JSON.stringify(input);
      const plain = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `Logs_20140328.${operation}` };
      const { headers } = await sign({ path: '/', service, key, body, headers: plain });
      const answer = await fetchOnce(port, { method: 'POST', path: '/', headers, body });
      return { status: answer.status, output: JSON.parse(String(answer.body)) };
    },
    stop: async () => {
      expect(budget.usedBytes).toBe(0);
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
    },
  };
}

function fill(): void {
  put(server.logs, streamA, 0, '10 a0', '20 a1 ERROR');
  put(server.logs, streamB, 0, '15 b0');
}

describe('FilterLogEvents', () => {
  test('answers events of all streams, page by page', async () => {
    fill();
    const first = await server.call('FilterLogEvents', { logGroupName, limit: 2, interleaved: true });
    expect(first.status).toBe(200);
    const [event] = first.output.events;
    expect(event).toEqual({
      logStreamName: streamA,
      timestamp: 10,
      message: 'a0\n',
      ingestionTime: 9000,
      eventId: expect.stringMatching(/^0{18}10\d{36}$/),
    });
    const { nextToken } = first.output;
    const second = await server.call('FilterLogEvents', { logGroupName, limit: 2, nextToken });
    expect(second.output.events).toMatchObject([{ timestamp: 20, message: 'a1 ERROR\n' }]);
    expect(second.output).not.toHaveProperty('nextToken');
  });

  test.each<[what: string, input: object, texts: string[]]>([
    ['a pattern', { filterPattern: 'ERROR' }, ['a1 ERROR\n']],
    ['times', { startTime: 11, endTime: 20 }, ['b0\n']],
    ['streams', { logStreamNames: [streamB] }, ['b0\n']],
    ['a prefix', { logStreamNamePrefix: '2026/11/22/[7]' }, ['b0\n']],
  ])('by %s', async (_what, input, texts) => {
    fill();
    const { output } = await server.call('FilterLogEvents', { logGroupName, ...input });
    expect(output.events.map(({ message }: { message: string }) => message)).toEqual(texts);
  });

  test('a function without lines has a group without events; by ARN, too', async () => {
    const arn = 'arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/quiet';
    for (const logGroupIdentifier of ['/aws/lambda/quiet', arn, `${arn}:*`])
      expect(await server.call('FilterLogEvents', { logGroupIdentifier })).toMatchObject({
        status: 200,
        output: { events: [] },
      });
  });

  test('a function that is gone has its log until that is forgotten', async () => {
    const gone = { accountId: hello.accountId, functionName: 'gone' };
    server.logs.take(gone, { stream: streamA, first: 0, entries: Buffer.alloc(13, '\0\0\0\0\0\0\0\x01\0\0\0\x01x') });
    const { output } = await server.call('FilterLogEvents', { logGroupName: '/aws/lambda/gone' });
    expect(output.events).toMatchObject([{ message: 'x\n' }]);
  });
});

describe('GetLogEvents', () => {
  const logStreamName = streamA;

  test('begins with the newest, or the oldest, and goes on by tokens', async () => {
    put(server.logs, streamA, 0, '1 one', '2 two', '3 three');
    const get = async (input: object) =>
      (await server.call('GetLogEvents', { logGroupName, logStreamName, limit: 2, ...input })).output;
    const newest = await get({});
    expect(newest.events).toMatchObject([{ message: 'two\n' }, { message: 'three\n', timestamp: 3 }]);
    const before = await get({ nextToken: newest.nextBackwardToken });
    expect(before.events).toMatchObject([{ message: 'one\n' }]);
    const oldest = await get({ startFromHead: true });
    expect(oldest.events).toMatchObject([{ message: 'one\n' }, { message: 'two\n' }]);
    const after = await get({ nextToken: oldest.nextForwardToken });
    expect(after.events).toMatchObject([{ message: 'three\n' }]);
    const end = await get({ nextToken: after.nextForwardToken });
    expect(end.events).toEqual([]);
    expect(end.nextForwardToken).toBe(after.nextForwardToken);
    put(server.logs, streamA, 3, '4 four');
    expect((await get({ nextToken: end.nextForwardToken })).events).toMatchObject([{ message: 'four\n' }]);
  });

  test('a stream that is none is refused', async () => {
    fill();
    const { status, output } = await server.call('GetLogEvents', { logGroupName, logStreamName: 'none' });
    expect([status, output]).toEqual([
      400,
      { __type: 'ResourceNotFoundException', message: 'The specified log stream does not exist.' },
    ]);
  });
});

describe('what there is', () => {
  test('DescribeLogStreams by name, and by the last event', async () => {
    fill();
    const byName = await server.call('DescribeLogStreams', { logGroupName, limit: 1 });
    expect(byName.output.logStreams).toMatchObject([
      {
        logStreamName: streamA,
        arn: `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}:log-stream:${streamA}`,
        firstEventTimestamp: 10,
        lastEventTimestamp: 20,
      },
    ]);
    const { nextToken } = byName.output;
    const rest = await server.call('DescribeLogStreams', { logGroupName, limit: 1, nextToken });
    expect(rest.output.logStreams).toMatchObject([{ logStreamName: streamB }]);
    expect(rest.output).not.toHaveProperty('nextToken');
    const newest = { logGroupName, orderBy: 'LastEventTime', descending: true };
    const names = (await server.call('DescribeLogStreams', newest)).output.logStreams;
    expect(names).toMatchObject([{ logStreamName: streamA }, { logStreamName: streamB }]);
    const prefixed = await server.call('DescribeLogStreams', { logGroupName, logStreamNamePrefix: '2026/11/22/[7' });
    expect(prefixed.output.logStreams).toHaveLength(1);
  });

  test('DescribeLogGroups: every function of the account', async () => {
    const { output } = await server.call('DescribeLogGroups', { limit: 1 });
    expect(output).toMatchObject({
      logGroups: [
        {
          logGroupName,
          logGroupArn: `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}`,
          arn: `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}:*`,
        },
      ],
      nextToken: logGroupName,
    });
    const rest = await server.call('DescribeLogGroups', { nextToken: logGroupName });
    expect(rest.output.logGroups).toMatchObject([{ logGroupName: '/aws/lambda/quiet' }]);
    const none = await server.call('DescribeLogGroups', { logGroupNamePrefix: '/aws/lambda/none' });
    expect(none.output).toEqual({ logGroups: [] });
    expect((await server.call('DescribeLogGroups', {}, teamKey)).output).toEqual({ logGroups: [] });
  });
});

describe('who may', () => {
  test.each<[what: string, key: AccessKey, service: string, code: string]>([
    ['an unknown key', { ...testKey, accessKeyId: 'AKNOBODY' }, 'logs', 'UnrecognizedClientException'],
    ['a signature for another service', testKey, 'lambda', 'InvalidSignatureException'],
    ['a user without the right', janeKey, 'logs', 'AccessDeniedException'],
  ])('%s is refused', async (_what, key, service, code) => {
    const { status, output } = await server.call('FilterLogEvents', { logGroupName }, key, service);
    expect([status, output.__type]).toEqual([400, code]);
  });

  test('who may read a function may read its log, and no other', async () => {
    fill();
    server.granted.add('jane get functions default/hello');
    expect((await server.call('FilterLogEvents', { logGroupName }, janeKey)).output.events).toHaveLength(3);
    const refused = await server.call('FilterLogEvents', { logGroupName: '/aws/lambda/quiet' }, janeKey);
    expect(refused.output).toEqual({
      __type: 'AccessDeniedException',
      message:
        'User: arn:aws:iam::000000000000:user/jane is not authorized to perform: logs:FilterLogEvents on resource: arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/quiet because no identity-based policy allows the logs:FilterLogEvents action',
    });
    expect((await server.call('DescribeLogGroups', {}, janeKey)).output.__type).toBe('AccessDeniedException');
  });

  test('another account’s log is nobody’s business', async () => {
    const logGroupIdentifier = `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}`;
    const { output } = await server.call('FilterLogEvents', { logGroupIdentifier }, teamKey);
    expect(output.__type).toBe('AccessDeniedException');
  });
});

describe('what is refused', () => {
  test.each<[operation: string, input: object | string, code: string, text: RegExp]>([
    ['FilterLogEvents', {}, 'InvalidParameterException', /Either logGroupName or/],
    ['FilterLogEvents', { logGroupName: '/other' }, 'ResourceNotFoundException', /log group does not exist/],
    ['FilterLogEvents', { logGroupName: '/aws/lambda/none' }, 'ResourceNotFoundException', /log group does not exist/],
    ['FilterLogEvents', { logGroupName: 'a b' }, 'InvalidParameterException', /at 'logGroupName' failed to satisfy/],
    ['FilterLogEvents', { logGroupName, limit: 10_001 }, 'InvalidParameterException', /less than or equal to 10000/],
    ['FilterLogEvents', { logGroupName, limit: 'x' }, 'SerializationException', /wrong type/],
    ['FilterLogEvents', { logGroupName, nextToken: 'x' }, 'InvalidParameterException', /nextToken is invalid/],
    ['FilterLogEvents', { logGroupName, filterPattern: '{$.a=1}' }, 'InvalidParameterException', /JSON/],
    ['FilterLogEvents', { logGroupName, startTime: 2, endTime: 1 }, 'InvalidParameterException', /endTime/],
    ['FilterLogEvents', 'no json', 'SerializationException', /not JSON/],
    ['GetLogEvents', { logGroupName }, 'InvalidParameterException', /'logStreamName' .* must not be null/],
    ['GetLogEvents', { logGroupName, logStreamName: 's', nextToken: 'x' }, 'InvalidParameterException', /nextToken/],
    ['DescribeLogStreams', { logGroupName, orderBy: 'Size' }, 'InvalidParameterException', /enum value set/],
    ['StartLiveTail', { logGroupIdentifiers: [logGroupName] }, 'InvalidOperationException', /aws logs tail --follow/],
    ['PutRetentionPolicy', { logGroupName }, 'UnknownOperationException', /PutRetentionPolicy is not supported/],
  ])('%s %j', async (operation, input, code, text) => {
    const { status, output } = await server.call(operation, input);
    expect([status, output.__type]).toEqual([400, code]);
    expect(output.message).toMatch(text);
  });

  test('a fifth search at one time, so that SDKs try again; searches pause after 2,000 lines', async () => {
    const held = Promise.withResolvers<void>();
    let pauses = 0;
    const busy = await startServer(true, () => {
      pauses += 1;
      return held.promise;
    });
    put(busy.logs, streamA, 0, ...Array.from({ length: 2_000 }, () => '1 x'));
    const searches = Array.from({ length: 4 }, () => busy.call('FilterLogEvents', { logGroupName }));
    while (pauses < 4) await new Promise((resolve) => setImmediate(resolve));
    const refused = await busy.call('FilterLogEvents', { logGroupName });
    held.resolve();
    expect(refused).toEqual({ status: 400, output: { __type: 'ThrottlingException', message: 'Rate exceeded' } });
    for (const { output } of await Promise.all(searches)) expect(output.events).toHaveLength(2_000);
    expect((await busy.call('FilterLogEvents', { logGroupName })).status).toBe(200);
    await busy.stop();
  });

  test('everything, where no logs are kept', async () => {
    const off = await startServer(false);
    const { output } = await off.call('FilterLogEvents', { logGroupName });
    await off.stop();
    expect(output).toMatchObject({
      __type: 'InvalidOperationException',
      message: expect.stringMatching(/keeps no recent logs/),
    });
  });
});
